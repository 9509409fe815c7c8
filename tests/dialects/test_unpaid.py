"""An account that has nothing left is known, whatever its vendor calls it."""

import json

import pytest

from halfdoor.dialects.unpaid import unpaid


def said(**error):
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (402, b"<html>payment required</html>"),
        (429, said(message="You exceeded …", type="insufficient_quota", code="insufficient_quota")),
        (429, said(message="suspended", type="exceeded_current_quota_error")),
        (403, b'{"code":"denied","error":"Your team has used all available credits or reached"}'),
        (400, said(message="Your credit balance is too low to access the Anthropic API.")),
        (400, said(message="You have reached your specified workspace API usage limits.")),
    ],
)
def test_an_empty_account_is_known_under_each_vendors_status(status, body):
    assert unpaid(status, body)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, said(message="You exceeded your current quota: 10 requests a minute", code=429)),
        (400, said(message="messages: at least one message is required")),
        (500, said(message="Your credit balance is too low")),
        (403, b"no JSON: credit balance is too low"),
        (400, b"{}"),
    ],
)
def test_another_trouble_is_not_taken_for_an_empty_account(status, body):
    assert not unpaid(status, body)
