import pytest

from halfdoor.reading.languages import LANGUAGES, of_paths, paths_in, several, spoken_of, words


def spoken(text):
    said = words(text)
    return spoken_of(text, said, tuple(paths_in(said)))


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("look at src/app.py:12, please", ("python",)),
        ("`lib/cart.RB` and (web/main.tsx).", ("ruby", "typescript")),
        ("```rust\nfn main() {}\n```", ("rust",)),
        ("rewrite it in Go", ("go",)),
        ("go on", ()),
        ("a C program", ()),
        ("port it to C", ("c",)),
        ("C++ or C#?", ("cpp", "csharp")),
        ("die Python-Funktion", ("python",)),
        ("write a SQL query", ("sql",)),
        ("no SQL injection in db.py", ("python",)),
        ("javascript is not java", ("java", "javascript")),
        ("List.vue.ts", ("typescript",)),
        ("README.md and data.json", ()),
        ("see example.com/a.b", ()),
        ("", ()),
    ],
)
def test_a_text_speaks_of_these_languages(text, languages):
    assert spoken(text) == languages


def test_files_are_known_by_their_suffix():
    assert of_paths(["/a/b.PY", "Makefile", "x.tar.gz", "c.go"]) == ("go", "python")


@pytest.mark.parametrize(
    ("languages", "is_several"),
    [
        ((), False),
        (("python",), False),
        (("go", "python"), True),
        (("css", "html", "typescript"), False),
        (("javascript", "typescript"), False),
        (("python", "sql"), False),
        (("python", "typescript"), True),
    ],
)
def test_languages_that_go_together_are_one(languages, is_several):
    assert several(languages) is is_several
    assert set(languages) <= LANGUAGES
