"""A key that a change brings is found and never repeated; one that was there is the past's."""

import pytest

from halfdoor.canon.checks import Commit, Status
from halfdoor.reading.engine import Engine
from halfdoor.reading.secret_formats import FORMATS
from halfdoor.verify.secrets import Secrets
from tests.helpers.checks import change, codes, judge, subject
from tests.helpers.house import AWS_KEY

CHECK = Secrets(lambda _size: Engine(FORMATS, native=False))
NOISE = bytes(n for n in range(256) if n != 10) * 4
LINE = f"key = '{AWS_KEY}'\n"


def found(after, before=None, path="a.py"):
    return codes(judge(CHECK, subject(change(path, after, before))))


def test_a_planted_key_is_found_at_its_place_and_not_repeated():
    (finding,) = judge(CHECK, subject(change("a.env", "x\n" + LINE))).findings
    assert (finding.line, finding.column, finding.cwe) == (2, 8, "CWE-798")
    assert AWS_KEY not in str(finding)
    assert finding.code in finding.message


def test_a_key_that_was_there_is_not_the_changes_doing_and_a_second_one_is():
    assert found("y = 1\n" + LINE, LINE) == []
    assert len(found(LINE + LINE, LINE)) == 1


@pytest.mark.parametrize("data", [None, b""])
def test_where_nothing_was_written_there_is_nothing_to_judge(data):
    assert judge(CHECK, subject(change("a", data))).status is Status.NOT_APPLICABLE


def test_text_that_is_no_utf_8_is_scanned_all_the_same():
    assert len(found(b"\xff\xfe " + LINE.encode())) == 1


@pytest.mark.parametrize(
    "data",
    [
        ("x\n" + LINE).encode("utf-16"),
        ("x\n" + LINE).encode("utf-16-be"),
        ("x\n" + LINE).encode("utf-32"),
        b"x\n" + LINE.encode("utf-16-le"),
        b"x\0\n" + LINE.encode(),
        b"\xff\xfe\n" + LINE.encode(),
        NOISE + b"\n" + LINE.encode() + NOISE,
        NOISE + b"\n\1" + LINE.encode("utf-16-le") + NOISE,
    ],
    ids=[
        "utf-16",
        "utf-16 without a mark",
        "utf-32",
        "both",
        "a NUL",
        "a false mark",
        "a program",
        "a program's wide text",
    ],
)
def test_a_key_in_a_file_with_nul_bytes_is_found(data):
    """They were taken for no text, and passed."""
    (finding,) = judge(CHECK, subject(change("u.ps1", data))).findings
    assert (finding.code, finding.line) == ("aws-access-key-id", 2)


def test_a_key_that_was_there_in_utf_16_is_the_pasts():
    had = LINE.encode("utf-16")
    assert found(had + "y\n".encode("utf-16-le"), had) == []


def committed(*texts, final="x\n"):
    """The findings where commits left `a.py` so, one after the other, and it now is `final`."""
    befores = ("x\n", *texts)
    commits = [
        Commit(f"{n}" * 40, "ada@example.org", passed=(change("a.py", after, before),))
        for n, (before, after) in enumerate(zip(befores, texts, strict=False), 1)
    ]
    return judge(CHECK, subject(change("a.py", final, "x\n"), commits=tuple(commits))).findings


def test_a_key_that_a_later_commit_took_out_is_found_in_the_history():
    """A range passed of which one commit held a key: whoever has the branch has it."""
    (finding,) = committed("x\n" + LINE, "x\ny\n" + LINE)
    assert (finding.path, finding.line) == ("a.py", 0)
    assert "commit 111111111111 wrote this on line 2, a later one took it back" in finding.message
    assert AWS_KEY not in str(finding)


def test_a_key_that_is_still_there_is_told_once():
    (finding,) = committed("x\n" + LINE, final="x\n\n" + LINE)
    assert finding.line == 3


def test_a_key_that_a_program_held_is_the_pasts_wherever_it_now_lies():
    had = NOISE + LINE.encode() + NOISE
    assert found(NOISE + b"\n\n" + had, had) == []
    assert len(found(had + NOISE, NOISE)) == 1


def test_restricted_text_is_found_by_whoever_knows_it():
    check = Secrets(
        lambda _size: Engine(FORMATS, native=False), lambda: lambda _path, text: ["path:pay/**"]
    )
    (finding,) = judge(check, subject(change("a.py", "amount = 1\n"))).findings
    assert (finding.code, "path:pay/**" in finding.message) == ("restricted", True)


def test_an_engine_that_cannot_be_made_skips_the_check():
    def broken(_size):
        raise OSError("no library")

    result = judge(Secrets(broken), subject(change("a.py", "x = 1\n")))
    assert result.status is Status.SKIPPED
