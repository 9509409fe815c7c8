"""Files that are none of their language are found; newer Python and JSON with comments are not."""

import pytest

from halfdoor.canon.checks import Status
from halfdoor.verify.grammars import installed
from halfdoor.verify.languages import LANGUAGES
from halfdoor.verify.syntax import Syntax
from tests.helpers.checks import MISSING, TROUBLE, change, codes, judge, subject
from tests.verify.tools import perform


def found(path, after, before=None):
    return codes(judge(Syntax(), subject(change(path, after, before)), perform))


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("a.py", "x = 1\ndef f(:\n", 2),
        ("a.py", "def f():\n    return 1\nreturn 2\n", 3),
        ("a.py", "def f():\nreturn 1\n", 2),
        ("a.py", "x = 1\0\n", 1),
        ("a.json", '{"a": 1,\n "b": }', 2),
        ("a.toml", "a = 1\nb = \n", 2),
    ],
)
def test_what_cannot_be_read_is_found_at_its_line(path, text, line):
    (finding,) = judge(Syntax(), subject(change(path, text)), perform).findings
    assert (finding.path, finding.code) == (path, "syntax")
    assert abs(finding.line - line) <= 1


def test_python_that_is_newer_than_this_interpreter_is_python():
    assert found("a.py", "type X = int\n\n\ndef f[T](a: T) -> T:\n    return a\n") == []


def test_a_file_that_was_broken_before_is_not_the_changes_doing():
    assert found("a.py", "y = 1\nx = (\n", "x = (\n") == []
    assert found("a.py", "x = (\ny = 1\n", "x = 1\n") == ["syntax"]


def test_an_escape_that_python_warns_of_is_read():
    assert found("a.py", "x = '\\d'\n") == []


@pytest.mark.parametrize("ran", TROUBLE, ids=lambda ran: ran.status.value)
def test_broken_python_is_skipped_when_ruff_cannot_say_whether_it_is_newer(ran):
    result = judge(Syntax(), subject(change("a.py", "def f(:\n")), ran)
    assert result.status is Status.SKIPPED


def test_whole_python_needs_no_tool():
    assert judge(Syntax(), subject(change("a.py", "x = 1\n")), MISSING).status is Status.PASSED


BY_GRAMMAR = {
    "a.js": ("function f(a) { return a?.b ?? 1; }\n", "function f(a) { return a\n"),
    "a.ts": ("const x: Record<string, number> = {};\n", "const x: = {;\n"),
    "a.tsx": ("const A = () => <p className='a'>{1}</p>;\n", "const A = () => <p>{1}</b;\n"),
    "a.go": ("package a\n\nfunc F() int { return 1 }\n", "package a\n\nfunc F( int { return\n"),
    "a.rs": ("fn f() -> u8 { vec![1][0] }\n", "fn f() -> u8 { vec![1][0]\n"),
    "A.java": ("class A { int f() { return 1; } }\n", "class A { int f() { return 1; }\n"),
    "a.c": ("#define X(a) a\nint f(void) { X(return 1;) }\n", "int f(void) { return 1;\n"),
    "a.cpp": ("template <class T> T f(T a) { return a; }\n", "int f() { return (1; }\n"),
    "a.sh": ("for x in 1 2; do echo $x; done\n", "if [ 1 ]; then (echo {\n"),
    "a.yaml": ("a:\n  - b: 1\n  - [1, 2]\n", "a: [1, 2\nb: }\n"),
}


def test_every_grammar_has_its_example():
    by_grammar = {each.name for each in LANGUAGES if each.grammar[0]}
    assert len(BY_GRAMMAR) == len(by_grammar)
    assert all(installed(each) for each in LANGUAGES if each.grammar[0])


@pytest.mark.parametrize("path", BY_GRAMMAR)
def test_other_languages_are_read_by_their_grammars(path):
    whole, broken = BY_GRAMMAR[path]
    assert found(path, whole) == []
    assert set(found(path, broken)) == {"syntax"}


def test_a_language_without_a_grammar_is_not_judged_and_skipped_when_asked_for(monkeypatch):
    monkeypatch.setattr("halfdoor.verify.grammars.find_spec", lambda _name: None)
    asked = subject(change("a.go", "package ("), change("a.py", "x = 1\n"))
    result = judge(Syntax(), asked)
    assert (result.status, "Go not read" in result.saw) == (Status.PASSED, True)
    only = judge(Syntax(), subject(change("a.go", "package (")))
    assert only.status is Status.NOT_APPLICABLE
    assert judge(Syntax(["go"]), asked).status is Status.SKIPPED


def test_a_grammar_that_does_not_fit_skips_the_check(monkeypatch):
    monkeypatch.setattr("halfdoor.verify.grammars._parser", _unfit)
    result = judge(Syntax(), subject(change("a.go", "package a\n")))
    assert result.status is Status.SKIPPED


def _unfit(_grammar):
    from halfdoor.verify.grammars import Unreadable

    raise Unreadable("tree_sitter_go cannot be used: too old")


def test_json_that_its_programs_read_with_comments_is_not_read_as_json():
    asked = subject(change("tsconfig.json", "{ // comment\n}"))
    assert judge(Syntax(), asked).status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("name", "there"),
    [("utf-7", True), ("raw_unicode_escape", True), ("nonsense", True), ("rot13", True),
     ("latin-1", False), ("utf-8", False), ("cp1252", False), ("euc-jp", False)],
)  # fmt: skip
def test_an_encoding_by_which_code_is_other_code_than_it_looks_is_found(name, there):
    """Python runs what stands in `+AAo-`; every check here read a comment."""
    text = f"# coding: {name}\n# +AAo-import os+ADs-os.abort()\n"
    assert ("encoding" in found("a.py", text)) is there


@pytest.mark.parametrize(
    "code",
    [
        'export type * from "./x.js";',
        "export interface A<\n  out O = unknown,\n  in out I = 1\n> {}",
        "export interface A<\n  // said\n  out O extends B = B,\n> {}",
        'export declare const f: import("./t").F<A<string>>;',
        'const a = 1;\nexport { a as null, a as instanceof };\nexport { b, function } from "./c";',
    ],
)
def test_typescript_that_is_newer_than_its_grammar_is_typescript(code):
    """1,090 files of one published package failed, and a hundred of another."""
    if not installed(next(each for each in LANGUAGES if each.name == "TypeScript")):
        pytest.skip("no grammar of TypeScript is installed")
    assert found("a.ts", f"{code}\n") == []
    assert found("a.ts", f"{code}\nconst a = ;\n") == ["syntax"]
