import io
import json
import sys

import pytest

from halfdoor.cli.scan import masked

# Made up, in the form of an AWS access key id.
KEY = "AKIA" + "Q3EGRX7ZT5MVWY2K"
LINE = f"aws_access_key_id = {KEY}\n"


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    (root / "src").mkdir(parents=True)
    (root / "src" / "clean.py").write_text("print('hello')\n")
    return root


def test_a_clean_tree_is_0(halfdoor, tree):
    assert halfdoor("scan", tree) == (0, "", "0 findings in 1 text\n")


def test_a_secret_is_3_with_its_place_and_never_itself(halfdoor, tree):
    (tree / "src" / "keys.py").write_text("# keys\n" + LINE)
    said = halfdoor("scan", tree)
    assert said.code == 3
    assert f"{tree / 'src' / 'keys.py'}:2:21: aws" in said.out
    assert KEY[:4] in said.out
    assert KEY[:6] not in said.out


def test_json_lists_the_same(halfdoor, tree):
    (tree / "keys.py").write_text(LINE)
    said = halfdoor("scan", tree, "--json")
    (found,) = json.loads(said.out)
    assert (said.code, found["line"], found["column"]) == (3, 1, 21)
    assert KEY not in said.out


def test_no_findings_are_an_empty_list(halfdoor, tree):
    assert json.loads(halfdoor("scan", tree, "--json").out) == []


def test_standard_input_is_read(halfdoor, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
    said = halfdoor("scan", "-")
    assert said.code == 3
    assert said.out.startswith("(standard input):1:21: ")


def test_dependencies_binaries_and_links_are_left_out(halfdoor, tree):
    for folder in (".git", "node_modules", ".venv"):
        (tree / folder).mkdir()
        (tree / folder / "keys.py").write_text(LINE)
    (tree / "picture").write_bytes(b"\x89\0" + LINE.encode())
    (tree / "link").symlink_to(tree / ".git" / "keys.py")
    assert halfdoor("scan", tree).code == 0


def test_a_large_file_is_named_and_read_when_it_is_asked_for(halfdoor, tree):
    large = tree / "large.txt"
    large.write_text(LINE + "#\n" * 2_500_001)
    said = halfdoor("scan", tree)
    assert said.code == 0
    assert "larger than 5 MB" in said.err
    assert halfdoor("scan", large).code == 3


def test_a_person_hears_how_much_was_read(halfdoor, tree):
    (tree / "keys.py").write_text(LINE)
    assert halfdoor("scan", tree).err == "1 finding in 2 texts\n"
    assert halfdoor("scan", tree, "--json").err == ""


def test_what_is_not_there_is_an_error(halfdoor, home):
    said = halfdoor("scan", home / "absent")
    assert said.code == 1
    assert "absent: cannot be read" in said.err


@pytest.mark.parametrize(
    ("secret", "shown"), [("", "…"), ("abc", "…"), ("a" * 8, "aa…"), ("\x1b" * 99, "????…")]
)
def test_at_most_a_quarter_is_shown(secret, shown):
    assert masked(secret) == shown


def test_a_file_name_that_would_steer_a_terminal_is_shown_without_that(halfdoor, tree):
    (tree / "a\x1b[2Jb.py").write_text(LINE)
    said = halfdoor("scan", tree)
    assert "a?[2Jb.py:1:21: aws" in said.out
    assert "\x1b" not in said.out
