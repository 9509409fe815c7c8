import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.cli.policy.denials import read_denials
from halfdoor.cli.policy.ignores import (
    FLAVOURS,
    NEGATED,
    NEVER_NEGATED,
    Drafted,
    Unsaid,
    drafted,
    read_ignore,
)
from halfdoor.config.check import glob_trouble
from halfdoor.detect.paths import PathDetector
from halfdoor.reading.passages import Passage

KINDS = {flavour.file: flavour for flavour in FLAVOURS}


def globs(text, *, file=".cursorignore", folder=""):
    name = f"{folder}/{file}" if folder else file
    return list(read_ignore(KINDS[file], name, folder, text))


# What a line becomes, and whether its note says that the rule holds more.
LINES = [
    ("secrets", "secrets/**", ""), ("secrets/", "secrets/**", ""), ("*.pem", "*.pem/**", ""),
    ("/secrets", "secrets/**", "any depth"), ("a/b", "a/b/**", "any depth"),
    ("a/**", "a/**", "any depth"), ("a/*", "a/*/**", "any depth"), ("**/a", "a/**", ""),
    ("**/a/b", "a/b/**", ""), ("a/**/b", "a/**/b/**", "any depth"), ("/**/a", "a/**", ""),
    ("*", "**", ""), ("**", "**", ""), ("/*", "**", ""), ("/**", "**", ""), ("*/", "**", ""),
    ("a**b", "a*b/**", ""), ("a***", "a*/**", ""), ("a/**/**/b", "a/**/b/**", "any depth"),
    ("\\#a", "#a/**", ""), ("\\!a", "!a/**", ""), ("a\\ ", "a /**", ""), ("a  ", "a/**", ""),
    ("a b", "a b/**", ""), ("\\*.py", "*.py/**", "escaped"), ("a\\[b]", "a[b]/**", ""),
    ("a\\\\b", "a?b/**", "escaped"), ("k[0-9].pem", "k?.pem/**", "any character"),
    ("[!a]x", "?x/**", "any character"), ("[]a]x", "?x/**", "any character"),
    ("[[:alpha:]]x", "?x/**", "any character"), ("a[b", "a[b/**", ""), ("./a", "a/**", "step"),
    ("a//b", "a/b/**", "step"), ("~a", "**/~a/**", ""), ("C:x", "**/C:x/**", ""),
    ("${HOME}/x", "?{HOME}/x/**", "any character"), ("größe", "größe/**", ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "glob", "note"), LINES)
def test_a_line_becomes_a_glob_that_holds_at_least_as_much(line, glob, note):
    (found,) = globs(line + "\n")
    assert isinstance(found, Drafted)
    assert found.glob == glob
    assert bool(found.note) == bool(note)
    assert note in found.note
    assert glob_trouble(glob) == ""


UNSAID = [
    ("!keep", NEGATED), ("a\\", "lone backslash"), ("../a", "`..` step"), ("/", "names nothing"),
    ("a\x1b[31m", "cannot be shown"), ("a\u202eb", "cannot be shown"), ("a" * 400, "too long"),
    ("a\udcff", "cannot be shown"), ("./", "names nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "why"), UNSAID)
def test_a_line_that_no_rule_can_express_is_told_with_its_place(line, why):
    (found,) = globs(f"\n# a comment\n{line}\n")
    assert isinstance(found, Unsaid)
    assert found.where == ".cursorignore:3"
    assert why in found.why


def test_a_file_in_a_folder_speaks_of_that_folder():
    found = globs("/a\nb\n*\nc/d\n**/e\n", folder="web/app")
    assert [one.glob for one in found] == [
        "web/app/a/**", "web/app/**/b/**", "web/app/**", "web/app/c/d/**", "web/app/**/e/**",
    ]  # fmt: skip
    assert [one.where for one in found][:2] == [
        "web/app/.cursorignore:1",
        "web/app/.cursorignore:2",
    ]


@pytest.mark.parametrize(("folder", "glob"), [("", "**"), ("web", "web/**")])
@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n"])
def test_an_empty_aiexclude_hides_everything_below_it_and_other_empty_files_nothing(
    text, folder, glob
):
    (found,) = globs(text, file=".aiexclude", folder=folder)
    assert found.glob == glob
    assert "empty" in found.note
    assert globs(text, file=".aiignore") == []


def test_an_aiexclude_knows_no_negation():
    (found,) = globs("!a\n", file=".aiexclude")
    assert found.why == NEVER_NEGATED


def test_a_file_without_end_is_cut_and_says_so():
    found = globs("a\n" * 10_001)
    assert len(found) == 10_001
    assert "more than 10,000 lines" in found[-1].why


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet="ab*?[]!\\/. #~:$\u00f6\t", max_size=12), st.sampled_from(["", "a", "a/b*"])
)
def test_any_line_is_drafted_or_told_and_a_draft_always_loads(line, folder):
    for one in globs(line.replace("\n", " "), folder=folder):
        if isinstance(one, Drafted):
            assert glob_trouble(one.glob) == ""
            assert "${" not in one.glob
        else:
            assert one.why


DENIED = [
    ("Read(./secrets/**)", ["secrets/**"]), ("Read(./.env)", [".env/**"]), ("Read(.env.*)", [".env.*/**"]),
    ("Read(**/*.key)", ["*.key/**"]), ("Read(~/.ssh/**)", [".ssh/**"]), ("Read(/config/x)", ["config/x/**"]),
    ("Read(//etc/passwd)", ["etc/passwd/**"]), ("Read", ["**"]), ("Edit(./pay/**)", ["pay/**"]),
    ("Write(a)", ["a/**"]), ("Grep(secrets/**)", ["secrets/**"]), ("Bash(cat ./secrets/*)", ["secrets/*/**"]),
    ("Bash(cat .env:*)", [".env/**"]), ("Bash(cat a.txt b.txt)", ["a.txt/**", "b.txt/**"]),
    ("Bash(grep -rn KEY config/)", ["config/**"]), ("Bash(head -n 5 'my file')", ["my file/**"]),
    ("Bash(cat x | base64)", ["x/**"]), ("Bash(/bin/cat x)", ["x/**"]),
    ("Bash(cat:*)", []), ("Bash(cat *)", []), ("Bash(curl:*)", []), ("Bash", []), ("Bash(rm -rf x)", []),
    ("WebFetch(domain:x.com)", []), ("mcp__shop__read", []), ("Read(", []), ("", []), ("Read(../x)", []),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "expected"), DENIED)
def test_a_deny_rule_becomes_globs_or_is_told(rule, expected):
    import json

    text = json.dumps({"permissions": {"deny": [rule]}}, indent=1)
    found = list(read_denials(".claude/settings.json", text))
    assert [one.glob for one in found if isinstance(one, Drafted)] == expected
    assert found
    assert {one.where for one in found} == {".claude/settings.json:4"}
    assert expected or isinstance(found[0], Unsaid)


def test_a_denied_write_says_that_it_says_nothing_about_reading():
    (found,) = read_denials("s.json", '{"permissions": {"deny": ["Edit(x)"]}}')
    assert isinstance(found, Drafted)
    assert "it denies writing" in found.note


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"permissions": 1}', '{"permissions": {"deny": "Read"}}', "[" * 9999]
)
def test_settings_that_are_none_raise_and_say_nothing(text):
    with pytest.raises(ValueError):
        list(read_denials("s.json", text))


def test_settings_without_denials_and_odd_ones_are_read():
    assert list(read_denials("s.json", '{"model": "x"}')) == []
    assert isinstance(next(iter(read_denials("s.json", '{"permissions":{"deny":[1]}}'))), Unsaid)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("secrets", "secrets/a/b.txt"), ("*.pem", "keys/x.pem"), ("k[0-9]", "k7"), ("/a/*", "a/b/c"),
        ("\\*.py", "*.py"), ("a\\\\b", "a\\b"), ("${HOME}/x", "${HOME}/x"), ("Secrets/", "secrets/X"),
    ],
)  # fmt: skip
def test_what_a_line_hides_the_detector_labels(line, path):
    one = drafted(line, "f:1", line)
    assert isinstance(one, Drafted)
    if "\\" not in path:  # a detector reads backslashes as slashes
        assert PathDetector((one.glob,)).find(Passage("", paths=(path,)))
