"""Budgets over a socket: whose they are is the token's word, and each dialect tells of the end."""

import http.client
import json
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Counts, Say, Scene
from tests.money.invoice import PRICES, invoice

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
CHAT = {"model": "sonnet", "messages": HI, "max_tokens": 20}
# Of each dialect: its path, a request, and where its errors have their words.
TONGUES = {
    "openai_chat": ("/v1/chat/completions", CHAT, ("error", "message")),
    "anthropic_messages": ("/v1/messages", CHAT, ("error", "message")),
    "openai_responses": (
        "/v1/responses",
        {"model": "sonnet", "input": "hi", "max_output_tokens": 20},
        ("error", "message"),
    ),
    "ollama": (
        "/api/chat",
        {"model": "sonnet", "messages": HI, "stream": False, "options": {"num_predict": 20}},
        ("error",),
    ),
}
LIMIT_USD = 0.003
SECRETS = {"HD_ANN": "a-secret", "HD_BEN": "b-secret", "HD_EVE": "e-secret"}
TOKENS = [
    {"name": "ann-laptop", "env": "HD_ANN", "person": "ann", "team": "web"},
    {"name": "ben-laptop", "env": "HD_BEN", "person": "ben", "team": "web"},
    {"name": "eve-laptop", "env": "HD_EVE", "person": "eve", "team": "data"},
]


@pytest.fixture
def vendor():
    with FakeModel() as started:
        started.default = Scene((Say("hi"),), None, Counts(20, 0, 0, 10))
        yield started


def door(vendor, **budget):
    return gateway(
        backends=[backend("vendor", vendor, "anthropic_messages", "cloud")],
        models=[model("sonnet", "vendor", "claude-x", price=PRICES)],
        tokens=TOKENS,
        budgets=[{"limit_usd": LIMIT_USD, "period": "month", **budget}],
        environment=SECRETS,
    )


def ask(url, who, dialect="anthropic_messages"):
    """Status and body of one request with somebody's token."""
    path, body, _ = TONGUES[dialect]
    headers = {"content-type": "application/json", "authorization": f"Bearer {SECRETS[who]}"}
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def spent(url, who):
    """Ask until nothing is left; how often it was answered."""
    for count in range(100):
        status, _ = ask(url, who)
        if status != 200:
            return count
    raise AssertionError("the budget never ended")


def test_two_persons_with_two_tokens_have_a_budget_each(vendor):
    with gateway_for_persons(vendor) as started:
        first = spent(started.url, "HD_ANN")
        assert spent(started.url, "HD_BEN") == first > 1
        assert ask(started.url, "HD_ANN")[0] == 400
    assert invoice(vendor.seen) <= 2 * LIMIT_USD * 10**12


def gateway_for_persons(vendor):
    return door(vendor, name="each-person", each="person")


def test_a_team_has_one_budget_whoever_of_it_asks(vendor):
    with door(vendor, name="web", match={"team": "web"}) as started:
        spent(started.url, "HD_ANN")
        assert ask(started.url, "HD_BEN")[0] == 400
        assert ask(started.url, "HD_EVE")[0] == 200


@pytest.mark.parametrize("dialect", TONGUES)
def test_every_dialect_hears_whose_budget_ended_what_is_left_and_until_when(vendor, dialect):
    _, _, place = TONGUES[dialect]
    with gateway_for_persons(vendor) as started:
        spent(started.url, "HD_ANN")
        status, said = ask(started.url, "HD_ANN", dialect)
        assert ask(started.url, "HD_BEN", dialect)[0] == 200
    for key in place:
        said = said[key]
    assert status == 400
    assert "budget `each-person` (0.0030 USD a month) of person `ann` has 0.00" in said
    assert "left until 20" in said
    assert "[[budgets]]" in said
