"""A commit that a tool helped with names its exchange, and the exchange exists."""

import pytest

from halfdoor.canon.checks import Commit, Status
from halfdoor.verify.trace import Trace, Traced
from tests.helpers.checks import change, codes, judge, subject

ID = "hd_" + "0" * 26
CLAUDE = ("Co-Authored-By", "Claude <noreply@anthropic.com>")


HELD = Traced("2026-11-21T10:00:00.500Z", "answered")


def result(*trailers, author="ada@example.org", look=lambda _id: HELD, time=""):
    made = Commit("c" * 40, author, trailers, ("a.py",), time)
    asked = subject(change("a.py", "x"), commits=(made,))
    return judge(Trace(required=True, look=look), asked)


def found(*trailers, **more):
    return codes(result(*trailers, **more))


@pytest.mark.parametrize(
    ("trailers", "expected"),
    [
        ((), []),
        ((CLAUDE,), ["untraced"]),
        ((CLAUDE, ("Halfdoor-Exchange", ID)), []),
        ((("halfdoor-exchange", ID),), []),
        ((("Halfdoor-Exchange", "hd_1"),), ["no-exchange"]),
        ((("Assisted-by", "aider (gpt)"),), ["untraced"]),
        ((("Co-authored-by", "Claudia Cursorelli <c@example.org>"),), []),
    ],
)
def test_a_commit_that_a_tool_helped_with_names_its_exchange(trailers, expected):
    assert found(*trailers) == expected


def test_people_who_are_called_like_a_tool_need_no_exchange():
    """They had "a coding tool's help", by a first name."""
    people = (
        ("Co-authored-by", "Jules Martin"),
        ("Co-authored-by", "Claude Monet <c@example.org>"),
    )
    assert found(*people, author="devin@example.com") == []


def test_a_bots_own_commit_is_a_tools():
    assert found(author="some-agent[bot]@users.noreply.example.org") == ["untraced"]


NAMED = ("Halfdoor-Exchange", ID)


@pytest.mark.parametrize(
    ("held", "time", "said"),
    [
        (None, "", "not in the log"),
        (Traced("2026-11-21T10:00:00Z", "refused"), "", "gave no answer (refused)"),
        (Traced("2026-11-21T10:00:00Z", "failed"), "", "gave no answer (failed)"),
        (HELD, "2026-11-21T09:59:59.000Z", "began after the commit"),
    ],
)
def test_an_exchange_that_cannot_have_given_the_lines_is_none(held, time, said):
    judged = result(NAMED, look=lambda _id: held, time=time)
    assert codes(judged) == ["no-exchange"]
    assert said in judged.findings[0].message


@pytest.mark.parametrize("outcome", ["answered", "hung-up", ""])
def test_an_exchange_that_was_answered_before_the_commit_can(outcome):
    held = Traced("2026-11-21T10:00:00.500Z", outcome)
    judged = result(NAMED, look=lambda _id: held, time="2026-11-21T10:00:00.000Z")
    assert codes(judged) == []
    assert "that their answers held these lines is not kept" in judged.saw


def test_an_exchange_that_nothing_here_can_look_up_was_not_judged():
    """It passed with "no log here": whoever made the id up passed, too."""
    assert result(NAMED, look=None).status is Status.SKIPPED
    assert result(look=None).status is Status.PASSED
    assert found(CLAUDE, look=None) == ["untraced"]


def test_without_commits_or_without_the_setting_there_is_nothing_to_judge():
    asked = subject(change("a.py", "x"))
    assert judge(Trace(required=True), asked).status is Status.NOT_APPLICABLE
    committed = subject(change("a.py", "x"), commits=(Commit("c" * 40, "a@b", (CLAUDE,)),))
    assert judge(Trace(required=False), committed).status is Status.NOT_APPLICABLE


def test_a_log_that_cannot_be_read_skips_the_check():
    def broken(_id):
        raise OSError("no such disk")

    asked = subject(
        change("a.py", "x"), commits=(Commit("c" * 40, "a@b", (("Halfdoor-Exchange", ID),)),)
    )
    assert judge(Trace(required=True, look=broken), asked).status is Status.SKIPPED
