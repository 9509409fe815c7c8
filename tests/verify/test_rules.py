"""A team's rules: forbidden names, code without a test, new files out of shape, review, licences."""

import pytest

from halfdoor.canon.checks import Commit, Status
from halfdoor.reading.globs import matcher
from halfdoor.verify.licence import Licence
from halfdoor.verify.review import Review
from halfdoor.verify.rules import Rules, Template, is_test
from tests.helpers.checks import TROUBLE, change, codes, judge, subject
from tests.verify.tools import perform

FORBIDDEN = Rules(("pickle", "os.system", "yaml.load"))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import pickle.sub as p",
        "import os\nos.system('x')",
        "from os import system",
        "import os as o\no.system('x')",
        "import yaml\nyaml.load(x)",
        "from yaml import load as y",
        "from os import *",
        "__import__('pickle')",
        "import importlib\nimportlib.import_module('pickle.sub')",
    ],
)
@pytest.mark.parametrize("beside", ["", "type X = int\n", "f'{f'{1}'}'\n"])
def test_a_forbidden_name_is_found_however_it_is_reached(code, beside):
    """Beside syntax that was newer than halfdoor's interpreter, `import pickle` had "passed"."""
    asked = subject(change("a.py", beside + code + "\n"))
    assert "forbidden-import" in codes(judge(FORBIDDEN, asked, perform))


@pytest.mark.parametrize(
    "code",
    [
        "from importlib import import_module as i\ni(name='pickle')",
        "import builtins as b\nb.__import__('pickle')",
    ],
)
def test_what_imports_by_name_is_known_by_another_name(code):
    assert codes(judge(FORBIDDEN, subject(change("a.py", code)))) == ["forbidden-import"]


@pytest.mark.parametrize(
    "code",
    [
        'const c = require("child_process");',
        'import { exec } from "node:child_process";',
        'import x from "left-pad/sub";',
        'export * from "@a/b/c";',
        'const c = await import("left-pad");',
        'try { require("left-pad") } catch {}',
    ],
)
def test_a_forbidden_package_is_found_in_javascript(code):
    """`require("child_process")` with it forbidden had "passed"."""
    rules = Rules(("child_process", "left-pad", "@a/b", "lodash"))
    assert codes(judge(rules, subject(change("a.ts", code)))) == ["forbidden-import"]
    assert codes(judge(rules, subject(change("a.ts", code, code)))) == []
    other = 'import g from "lodash.get"; import l from "./lodash"; // require("left-pad")'
    assert codes(judge(rules, subject(change("a.js", other)))) == []


@pytest.mark.parametrize(
    "code",
    ["import os\nos.path.join()", "import yaml\nyaml.safe_load(x)", "pickle = 1", "self.system()"],
)
def test_what_only_looks_like_it_is_not(code):
    assert codes(judge(FORBIDDEN, subject(change("a.py", code)))) == []
    assert codes(judge(FORBIDDEN, subject(change("a.py", f"type X = int\n{code}")), perform)) == []


def test_what_no_parser_reads_is_named_and_what_imports_by_name_is_found_in_it():
    result = judge(FORBIDDEN, subject(change("a.py", "x = (\nimport pickle\n")), perform)
    assert (result.status, "not searched: a.py" in result.saw) == (Status.PASSED, True)
    broken = change("a.py", "x = (\n__import__('pickle')\n")
    assert codes(judge(FORBIDDEN, subject(broken), perform)) == ["forbidden-import"]


@pytest.mark.parametrize("ran", TROUBLE, ids=lambda ran: ran.status.value)
def test_newer_python_is_skipped_when_ruff_does_not_say_what_it_uses(ran):
    result = judge(FORBIDDEN, subject(change("a.py", "x = (\n")), ran)
    assert result.status is Status.SKIPPED


def test_a_forbidden_name_stays_known_when_the_file_becomes_newer_than_this_interpreter():
    asked = subject(change("a.py", "type X = int\nimport pickle\n", "import pickle\n"))
    assert codes(judge(FORBIDDEN, asked, perform)) == []


def test_a_forbidden_name_in_a_program_without_a_suffix_is_found():
    script = change("bin/run", "#!/usr/bin/env python3\nimport pickle\n")
    (finding,) = judge(FORBIDDEN, subject(script)).findings
    assert (finding.path, finding.line) == ("bin/run", 2)


def test_a_forbidden_name_that_was_there_is_not_the_changes_doing():
    asked = subject(change("a.py", "x = 1\nimport pickle\n", "import pickle\n"))
    assert codes(judge(FORBIDDEN, asked)) == []


TESTED = Rules(tested=matcher(["src/**"]), tests=is_test(["tests/**", "cases/**/*.yaml"]))


def test_code_that_needs_a_test_has_one_in_the_same_change():
    code, test = change("src/a.py", "x = 2\n", "x = 1\n"), change("tests/test_a.py", "assert 1\n")
    assert codes(judge(TESTED, subject(code))) == ["no-test"]
    assert codes(judge(TESTED, subject(code, test))) == []
    assert codes(judge(TESTED, subject(change("docs/a.md", "x")))) == []
    gone = change("tests/test_a.py", None, "assert 1\n")
    assert codes(judge(TESTED, subject(code, gone))) == ["no-test"]


@pytest.mark.parametrize(
    ("path", "after", "before", "counts"),
    [
        ("tests/test_z.txt", "a\n", None, False),
        ("tests/data.json", "{}\n", None, False),
        ("tests/__init__.py", "", None, False),
        ("tests/test_a.py", "same\n", "same\n", False),
        ("tests/test_a.py", "assert 2\n", "assert 1\n", True),
        ("tests/a_test.go", "package a\n", None, True),
        ("cases/x/a.yaml", "in: 1\n", None, True),
    ],
)
def test_what_counts_as_a_test_is_a_program_unless_a_glob_says_how_its_name_ends(
    path, after, before, counts
):
    """`tests/test_z.txt` was test enough, and so was an empty `tests/__init__.py`."""
    asked = subject(change("src/a.py", "x = 2\n", "x = 1\n"), change(path, after, before))
    assert codes(judge(TESTED, asked)) == ([] if counts else ["no-test"])


def test_new_files_follow_their_template_and_old_ones_stay_as_they_are():
    rules = Rules(templates=[Template(matcher(["src/**"]), ('"""*', "# Copyright * Us"))])
    assert (
        codes(judge(rules, subject(change("src/a.py", '"""Says."""\nx\n# Copyright 2026 Us\n'))))
        == []
    )
    assert codes(
        judge(rules, subject(change("src/a.py", '# Copyright 2026 Us\n"""Says."""\n')))
    ) == ["template"]
    assert codes(judge(rules, subject(change("src/a.py", "x\n", "y\n")))) == []


@pytest.mark.parametrize("check", [Rules(), Review(), Review(matcher(["pay/**"]))])
def test_without_rules_there_is_nothing_to_judge(check):
    assert judge(check, subject(change("a.py", "x"))).status is Status.NOT_APPLICABLE


REVIEW = Review(matcher(["pay/**"]))
PAY = change("pay/a.py", "x")


def commit(*trailers, author="ada@example.org", paths=("pay/a.py",)):
    return Commit("0" * 40, author, trailers, paths)


@pytest.mark.parametrize(
    ("trailers", "expected"),
    [
        ((), ["unreviewed"]),
        ((("Reviewed-by", "Bo <bo@example.org>"),), []),
        ((("reviewed-by", "Bo <bo@example.org>"),), []),
        ((("Reviewed-by", "Ada <ADA@example.org>"),), ["unreviewed"]),
        ((("Reviewed-by", "Bo"),), ["unreviewed"]),
        ((("Signed-off-by", "Bo <bo@example.org>"),), ["unreviewed"]),
    ],
)
def test_a_commit_that_needs_a_person_names_one_who_is_not_its_author(trailers, expected):
    assert codes(judge(REVIEW, subject(PAY, commits=(commit(*trailers),)))) == expected


def test_commits_that_touch_other_paths_need_nobody():
    commits = (commit(("Reviewed-by", "Bo <bo@example.org>")), commit(paths=("a.py",)))
    assert codes(judge(REVIEW, subject(PAY, commits=commits))) == []


def test_a_change_that_only_a_merge_brought_needs_a_person_too():
    """Git names no files of a merge, and one that no commit named passed."""
    assert codes(judge(REVIEW, subject(PAY, commits=(commit(paths=("a.py",)),)))) == ["unreviewed"]


def test_before_it_is_committed_the_need_is_told():
    result = judge(REVIEW, subject(PAY))
    assert (result.status, "pay/a.py" in result.saw) == (Status.NOT_APPLICABLE, True)


FOREIGN = ["foreign-licence"]
OURS = {
    "LICENSE": b"MIT License\n\nCopyright (c) 2020 Our Team\n",
    "pyproject.toml": b'license = "MIT"',
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("# SPDX-License-Identifier: GPL-3.0-only", ["foreign-licence"]),
        ("# SPDX-License-Identifier: MIT", []),
        ("# SPDX-License-Identifier: Apache-2.0 OR MIT", []),
        ("# Copyright (c) 2011 Somebody Else Inc.", ["foreign-licence"]),
        ("# Copyright 2020-2026, Our Team", []),
        ("# it is licensed under the Apache License, Version 2.0", ["foreign-licence"]),
        ("# the licence is checked here", []),
        ("copyright = 2020", []),
        ("x = '# Copyright (c) 2011 Somebody Else Inc.'", []),
        ("    'SPDX-License-Identifier: GPL-3.0-only',", []),
        ("# don't remove: Copyright", []),
        ("(c) 2011 Somebody Else Inc.", ["foreign-licence"]),
        ("/* Copyright (c) Oracle and/or its affiliates. All rights reserved. */", FOREIGN),
        (" * Copyright © Somebody Else", FOREIGN),
        ("# Copyright The Other Authors", FOREIGN),
        ("# Copyright Somebody Else, Inc. 2011", FOREIGN),
        ("# Copyright (c) Our Team. All rights reserved.", []),
        ("# Copyright headers are looked at", []),
        ("# (c) Then the third case", []),
        ("# Licensed under the BSD license", FOREIGN),
        ("# Licensed under the MIT license", []),
        ("# License: GPLv3", FOREIGN),
        ("// @license BSD-3-Clause", FOREIGN),
        ("# License: MIT", []),
        ("# released under the terms of the GNU GPL, version 2", FOREIGN),
        ("# available under the same license as before", []),
        ("# License: see the file", []),
        ("# SPDX-License-Identifier: GPL-3.0-only --> */", FOREIGN),
    ],
)
def test_a_header_of_another_project_is_found(line, expected):
    asked = subject(change("a.py", f"{line}\nx = 1\n"), files=OURS)
    assert codes(judge(Licence(), asked)) == expected


def test_a_licence_that_is_allowed_may_come_in_and_what_moved_was_there():
    line = "# SPDX-License-Identifier: Apache-2.0\n"
    assert codes(judge(Licence(["apache-2.0"]), subject(change("a.py", line), files=OURS))) == []
    moved = (change("a.py", "", line), change("b.py", line, ""))
    assert codes(judge(Licence(), subject(*moved, files=OURS))) == []


@pytest.mark.parametrize(
    ("allowed", "line", "expected"),
    [
        ("GPL-3.0-only", "# License: GPL", []),
        ("GPL-3.0-only", "# GNU General Public License", []),
        ("GPL-3.0-only", "# GNU Affero General Public License", FOREIGN),
        ("BSD", "# SPDX-License-Identifier: BSD-3-Clause", []),
    ],
)
def test_a_licence_that_a_line_names_without_its_version_is_one_of_its_kind(
    allowed, line, expected
):
    asked = subject(change("a.py", f"{line}\n"), files=OURS)
    assert codes(judge(Licence([allowed]), asked)) == expected


def test_a_licence_file_is_no_copied_header():
    asked = subject(change("LICENSE.py", "# Copyright 2001 X Y\n"), change("NOTICE", "(c) 2001 X"))
    assert judge(Licence(), asked).status is Status.NOT_APPLICABLE


def test_a_project_that_begins_brings_its_own_licence():
    header = change("a.py", "# SPDX-License-Identifier: MIT\n# Copyright 2020 Our Team\n")
    own = change(
        "LICENSE",
        "MIT License\nCopyright (c) 2020 Our Team\n\nPermission is hereby granted, free of charge, to any person\n",
    )
    assert codes(judge(Licence(), subject(header, own))) == []
    assert len(codes(judge(Licence(), subject(header)))) == 2
