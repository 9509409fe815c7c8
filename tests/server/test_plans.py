"""Flat plans over a socket: what they pay for, what their vendors say, and what a full one does."""

import asyncio
import http.client
import json
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from halfdoor.store.books import Books
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Counts, Refuse, Say, Scene
from tests.money.invoice import PRICES, bill, invoice

pytestmark = pytest.mark.usefixtures("loopback")

COUNTS = Counts(20, 0, 0, 10)
NO_MONEY = [{"name": "team", "limit_usd": 0, "period": "month", "mode": "hard"}]
SPENT = (("anthropic-ratelimit-unified-5h-utilization", "1.0"),)


@pytest.fixture
def vendor():
    with FakeModel() as started:
        started.default = Scene((Say("hi"),), None, COUNTS)
        yield started


@pytest.fixture
def near():
    with FakeModel() as started:
        started.default = Scene((Say("hi"),))
        yield started


def door(vendor, near=None, budgets=(), **plan):
    nearby = [backend("near", near, "openai_chat")] if near else []
    return gateway(
        backends=[backend("vendor", vendor, "anthropic_messages", "cloud"), *nearby],
        models=[
            model("sonnet", "vendor", "claude-x", price=PRICES),
            *([model("qwen", "near", "q")] if near else []),
        ],
        plans=[{"name": "max", "usd": 200, "backends": ["vendor"], **plan}],
        budgets=list(budgets),
    )


def limit(**more):
    return [{"window": "5h", **more}]


def ask(url, name="auto"):
    """Status, headers and body of one request."""
    said = [{"role": "user", "content": "hi"}]
    body = {"model": name, "max_tokens": 20, "messages": said}
    headers = {"content-type": "application/json"}
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request("POST", "/v1/messages", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()


def booked(state):
    """Cost and worth of all exchanges, once each has its outcome."""
    for _ in range(200):
        with Books(state) as books:
            books.catch_up()
            lines, pending = list(books.lines()), list(books.pending())
        if not pending:
            return sum(e.sum.cost for e in lines), sum(e.sum.worth for e in lines)
        time.sleep(0.05)
    raise AssertionError("an exchange has no outcome")


def test_a_plan_pays_under_a_hard_budget_that_has_nothing(vendor):
    with door(vendor, budgets=NO_MONEY, limits=limit(requests=2)) as started:
        for said in ("max, 0% of 5h", "max, 50% of 5h"):
            status, headers, _ = ask(started.url)
            assert (status, headers["x-halfdoor-plan"]) == (200, said)
        status, _, body = ask(started.url)
        assert status == 400
        assert "plan `max` (200.00 USD a month) of `sonnet` has used 2 of 2 requests" in body
        assert booked(started.state) == (0, invoice(vendor.seen))


def test_beyond_a_full_plan_the_next_permitted_model_answers(vendor, near):
    with door(vendor, near, limits=limit(requests=1)) as started:
        answered = [ask(started.url)[1]["x-halfdoor-model"] for _ in range(3)]
    assert answered == ["sonnet", "qwen", "qwen"]


def test_beyond_a_plan_that_stops_nobody_else_is_asked(vendor, near):
    with door(vendor, near, beyond="stop", limits=limit(requests=1)) as started:
        assert ask(started.url)[0] == 200
        assert ask(started.url)[0] == 400
        assert ask(started.url, "qwen")[0] == 200
    assert len(near.seen) == 1


async def test_of_64_at_once_a_plan_pays_for_as_many_as_it_may_and_the_rest_is_billed(vendor):
    with_budget = [{"name": "team", "limit_usd": 10, "period": "month"}]
    plan = {"beyond": "pay", "limits": limit(requests=40)}
    async with door(vendor, budgets=with_budget, **plan) as started:
        asking = (asyncio.to_thread(ask, started.url) for _ in range(64))
        assert {status for status, _, _ in await asyncio.gather(*asking)} == {200}
        cost, worth = await asyncio.to_thread(booked, started.state)
    each = bill(vendor.seen[0])
    assert (cost, worth) == (24 * each, 40 * each)


def test_a_paying_plan_of_unknown_use_needs_a_budget_until_its_vendor_speaks(vendor):
    with door(vendor, budgets=NO_MONEY, beyond="pay") as started:
        status, _, body = ask(started.url)
    assert status == 400
    assert "budget `team`" in body
    end = (("anthropic-ratelimit-unified-5h-reset", str(int(time.time()) + 600)),)
    half = (("anthropic-ratelimit-unified-5h-utilization", "0.5"), *end)
    with door(vendor, beyond="pay") as started:
        vendor.play(Scene((Say("hi"),), None, COUNTS, headers=half))
        told = [ask(started.url)[1]["x-halfdoor-plan"] for _ in range(2)]
        assert told == ["max, use not known: at list price", "max, 50% of 5h"]
        assert booked(started.state) == (bill(vendor.seen[0]), bill(vendor.seen[1]))


def test_a_vendor_that_says_its_window_is_used_up_is_not_asked_again_until_it_ends(vendor, near):
    end = (("anthropic-ratelimit-unified-5h-reset", str(int(time.time()) + 600)),)
    vendor.play(Scene(trouble=Refuse(429, "limit", (*SPENT, *end))))
    with door(vendor, near) as started:
        assert ask(started.url)[1]["x-halfdoor-model"] == "qwen"
        started.well_again()
        assert ask(started.url)[1]["x-halfdoor-model"] == "qwen"
        status, _, body = ask(started.url, "sonnet")
    assert status == 400
    assert "used all of 5h, as its vendor says" in body
    assert len(vendor.seen) == 1
