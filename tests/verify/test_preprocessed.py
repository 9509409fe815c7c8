"""C whose grammar lost its way: brackets that pair under some choice of conditions are no fault."""

from contextlib import suppress

import pytest

from halfdoor.verify.preprocessed import Unsure, broken

WHOLE = [
    b"#ifdef A\nint f(int a\n#else\nint f(long a\n#endif\n) { return 0; }\n",
    b"#  ifdef A\nint f() {\n#endif\n#if !defined( A )\nint g() {\n#  endif\n}\n",
    b"#if X > 2\nvoid f() {\n#endif\n#if X <= 2\nvoid g() {\n#endif\n}\n",
    b"#ifndef A_H\n#define A_H\n#ifdef A\nstruct a {\n#endif\n#ifdef A\n}\n#endif\n#endif\n",
    b"#if 0\nthis isn't C ( at all {\n#endif\nint x;\n",
    b"#if defined(A) && (B || !C) // (\nint f(void) {\n#else\nint g(void) {\n#endif\nreturn 1; }\n",
    b"#if __has_include(<a.h>) && A(1, 2) == 3\n#endif\n",
    b"#define OPEN {\\\n  (\n#define X \"(\"\nint a = '{'; /* ( */ // [\nchar *s = \"\\\"{\";\n",
    b"int n = 1'000'000; auto s = R\"x(}}})\")x\"; auto t = u8R\"\"\"(})\"\"\";\n",
    b"int f() { return (struct p){1, 2}.x; } int g() { if (a) break; return\n 1; }\n",
    b"#define A (B - \\\r\n  (C))\r\nint x;\r\n",
    b"#if A // every a/*\nint x;\n#endif // A /* b\n",
    b"auto f = [] { return 1; };\n#\n#pragma omp parallel for (\nint x;\n",
]  # fmt: skip

BROKEN = [
    (b"#ifdef A\n#endif\nint main( {{{\n", 25, "`{` is never closed"),
    (b"int f() { return 0 }\n", 10, "`;` is missing after this"),
    (b"int f() { return (1; }\n", 19, ""),
    (b"#if A\nint f() { ]\n#else\nint f() { )\n#endif\n", 34, "`)` closes nothing"),
    (b"#if A\nint x;\n", 0, "`#endif` is missing for this"),
    (b"int x;\n#else\n", 7, "`#else` has no `#if`"),
    (b"int x; /* never ends\n}", None, ""),
    (b"#if 1\nint f( {\n#endif\n", 13, "`{` is never closed"),
]


@pytest.mark.parametrize("data", WHOLE)
def test_what_a_compiler_reads_is_whole(data):
    assert broken(data) is None


@pytest.mark.parametrize(("data", "offset", "said"), BROKEN)
def test_what_no_choice_of_conditions_mends_is_broken(data, offset, said):
    """One line with `#if` turned a whole file off, and a `;` that was missing never counted."""
    found = broken(data)
    if offset is None:
        assert found is None
    else:
        assert found is not None
        assert found.message.startswith(said or "`")
        assert abs(found.offset - offset) <= 3


def test_what_pairs_under_one_choice_only_is_told_by_nobody():
    with pytest.raises(Unsure):
        broken(b"#ifdef A\nint f() {\n#endif\n#ifdef B\n}\n#else\n#endif\n#ifdef C\n}\n#endif\n")


RUNS = [b"(", b"/* ", b'"\\"', b"'", b"#if (\n", b"#if !", b"#if (((", b'R"((', b"#if A\n#else\n", b"#if A\nx;\n",
        b"#define \\\n", b"0'", b"return ", b"#ifndef A\n", b"a", b" ", b"\\"]  # fmt: skip


@pytest.mark.parametrize("run", RUNS)
def test_code_of_half_a_megabyte_that_never_closes_is_read_in_one_go(run):
    with suppress(Unsure):
        broken(b"#if A\n" + run * (500_000 // len(run)))
