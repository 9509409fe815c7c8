"""A commit that a tool helped with names its exchange, and the exchange exists."""

import pytest

from halfdoor.canon.checks import Commit, Status
from halfdoor.verify.trace import Trace
from tests.helpers.checks import change, codes, judge, subject

ID = "hd_" + "0" * 26
CLAUDE = ("Co-Authored-By", "Claude <noreply@anthropic.com>")


def found(*trailers, author="ada@example.org", known=None):
    asked = subject(change("a.py", "x"), commits=(Commit("c" * 40, author, trailers, ("a.py",)),))
    return codes(judge(Trace(required=True, known=known), asked))


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


def test_a_bots_own_commit_is_a_tools():
    assert found(author="some-agent[bot]@users.noreply.example.org") == ["untraced"]


def test_an_exchange_that_the_log_does_not_have_is_none():
    assert found(("Halfdoor-Exchange", ID), known=lambda _id: False) == ["no-exchange"]
    assert found(("Halfdoor-Exchange", ID), known=lambda _id: True) == []


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
    assert judge(Trace(required=True, known=broken), asked).status is Status.SKIPPED
