"""Small files that somebody wrote to keep the gate busy are read in time that grows as they do."""

import json

import pytest

from halfdoor.canon.checks import Commit, Status
from halfdoor.reading.globs import matcher
from halfdoor.verify.declared import declared
from halfdoor.verify.imported import imported
from halfdoor.verify.imports import Imports
from halfdoor.verify.licence import Licence
from halfdoor.verify.near import mistakes
from halfdoor.verify.pins import pins
from halfdoor.verify.review import Review
from halfdoor.verify.rules import Rules, Template
from tests.helpers.checks import change, codes, judge, subject
from tests.helpers.slower import slower


def headers(text):
    assert judge(Licence(), subject(change("a.c", text))).status is not Status.SKIPPED


def manifest(path):
    return lambda text: declared({path: text.encode()})


def reviewed(text):
    commit = Commit("0" * 40, "a@b", (("Reviewed-by", text),), ("a.py",))
    judge(Review(matcher(["a.py"])), subject(change("a.py", "x"), commits=(commit,)))


def shaped(text):
    rules = Rules(templates=[Template(matcher(["**"]), ("a*b*c*d",))])
    judge(rules, subject(change("a.py", text)))


def forbidden(text):
    judge(Rules(("os.system",)), subject(change("a.py", text)))


# What reads it, how it begins, what comes again and again, how it ends.
ENDLESS = [
    (headers, "// SPDX-License-Identifier:", " ", "!"),
    (headers, "//", " SPDX-License-Identifier: a", "!"),
    (headers, "# Copyright 2020 a", "! ", "a!"),
    (headers, "# Copyright ", " ", "a"),
    (headers, "# ", "Copyright (c) 2020 by ", "1"),
    (headers, "# ", "available under the ", "x"),
    (headers, "", " ", "x"),
    (imported, "import (\nfrom ", ".", "! x"),
    (imported, "import (\nfrom ", " ", "! x"),
    (imported, "import (\n", "import a\n", "!"),
    (manifest("requirements.txt"), "", "\n", "!"),
    (manifest("requirements.txt"), "a", "\t", "!"),
    (manifest("requirements.txt"), "", "a[\n", "!"),
    (manifest("requirements.txt"), "- ", " ", "!"),
    (manifest("setup.py"), "'a", " ", ""),
    (manifest("setup.py"), "'a", "\t", ""),
    (manifest("setup.py"), "'a", "[a", ""),
    (lambda text: list(pins("requirements.txt", text)), "", "\n", "!"),
    (lambda text: list(pins("requirements.txt", text)), "", "a[\n", "!"),
    (lambda text: list(pins("uv.lock", text)), "", "[[package]]\n\n", "!"),
    (reviewed, "<", "@a", ""),
    (reviewed, "", "<a@a> ", "!"),
    (shaped, "a", "bc", "x"),
    (forbidden, "import os\n", "os.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p\n", ""),
]


@pytest.mark.parametrize("endless", ENDLESS, ids=lambda each: repr(each[2]))
def test_a_text_that_never_comes_to_its_end_is_read_in_time_that_grows_as_it_does(endless):
    """3 KB of spaces behind `SPDX-License-Identifier:` kept the gate busy for more than 45 s."""
    read, first, run, last = endless
    assert slower(lambda size: read(first + run * (size // len(run)) + last)) < 80


def strange(size):
    code = "".join(f"import nope{n}x\n" for n in range(size // 15))
    wanted = "".join(f"nape{n}x\n" for n in range(size // 10))
    asked = subject(change("a.py", code), files={"requirements.txt": wanted.encode()})
    assert len(codes(judge(Imports(), asked))) == size // 15


def spoken_of(size):
    code = (
        "".join(f"import nope{n}x\n" for n in range(size // 30)) + f"x = '{'a.' * (size // 4)}'\n"
    )
    assert len(codes(judge(Imports(), subject(change("tests/a.py", code))))) == size // 30


def ignored(size):
    code = "".join(f"import './nope{n}x';\n" for n in range(size // 20))
    globs = "".join(f"*nape{n}x\n" for n in range(size // 10)).encode()
    asked = subject(change("a.js", code), files={".gitignore": globs})
    assert len(codes(judge(Imports(), asked))) == size // 20


def aliased(size):
    code = "".join(f"import 'nope{n}x';\n" for n in range(size // 18))
    paths = {f"nape{n}x/*": ["a"] for n in range(size // 16)}
    files = {"tsconfig.json": json.dumps({"compilerOptions": {"paths": paths}}).encode()}
    assert len(codes(judge(Imports(), subject(change("a.js", code), files=files)))) == size // 18


@pytest.mark.parametrize("judged", [strange, spoken_of, ignored, aliased])
def test_many_strange_imports_beside_many_names_are_judged_in_time_that_grows_with_them(judged):
    """Each was compared with each: 60 KB beside 60 KB took longer than anybody waited."""
    assert slower(judged) < 80


MANY = [f"nope{number}x" for number in range(2000)]


@pytest.mark.parametrize(
    ("path", "after", "before"),
    [
        ("requirements.txt", "\n".join(MANY), "\n".join(name.upper() + "q" for name in MANY)),
        ("requirements.txt", "a" * 300, "b" * 300),
        (
            "package.json",
            json.dumps({"dependencies": dict.fromkeys(MANY, "1")}),
            json.dumps({"dependencies": {f"{name}q": "1" for name in MANY}}),
        ),
    ],
)
def test_new_dependencies_too_many_to_compare_are_a_skip_and_never_a_pass(path, after, before):
    result = judge(Imports(), subject(change(path, after, before)))
    assert (result.status, "too much to compare" in result.saw) == (Status.SKIPPED, True)


def test_as_many_as_people_declare_are_compared():
    new = [(None, f"textparser{number}x") for number in range(300)]
    known = {f"pytest-{number}" for number in range(300)} | {"textparser7y"}
    assert ("textparser7x", "textparser7y") in {
        (name, near) for _, name, near in mistakes(new, known)
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a [extra] # why\n- b\n  c\\\nd\t# why\n", {"a", "b", "c", "d"}),
        ("a ; python_version > '3'\nb>=1,<2\nc @ https://example.org/c\n-e .\n", {"a", "b", "c"}),
        ("a%b\n???\n[b]\n", set()),
    ],
)
def test_requirements_are_read_as_before(text, expected):
    assert declared({"requirements.txt": text.encode()}) == expected
