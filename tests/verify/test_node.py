"""Invented packages and files of JavaScript and TypeScript are found; what is there is not."""

import json

import pytest

from halfdoor.canon.checks import Status
from halfdoor.verify.imports import Imports
from halfdoor.verify.node.builtins import is_builtin
from halfdoor.verify.node.manifests import aliased, locked, loose
from halfdoor.verify.node.specifiers import specifiers
from tests.helpers.checks import change, codes, judge, subject
from tests.helpers.slower import slower

PACKAGE = {
    "name": "shop",
    "workspaces": ["packages/*"],
    "dependencies": {"express": "^4", "@scope/tool": "1", "alias": "npm:other@1"},
    "devDependencies": {"@types/estree": "1", "@types/babel__core": "7", "vitest": "1"},
    "peerDependencies": {"react": "*"},
    "imports": {"#db": "./src/db.ts"},
}
TSCONFIG = """{
  // with comments
  "compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"], "~lib": ["./src/lib/math"]},},
}"""
FILES = {
    "package.json": json.dumps(PACKAGE).encode(),
    "tsconfig.json": TSCONFIG.encode(),
    "packages/ui/package.json": b'{"name": "@shop/ui", "dependencies": {"preact": "10"}}',
    "package-lock.json": b'{"packages": {"": {}, "node_modules/qs": {}, "a/node_modules/@x/y": {}}}',
    "vite.config.ts": b'export default { resolve: { alias: { components: "/src/c", "@web": 1 } } }',
    ".gitignore": b"# built\n/compiled/\n*.gen.js\n",
}
LARGE = 1_000_000
PATHS = (
    "src/app.ts",
    "src/db.ts",
    "src/lib/math.ts",
    "src/lib/index.ts",
    "src/view.tsx",
    "src/data.json",
    "src/style.css",
    "packages/ui/src/index.tsx",
    *FILES,
)


def found(code, *, before=None, path="src/new.ts", allowed=(), **more):
    more = {"files": FILES, "paths": (*PATHS, path)} | more
    return codes(judge(Imports(allowed), subject(change(path, code, before), **more)))


@pytest.mark.parametrize(
    "code",
    [
        'import express from "express";',
        "import { readFile } from 'node:fs/promises'; import path from 'path/posix'",
        'import test from "node:test"',
        'import { a,\n  b as c,\n} from "@scope/tool/deep/file.js";',
        'import type { Node } from "estree"; import core from "@babel/core"',
        'import r from "react"; import p from "preact/hooks"; import o from "alias"',
        'import { A } from "@shop/ui/x"; import s from "shop"',
        'import qs from "qs"; const y = require("@x/y/z")',
        'import { add } from "./lib/math"; import l from "./lib"; import "./style.css"',
        'import { add } from "./lib/math.js"; import V from "./view.jsx"; import d from "./data.json"',
        'export * from "./db"; export { x } from "../src/db.ts"; import raw from "./style.css?raw"',
        'import m from "@/lib/math"; import n from "~lib"; import o from "src/lib"; import p from "#db"',
        'import c from "components/x"; import w from "@web/y"; import v from "virtual:pwa"',
        'import x from "../dist/out.js"; import g from "./api.generated"; import p from "./a_pb.js"',
        'import x from "../compiled/a"; import y from "./made.gen.js"; import t from "./+types/root"',
        'import a from "$lib/x"; import b from "https://esm.sh/x"; import c from "jsr:@std/x"',
        'try { require("optional-thing") } catch {}',
        'const s = "import x from \\"nope\\""; // import y from "nope2"\n/* require("nope3") */',
        "const t = `import x from 'nope'`; const r = /require('nope')/.test(s)",
        'declare module "made-up" { export const a: number }\nimport { a } from "made-up";',
        'const a = Array.from("abc"); loader.require("nope"); <p>from "nope"</p>',
        "const name = f(); require(name); import(`./${name}`)",
        "const url = require('u' + 'rl')",
    ],
)
def test_what_is_there_is_no_finding(code):
    assert found(code) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('import x from "expresss"', "no-such-package"),
        ('import x, { y } from "left-padd/sub"', "no-such-package"),
        ('import "@scope/invented"', "no-such-package"),
        ('const x = require("nowhere")', "no-such-package"),
        ('const x = await import(\n  "nowhere"\n)', "no-such-package"),
        ('export * from "nowhere"', "no-such-package"),
        ('import type { X } from "nowhere"', "no-such-package"),
        ('import fs = require("nowhere")', "no-such-package"),
        ('const r = /["\']/; const x = require("nowhere")', "no-such-package"),
        ('import x from "node:fss"', "no-such-module"),
        ('import x from "sqlite"', "no-such-package"),
        ('import x from "./lib/maths"', "no-such-module"),
        ('import x from "../db"', "no-such-module"),
        ('import x from "@/lib/nothing"', "no-such-module"),
        ('if (a) { try { f() } catch {} }\nrequire("nowhere")', "no-such-package"),
    ],
)
def test_what_is_nowhere_is_found(code, expected):
    assert found(code) == [expected]


def test_the_line_and_a_name_that_was_probably_meant_are_told():
    asked = subject(change("a.js", '// one\n\nimport x from "expresss";\n'), files=FILES)
    (finding,) = judge(Imports(), asked).findings
    assert (finding.line, finding.hint) == (3, "did you mean `express`?")


def test_an_import_that_was_there_is_not_the_changes_doing():
    assert found('let a;\nimport z from "zzz"', before='import z from "zzz"') == []


def test_what_is_installed_or_allowed_is_there():
    assert found('import x from "only-installed"', installed=("only-installed",)) == []
    assert found('import x from "made-at-build"', allowed=("made-at-build",)) == []


def test_a_dependency_that_the_same_change_declares_is_declared():
    more = PACKAGE | {"dependencies": {"lodash": "4"}}
    asked = subject(
        change("a.ts", 'import l from "lodash"'),
        change("package.json", json.dumps(more), FILES["package.json"]),
        files=FILES,
    )
    assert judge(Imports(), asked).status is Status.PASSED


@pytest.mark.parametrize(
    ("name", "expected"),
    [("expresss", ["near-miss"]), ("express-session", []), ("@scope/toool", ["near-miss"])],
)
def test_a_new_dependency_that_is_spelt_almost_like_another_is_flagged(name, expected):
    after = PACKAGE | {"peerDependencies": {name: "1"}}
    asked = subject(change("package.json", json.dumps(after), FILES["package.json"]), files=FILES)
    assert codes(judge(Imports(), asked)) == expected
    assert codes(judge(Imports([name]), asked)) == []


def test_a_new_workspace_is_no_dependency_that_is_spelt_almost_like_another():
    new = change("packages/uj/package.json", '{"name": "@scope/tools"}')
    assert codes(judge(Imports(), subject(new, files=FILES))) == []


def test_a_test_may_import_the_module_that_it_mocks():
    code = 'vi.mock("made-up", () => ({}));\nimport m from "made-up";\n'
    assert found(code, path="src/a.test.ts") == []
    assert found(code, path="src/a.ts") == ["no-such-package"]


def test_a_test_of_many_strange_imports_is_judged_in_time_that_grows_with_them():
    def judged(size):
        code = "".join(f'import "n{n}";' for n in range(size // 20))
        assert len(found(code, path="test/a.ts", files={})) == size // 20

    assert slower(judged) < 80  # 160, where each was looked for in all the text


@pytest.mark.parametrize(
    ("run", "expected"), [(".gen", []), ("_pb.", []), ("_", ["no-such-module"])]
)
def test_a_name_of_a_megabyte_on_two_lines_is_read_in_one_go(run, expected):
    """20 KB of `.gen` before the end of a line took 0.4 s, and four times that for twice as much."""
    assert found(f'import "./x{run * (LARGE // len(run))}\\\n";') == expected


@pytest.mark.parametrize(
    ("target", "length", "expected"),
    [
        ("dist/*", 100, []),
        ("dist/*/*.js", 100, []),
        ("dist/*", 5000, ["no-such-module"]),
        ("dist/" + "*" * 100, 100, ["no-such-module"]),
        ("*" * 100_000, 100_000, ["no-such-module"]),
    ],
)
def test_an_alias_leads_to_no_path_that_is_longer_than_any_file_has(target, length, expected):
    """A name of 20 KB and as many `*` for it took 42 s."""
    paths = {"compilerOptions": {"paths": {"far*": [target]}}}
    files = {"tsconfig.json": json.dumps(paths).encode()}
    assert found(f'import "far{"b" * length}"', files=files) == expected


def test_python_and_javascript_are_judged_in_one_result():
    asked = subject(change("a.py", "import nowhere_a"), change("a.js", 'import "nowhere-b"'))
    result = judge(Imports(), asked)
    assert codes(result) == ["no-such-package", "no-such-package"]
    assert result.saw == "1 Python file; 1 JavaScript or TypeScript file"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package-lock.json", '{"dependencies": {"anpkg": {}, "@a/b": {}}}'),
        ("yarn.lock", 'anpkg@^1.0, anpkg@^2:\n  version "2"\n\n"@a/b@npm:^1.0":\n  version: 1\n'),
        ("pnpm-lock.yaml", "packages:\n\n  anpkg@1.0.0:\n    x: y\n\n  '@a/b@1.0.0(c@2)': {}\n"),
        ("pnpm-lock.yaml", "packages:\n\n  /anpkg/1.0.0:\n    x: y\n\n  /@a/b/1.0.0:\n    x: y\n"),
        (
            "bun.lock",
            '{\n  "packages": {\n    "anpkg": ["anpkg@1"],\n    "c/@a/b": ["@a/b@2"],\n  }\n}\n',
        ),
    ],
)
def test_every_lock_is_read(path, text):
    assert {"anpkg", "@a/b"} <= locked({path: text.encode()})


@pytest.mark.parametrize("run", ["/* ", r"\"", ",", ", ", "//", "/*/", '"', "\\\n", " ", "a"])
@pytest.mark.parametrize("start", ['{"name": "a"', '{"name": "a"} "', "{'name': 'a'} /"])
def test_a_manifest_of_a_megabyte_that_never_closes_is_read_in_one_go(start, run):
    """`/* ` over and over took seconds for 60 KB, and four times that for twice as much."""
    assert loose((start + run * (LARGE // len(run))).encode()) == {}


def test_a_comment_that_never_closes_ends_what_is_read_and_what_stands_before_it_counts():
    assert loose(b'{"name": "a /* b", } /* ' + b"/* " * (LARGE // 3)) == {"name": "a /* b"}


@pytest.mark.parametrize("run", ["a", "a ", "a-", "'", "\"'", " ", "'a"])
def test_settings_of_a_megabyte_without_a_colon_are_read_in_one_go(run):
    data = ("web: 1\n" + run * (LARGE // len(run)) + "\n'@lib'\n").encode()
    assert {"web", "@lib"} <= aliased({"vite.config.ts": data})


@pytest.mark.parametrize("run", ["@", "@/", ":", "a@", "'"])
@pytest.mark.parametrize("path", ["yarn.lock", "pnpm-lock.yaml", "bun.lock"])
def test_a_lock_of_one_long_line_is_read_in_one_go(path, run):
    assert locked({path: ("  " + run * (LARGE // len(run))).encode()}) <= {""}


@pytest.mark.parametrize(
    ("path", "large"),
    [
        ("package.json", True),
        ("packages/a/tsconfig.base.json", True),
        ("vite.config.ts", True),
        (".gitignore", True),
        ("package-lock.json", False),
    ],
)
def test_a_manifest_or_settings_too_large_to_read_judge_nothing_and_say_so(path, large):
    files = {path: b" " * (1024 * 1024 + 1)}
    result = judge(Imports(), subject(change("a.ts", 'import "nowhere"'), files=files))
    assert (result.status is Status.SKIPPED) is large
    assert (result.saw == f"{path} is larger than 1 MiB") is large


def test_what_is_found_in_python_is_told_beside_a_manifest_too_large_to_read():
    files = {"package.json": b" " * (1024 * 1024 + 1)}
    script = change("a.js", 'import "nowhere-b"')
    for code, expected in (("import nowhere_a", ["no-such-package"]), ("import os", [])):
        result = judge(Imports(), subject(change("a.py", code), script, files=files))
        assert codes(result) == expected
        assert "package.json is larger than 1 MiB" in result.saw


# What stands first, and what follows over and over.
ENDLESS = [
    ('"', '\\"'), ("'", "\\'"), ("`", "\\`"), ('"', '\\\\"'), ("", '"\\\n'), ("", "'\""), ("", "\\"),
    ("", "/* "), ("", "//\n/*"), ("", "`${"), ("=/", "\\/"), ("", "=/["), ("=/", "[=/a"),
    ("", "\n/[a]"), ("", "(  "), ("", "import "), ("import ", "from "), ("import a ", 'from "" '),
    ("import {" + "a," * 1900, '"" from '), ("", 'require("'), ("", "try {"), ("", "{", "}"),
]  # fmt: skip


@pytest.mark.parametrize("parts", ENDLESS)
def test_code_that_never_closes_is_read_in_time_that_grows_as_it_does(parts):
    """40 KB of escaped quotes in a string without an end took 6 s, and 160 KB sixteen times that."""

    def read(size):
        code = parts[0] + "".join(run * (size // len(run)) for run in parts[1:])
        assert specifiers(f'import "a";{code}')[0].name == "a"

    assert slower(read) < 80  # 256, if each opener were read to the end


@pytest.mark.parametrize(
    "code",
    [
        '<p>Don\'t</p>; require("a");',
        'x = b ? <i\n/> : y["/"];\nz = /"/; require("a");',
        '<i\n/>[\n"/*"; require("a");',
        'return /\\"/; require("a");',
        'return /\\`/; require("a");',
        'x = /[/"]\\/`/; require("a");',
    ],
)
def test_what_opens_and_never_closes_hides_no_import_behind_it(code):
    assert [each.name for each in specifiers(code)] == ["a"]


def test_specifiers_are_found_on_their_lines():
    code = '/* a\n */ import a from "a";\n\nconst b = `\n`;\nrequire(\n  "b");\n'
    assert [(each.name, each.line) for each in specifiers(code)] == [("a", 2), ("b", 7)]


@pytest.mark.parametrize(
    ("name", "there"),
    [("fs", True), ("node:fs", True), ("node:sqlite", True), ("sqlite", False), ("node:x", False)],
)
def test_what_node_brings_is_known(name, there):
    assert is_builtin(name) is there


def test_a_clause_of_many_names_is_one_import():
    names = ",\n".join(f"  exported_name_{n}" for n in range(150))
    assert found(f'import {{\n{names}\n}} from "nowhere";') == ["no-such-package"]
