"""Files that are none of their language are found; newer Python and JSON with comments are not."""

import pytest

from halfdoor.canon.checks import Status
from halfdoor.verify.grammars import installed
from halfdoor.verify.languages import LANGUAGES
from halfdoor.verify.shell import other
from halfdoor.verify.syntax import Syntax
from halfdoor.verify.templates import is_template, without_actions
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


@pytest.mark.parametrize(
    "text", ["x = 1\nreturn x  # noqa\n", "# ruff: noqa\nreturn 1\n", "break  # noqa: F701\n"]
)
def test_broken_python_stays_broken_whatever_noqa_says(text):
    """It passed: ruff, which has the last word on newer Python, kept silent about the line."""
    assert found("a.py", text) == ["syntax"]


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
    """They were not judged at all, and `turbo.json` and its like failed."""
    for path in ("tsconfig.json", "turbo.json", "a/.vscode/settings.json", ".babelrc.json"):
        assert found(path, '{ // comment\n"a": [1,], /* b */ "c": "// d",\n}') == []
        assert found(path, '{ // comment\n"a": }') == ["syntax"]
    assert found("package.json", "{ // comment\n}") == ["syntax"]


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


CHART = """\
{{- if .Values.on }}
kind: {{ .Values.kind }}-x
metadata:
  labels:
    {{- include "a.labels" . | nindent 4 }}
{{- end }}
"""


def test_a_template_of_a_chart_is_read_by_what_stands_around_its_actions():
    """Every template of a Helm chart failed."""
    assert found("chart/templates/d.yaml", CHART) == []
    result = judge(Syntax(), subject(change("chart/templates/d.yaml", f"{CHART}a: [1\n")))
    assert (result.status, "d.yaml not judged: a template" in result.saw) == (
        Status.NOT_APPLICABLE,
        True,
    )
    asked = subject(change("chart/templates/d.yaml", f"{CHART}a: [1\n"), change("a.py", "x = 1\n"))
    assert judge(Syntax(), asked).status is Status.PASSED
    assert judge(Syntax(["yaml"]), asked).status is Status.SKIPPED


@pytest.mark.parametrize(
    "said", ["on: push\nrun: echo ${{ x }}\n", "msg: '{{ x }}'\n", "# {{ x }}\na: b\n"]
)
def test_yaml_that_only_speaks_of_templates_is_none(said):
    assert found(".github/workflows/a.yml", said) == []
    assert found(".github/workflows/a.yml", f"{said}a: [1\n") == ["syntax"]


def test_a_file_that_a_template_of_a_project_gives_on_is_not_judged():
    asked = subject(change("{{cookiecutter.name}}/a.py", "{% if x %}\nx = (\n{% endif %}\n"))
    assert "not judged: a template" in judge(Syntax(), asked).saw


VALID_SHELL = [
    'case "$x" in\n  -a|--all) f;;\n  @(b|c)) g;;\nesac\n',
    "f() {\n  local a=(b c) IFS=,\n  echo ${a[@]/#/x}\n}\n",
    'COMP_WORDBREAKS=${COMP_WORDBREAKS/=/}\nif type c &>/dev/null; then\n  f () {\n    IFS=$\'\\n\' r=($(x "$((1-1))"  \\\n      2>/dev/null)) || return $?\n  }\nfi\n',
    "exec 3>&1\ncat <<-'E' | while read -r a; do (echo \"${a%%)*}\"); done\n\tit's ( {\n\tE\n",
]  # fmt: skip


@pytest.mark.parametrize("text", VALID_SHELL)
def test_shell_that_bash_reads_is_shell(text):
    assert found("a.sh", text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x=1\nif true; then\n  echo 1\n", 4),
        ("for a in b; do\n  echo 1\n", 3),
        ("echo 'a\n", 1),
        ("#!/bin/sh\nf() { (echo {\n", 3),
    ],
)
def test_shell_that_never_ends_is_found_by_bash(text, line):
    """Only brackets that do not pair counted, and of eight such files all were valid."""
    (finding,) = judge(Syntax(), subject(change("a.sh", text)), perform).findings
    assert abs(finding.line - line) <= 1
    assert found("a.sh", f"{text}# more\n", text) == []


UNREAD = "if [ 1 ]; then (echo {\n"


@pytest.mark.parametrize(
    ("text", "ran", "said"),
    [
        (UNREAD, MISSING, "not judged: its grammar cannot read it, and bash refused"),
        (f"#!/usr/bin/env zsh\n{UNREAD}", MISSING, "not judged: a script of zsh"),
        (f"#!/bin/zsh -f\n{UNREAD}", MISSING, "not judged: a script of zsh"),
    ],
)
def test_shell_that_nobody_here_can_read_is_named_and_not_judged(text, ran, said):
    asked = subject(change("a.sh", text))
    result = judge(Syntax(), asked, ran)
    assert (result.status, said in result.saw) == (Status.NOT_APPLICABLE, True)
    assert judge(Syntax(["shell"]), asked, ran).status is Status.SKIPPED


@pytest.mark.parametrize(
    ("first", "name"),
    [
        ("#!/usr/bin/env -S bash -e", ""),
        ("#!/usr/bin/env A=b bash", ""),
        ("#! /bin/sh -", ""),
        ("#!/bin/busybox sh", ""),
        ("# said", ""),
        ("#!/usr/bin/env fish", "fish"),
        ("#!/bin/ksh93", "ksh93"),
    ],
)
def test_the_first_line_of_a_script_says_whose_it_is(first, name):
    assert other(f"{first}\necho\n".encode()) == name


@pytest.mark.parametrize("ran", TROUBLE[1:], ids=lambda ran: ran.status.value)
def test_shell_is_skipped_when_bash_comes_to_no_end(ran):
    assert judge(Syntax(), subject(change("a.sh", UNREAD)), ran).status is Status.SKIPPED


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.c", "#ifdef A\n#endif\nint main( {{{\n"),
        ("a.c", "int f(void) { return 0 }\n"),
        ("a.h", "#ifndef A_H\n#define A_H\nclass A {\n#endif\n"),
        ("a.rs", "fn f() { let x = ; }\n"),
        ("a.rs", "fn f() { let x = 1 let y = 2; }\n"),
    ],
)
def test_c_and_rust_that_no_compiler_reads_are_found(path, text):
    assert found(path, text) == ["syntax"]


def test_c_that_was_broken_before_may_be_broken_further():
    before = "int f() { return 0 }\n"
    assert found("a.c", f"{before}// said\n", before) == []
    assert found("a.c", "#ifdef A\nint f() { return 0; }\n", before) == ["syntax"]


def test_c_with_two_heads_of_one_function_is_c():
    code = "#ifdef A\nint f(int a\n#else\nint f(long a\n#endif\n) { return 0; }\n"
    assert found("a.c", code) == found("a.c", code.replace("#ifdef", "#  ifdef")) == []
    half = "#ifdef A\nint f() {\n#endif\n#ifdef B\n}\n#endif\n#ifdef A\n}\n#endif\nint x\n"
    result = judge(Syntax(), subject(change("a.c", half)))
    assert "a.c not judged: its brackets pair under some" in result.saw


def test_an_arrow_function_ends_where_a_line_begins_with_a_bracket():
    """npm's own lib/base-cmd.js failed."""
    code = "const f = (a) => {\n  return a\n}\n\n[...b].forEach(f)\n"
    assert found("a.js", code) == []
    assert "syntax" in found("a.js", f"{code}let x = ;\n")


def test_rust_that_is_not_stable_is_not_judged():
    asked = subject(change("a.rs", "#![feature(x)]\npub macro a() {}\nlet ;\n"))
    assert "a.rs not judged: unstable Rust" in judge(Syntax(), asked).saw


def test_what_its_grammar_could_not_read_before_is_not_broken_by_the_change():
    newer = "public class A { int f( { return 1; }\n"
    asked = subject(change("A.java", f"// said\n{newer} x\n", newer))
    result = judge(Syntax(), asked)
    assert "A.java not judged: its grammar could not read it before either" in result.saw
    assert result.status is Status.NOT_APPLICABLE
    assert judge(Syntax(["java"]), asked).status is Status.SKIPPED
    moved = (change("A.java", None, newer), change("B.java", newer))
    assert codes(judge(Syntax(), subject(*moved))) == []


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("a.json", ""),
        ("a.json", '{"a": NaN}'),
        ("a.json", '{\n"NaN": [-Infinity]}'),
        ("a.json", b'{"a": "\xe9"}'),
        ("a.toml", b'a = "\xe9"\n'),
        ("a.json", "[" * 100_000),
    ],
)
def test_data_that_only_python_reads_is_found(path, data):
    assert found(path, data) == ["syntax"]
    if data:
        assert found(path, data, data) == []


def test_a_byte_that_is_no_utf_8_is_found_at_its_place():
    (finding,) = judge(Syntax(), subject(change("a.toml", b"a = 1\n# \xe9\n"))).findings
    assert (finding.line, finding.column) == (2, 3)
    assert "0xe9" in finding.message


def test_what_a_notebook_gave_may_be_no_number():
    assert found("a.ipynb", '{"cells": [], "a": NaN}') == []


def test_json_that_had_comments_before_is_read_with_them():
    before = '{ // said\n"a": 1}'
    assert found("own.json", '{ // more\n"a": 1, // and\n}', before) == []
    assert found("own.json", '{ // more\n"a": }', before) == ["syntax"]


@pytest.mark.parametrize("run", ["{{ ", "}} ", "{% ", "{# ", "{{ a }}", " ", "\n", "a: {{ "])
def test_a_template_of_a_megabyte_is_read_in_one_go(run):
    data = (run * (1_000_000 // len(run))).encode()
    assert is_template(data) in {True, False}
    assert len(without_actions(data)) == len(data)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("A.java", "import module java.base;\n\nvoid main() {\n}\n"),
        (
            "A.java",
            "class A extends B {\n  A(int a) {\n    if (a < 0) f();\n    super(a);\n  }\n}\n",
        ),
        ("A.java", "class A {\n  A(int a) {\n    f();\n    this();\n  }\n}\n"),
        ("a.rs", 'fn f() {\n    a.b(str![[r#"\n[x\n"#]]).c(str![""]);\n}\n'),
        ("a.rs", '#!/usr/bin/env cargo\n---\n[dependencies]\na = "1"\n---\nfn main() {}\n'),
    ],
)
def test_what_is_newer_than_its_grammar_is_read(path, text):
    assert found(path, text) == []
    assert "syntax" in found(path, f"{text}}}\n")


@pytest.mark.parametrize(
    "text",
    ["- " * 300, "? " * 300, "".join(" " * n + "a:\n" for n in range(300))],
    ids=["items", "keys", "levels"],
)
def test_yaml_that_is_deeper_than_its_grammar_can_hold_is_a_skip(text):
    """255 levels in 510 bytes brought the process down."""
    result = judge(Syntax(), subject(change("a.yaml", text)))
    assert (result.status, "100 columns" in result.saw) == (Status.SKIPPED, True)
    assert codes(judge(Syntax(), subject(change("a.yaml", "- " * 20 + "a\n")))) == []
