"""A line or message that a key stands in is not repeated, whichever check it is of."""

import base64

import pytest

from halfdoor.canon.checks import Finding, Result, Status
from halfdoor.reading.engine import Engine
from halfdoor.reading.secret_formats import FORMATS
from halfdoor.verify.veil import UNSAID, Veil
from tests.helpers.checks import change
from tests.helpers.house import AWS_KEY

BODY = [base64.b64encode(bytes(range(n, n + 48))).decode() for n in range(0, 120, 7)]
PEM = ["-----BEGIN RSA PRIVATE KEY-----", *BODY, "-----END RSA PRIVATE KEY-----", "x = 1"]


def veil(*lines, engine=lambda _size: Engine(FORMATS, native=False)):
    return Veil(engine, [change("a.py", "\n".join(lines), None)])


def finding(message, hint="", line=1, code="F821"):
    return Result("lint", Status.FAILED, (Finding("lint", "a.py", line, 1, code, message, hint),))


def messages(covered):
    return [said for result in covered for f in result.findings for said in (f.message, f.hint)]


def test_a_line_with_a_key_is_not_shown_and_its_neighbours_are():
    covered = veil("x = 1", f"key = '{AWS_KEY}' + nope", "y = 2")
    assert [covered.line("a.py", n) for n in range(5)] == ["", "x = 1", "", "y = 2", ""]


def test_no_line_of_a_private_key_is_shown():
    """Only its first line has the form."""
    covered = veil(*PEM)
    shown = [covered.line("a.py", n) for n in range(1, len(PEM) + 1)]
    assert shown[-1] == "x = 1"
    assert not any(line in shown for line in BODY)


def test_a_private_key_that_is_cut_off_hides_all_that_follows():
    assert not any(veil(*PEM[:-2]).line("a.py", n) for n in range(1, len(PEM)))


@pytest.mark.parametrize(
    "said",
    [
        f"expected `int`, got `Literal['{AWS_KEY}']`",
        f"left out: `# ... existing code {AWS_KEY[:14]}",
        f"tail: {AWS_KEY[-13:]}`",
    ],
)
def test_a_message_or_hint_that_repeats_a_key_whole_or_cut_is_not_said(said):
    covered = veil(f"key = '{AWS_KEY}'").over((finding(said), finding("fine", said)))
    assert messages(covered) == [UNSAID, "", "fine", UNSAID]


def test_what_a_check_saw_is_not_said_with_a_key_in_it():
    (covered,) = veil("x").over((Result("tests", Status.SKIPPED, (), f"ended: {AWS_KEY}"),))
    assert covered.saw == UNSAID


def test_what_repeats_no_key_is_said():
    results = (finding("Undefined name `x`", "define it"), Result("a", Status.PASSED, (), "1 file"))
    assert veil(f"key = '{AWS_KEY}'").over(results) == results


def test_of_a_file_with_restricted_text_no_line_is_shown():
    covered = veil("amount = 1", "y = 2")
    covered.over((finding("kept on the device", line=1, code="restricted"),))
    assert covered.line("a.py", 2) == ""


def test_without_an_engine_nothing_is_shown():
    def broken(_size):
        raise OSError("no library")

    covered = veil("x = 1", engine=broken)
    assert messages(covered.over((finding("said"),))) == [UNSAID, ""]
    assert covered.line("a.py", 1) == ""
