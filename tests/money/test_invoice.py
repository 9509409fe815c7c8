"""The ledger is the invoice, to the last pico-USD: under concurrency, cuts and kills."""

import asyncio
import http.client
import json
import random
import threading
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from halfdoor.store.books import Books
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Counts, Cut, ErrorEvent, Refuse, Say, Scene, Slow
from tests.helpers.serving import Serving
from tests.money.invoice import PRICES, bill, invoice

pytestmark = pytest.mark.usefixtures("loopback", "processes")

AT_ONCE = 64
WORDS = "word " * 60
TABLES: dict[str, Any] = {
    "models": [model("sonnet", "vendor", "claude-x", price=PRICES)],
    "budgets": [
        {"name": "all", "limit_usd": 1_000, "period": "month", "each": "model"},
        {"name": "warned", "limit_usd": 0.01, "period": "day", "mode": "warn"},
    ],
}


@pytest.fixture
def fake():
    with FakeModel() as started:
        yield started


def scene(chance):
    """An answer of random cost that ends, breaks, or is refused."""
    prompt = chance.randrange(10, 200_000)
    cached = chance.randrange(prompt)
    written = chance.randrange(prompt - cached)
    counts = Counts(prompt, cached, written, chance.randrange(2, 4_000))
    trouble = chance.choice(
        [None, None, Slow(0.001), Cut(6), ErrorEvent("broke", 7), Refuse(500, "x")]
    )
    return Scene((Say(WORDS),), trouble, counts)


def ask(url, events, *, stream=True):
    """One streamed request whose client hangs up after some events; None reads to the end."""
    body = {"model": "sonnet", "max_tokens": 4_000, "stream": stream}
    body["messages"] = [{"role": "user", "content": "hi"}]
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        headers = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
        connection.request("POST", "/v1/messages", json.dumps(body), headers)
        answer = connection.getresponse()
        if events is None:
            answer.read()
            return
        for _ in range(3 * events):
            if not answer.readline():
                return


def settled(state):
    with Books(state) as books:
        books.catch_up()
        return sum(line.sum.cost for line in books.lines()), list(books.pending())


async def test_64_streams_at_once_cost_what_the_provider_bills(fake):
    chance = random.Random(7)
    fake.play(*(scene(chance) for _ in range(3 * AT_ONCE)))
    with_cloud = [backend("vendor", fake, "anthropic_messages", "cloud")]
    async with gateway(backends=with_cloud, **TABLES) as door:
        asking = (asyncio.to_thread(ask, door.url, None) for _ in range(3 * AT_ONCE))
        await asyncio.gather(*asking)
        state = door.state
        told = await asyncio.to_thread(outcome_of_all, state, 3 * AT_ONCE)
    assert told == invoice(fake.seen)
    assert told > 0


async def test_clients_that_hang_up_pay_what_had_been_told_until_then(fake):
    chance = random.Random(8)
    counts = [Counts(chance.randrange(10, 9_999), 0, 0, 50) for _ in range(AT_ONCE)]
    fake.play(*(Scene((Say(WORDS),), Slow(0.02), each) for each in counts))
    with_cloud = [backend("vendor", fake, "anthropic_messages", "cloud")]
    async with gateway(backends=with_cloud, **TABLES) as door:
        asking = (asyncio.to_thread(ask, door.url, chance.randrange(3, 9)) for _ in counts)
        await asyncio.gather(*asking)
        told = await asyncio.to_thread(outcome_of_all, door.state, AT_ONCE)
    assert told == invoice(fake.seen)


def outcome_of_all(state, count):
    """The cost of all exchanges, once each has its outcome."""
    for _ in range(200):
        cost, pending = settled(state)
        if not pending:
            return cost
        time.sleep(0.05)
    raise AssertionError(f"some of {count} have no outcome")


def test_after_a_kill_only_what_was_under_way_differs_and_it_is_covered(fake, tmp_path):
    """The bill is what is settled and a part of what is held for the exchanges that were cut."""
    chance = random.Random(9)
    tables = {"backends": [backend("vendor", fake, "anthropic_messages", "cloud")], **TABLES}
    serving = Serving(tmp_path, tables)
    url = serving.start()
    fake.play(
        *(
            Scene((Say(WORDS),), None, Counts(chance.randrange(10, 300), 0, 0, 40))
            for _ in range(20)
        )
    )
    for _ in range(20):
        ask(url, None)
    slow = Counts(250, 0, 0, 40)
    fake.play(*(Scene((Say(WORDS),), Slow(0.05), slow) for _ in range(8)))
    cut = [threading.Thread(target=ask_quietly, args=(url,)) for _ in range(8)]
    for each in cut:
        each.start()
    while len([seen for seen in fake.seen if seen.sent]) < 28:
        time.sleep(0.01)
    assert serving.kill()
    for each in cut:
        each.join()
    cost, pending = settled(serving.state)
    bills = [bill(seen) for seen in fake.seen]
    assert cost == sum(bills[: 28 - len(pending)])
    held = sum(planned.most or 0 for each in pending for planned in each.plan)
    assert len(pending) >= 1
    assert sum(bills) - cost <= held


def ask_quietly(url):
    try:
        ask(url, None)
    except (OSError, http.client.HTTPException):
        return


def test_a_hard_budget_ends_with_400_and_is_not_passed(fake, tmp_path):
    limit_usd = 0.002
    budget = {"name": "team", "limit_usd": limit_usd, "period": "month"}
    tables = {"backends": [backend("vendor", fake, "anthropic_messages", "cloud")], **TABLES}
    serving = Serving(tmp_path, {**tables, "budgets": [budget]})
    fake.default = Scene((Say("hi"),), None, Counts(20, 0, 0, 10))
    url = serving.start()
    answers = [status_of(url, max_tokens=20) for _ in range(40)]
    assert serving.end() == 0
    assert answers[0][0] == 200
    assert {status for status, _ in answers} == {200, 400}
    assert "budget `team`" in answers[-1][1]
    assert invoice(fake.seen) <= limit_usd * 10**12
    # After a restart the log still knows what was spent.
    again = Serving(tmp_path, {**tables, "budgets": [budget]})
    status, _ = status_of(again.start(), max_tokens=20)
    assert again.end() == 0
    assert status == 400


def status_of(url, max_tokens):
    body = {
        "model": "sonnet",
        "max_tokens": max_tokens,
        "messages": [{"role": "user", "content": "hi"}],
    }
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request(
            "POST", "/v1/messages", json.dumps(body), {"content-type": "application/json"}
        )
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
