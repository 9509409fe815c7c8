"""`GET /metrics` of a gateway that runs, read with Prometheus' own client."""

import asyncio
import http.client

import pytest
from anthropic import BadRequestError

from halfdoor.errors import ClientError
from halfdoor.server.access import Access
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import AWS_KEY
from tests.helpers.scenes import Refuse, Say, Scene, Slow
from tests.helpers.sdk import STREAMED, messages
from tests.server.test_exposition import samples

pytestmark = pytest.mark.usefixtures("loopback")

HOST = (b"host", b"127.0.0.1:4114")
PRICE = {"input": 3_000_000, "output": 15_000_000}
WATCH = (("prom", "watch-me"),)


@pytest.fixture
def door(cloud, local):
    slo = {"availability": 0.9, "first_token_s": 5.0}
    near = backend("near", local, "openai_chat", slots=1, queue=3)
    with gateway(
        backends=[near, backend("far", cloud, "anthropic_messages", "cloud", slo=slo)],
        models=[model("qwen", "near", "q"), model("sonnet", "far", "s", price=PRICE)],
        names=[{"match": "any", "choose": ["sonnet", "qwen"]}],
        budgets=[{"name": "team", "limit_usd": 10, "period": "month"}],
    ) as started:
        yield started


async def ask(door, text="hi", name="any"):
    async with door.anthropic() as (client, _):
        said = [{"role": "user", "content": text}]
        await messages(client, STREAMED, model=name, messages=said)


def got(door, path="/metrics"):
    """(status, headers, body)."""
    there = door.url.removeprefix("http://")
    client = http.client.HTTPConnection(there, timeout=10)
    client.request("GET", path)
    with client.getresponse() as answer:
        found = answer.status, dict(answer.getheaders()), answer.read()
    client.close()
    return found


async def scraped(door, until):
    """The page, once it tells of so many outcomes: they are recorded behind the last byte."""
    for _ in range(500):
        status, headers, page = await asyncio.to_thread(got, door)
        assert status == 200
        assert headers["content-type"].startswith("text/plain; version=0.0.4")
        found = samples(page)
        if found.get(("halfdoor_log_entries_total", (("kind", "outcome"),)), 0) >= until:
            return found, page
        await asyncio.sleep(0.01)
    raise AssertionError("no outcome was counted")


def of(found, name, **labels):
    return found.get((name, tuple(sorted(labels.items()))))


async def test_a_fallback_is_counted_from_the_call_that_failed_to_the_answer(door, cloud):
    cloud.default = Scene(trouble=Refuse(529, "busy"))
    await ask(door)
    found, _ = await scraped(door, 1)
    assert of(found, "halfdoor_fallbacks_total", **{"from": "sonnet", "to": "qwen"}) == 1
    far = {"backend": "far", "model": "sonnet", "zone": "cloud"}
    assert of(found, "halfdoor_calls_total", **far, result="status") == 1
    assert of(found, "halfdoor_breaker_open", backend="far", model="sonnet") == 1
    burnt = {"backend": "far", "objective": "availability", "window": "1h"}
    assert of(found, "halfdoor_slo_burn_rate", **burnt) == pytest.approx(10)
    assert of(found, "vllm:time_to_first_token_seconds_count", model_name="qwen", backend="near")


async def test_a_rule_that_held_back_is_counted_and_no_text_is_told(door):
    words = f"key = {AWS_KEY}, and a word that is nowhere else: xylographer"
    await ask(door, words)
    found, page = await scraped(door, 1)
    assert of(found, "halfdoor_labels_total", label="secret") == 1
    assert of(found, "halfdoor_held_back_total", rule="secret") == 1
    for text in (AWS_KEY, "xylographer", "key ="):
        assert text.encode() not in page


async def test_a_name_that_a_tool_makes_up_is_no_label(door):
    for number in range(3):
        with pytest.raises(BadRequestError):
            await ask(door, name=f"made-up-{number}")
    await ask(door)
    _, page = await scraped(door, 1)
    assert b"made-up" not in page


async def test_what_runs_and_what_waits_is_told_while_it_does(door, local):
    local.default = Scene((Say("some words, slowly told"),), Slow(0.3))
    asked = [asyncio.create_task(ask(door, name="qwen")) for _ in range(3)]
    await door.until_waiting("near", 2)
    found, _ = await scraped(door, 0)
    whose = {"model_name": "qwen", "backend": "near"}
    assert of(found, "vllm:num_requests_running", **whose) == 1
    assert of(found, "vllm:num_requests_waiting", **whose) == 2
    assert of(found, "halfdoor_processes") == 1
    await asyncio.gather(*asked)
    found, _ = await scraped(door, 3)
    assert of(found, "vllm:num_requests_running", **whose) == 0
    assert of(found, "vllm:num_requests_waiting", **whose) == 0


async def test_the_log_tells_what_waits_for_the_disk_and_how_long_a_write_takes(door):
    await ask(door)
    found, _ = await scraped(door, 1)
    assert of(found, "halfdoor_log_waiting_entries") <= 1  # an outcome waits for company
    assert of(found, "halfdoor_log_write_seconds") >= 0


async def test_a_budget_tells_its_limit_and_what_is_left(door):
    found, _ = await scraped(door, 0)
    assert of(found, "halfdoor_budget_limit_usd", budget="team") == 10
    assert of(found, "halfdoor_budget_left_usd", budget="team") == 10


def test_metrics_that_cannot_be_read_are_an_error_and_no_smaller_number(door):
    books = door.state / "books.db"
    for path in (books, books.with_suffix(".db-wal"), books.with_suffix(".db-shm")):
        path.unlink(missing_ok=True)
    books.write_bytes(b"no database " * 500)
    status, _, body = got(door)
    assert status == 503
    assert b"halfdoor_log_unavailable" in body


@pytest.mark.parametrize(
    ("access", "secret", "open_"),
    [
        (Access(), "", True),
        (Access(), "anything", True),
        (Access(tokens=(("ana", "s"),)), "s", False),
        (Access(tokens=(("ana", "s"),), watchers=WATCH), "s", False),
        (Access(tokens=(("ana", "s"),), watchers=WATCH), "", False),
        (Access(tokens=(("ana", "s"),), watchers=WATCH), "watch-me", True),
        (Access(watchers=WATCH), "", False),
        (Access(admins=(("boss", "b"),)), "b", True),
        (Access(admins=(("boss", "b"),)), "", False),
    ],
)
def test_where_there_are_tokens_metrics_want_one_of_their_own(access, secret, open_):
    shown = [HOST, *([(b"authorization", f"Bearer {secret}".encode())] if secret else [])]
    if open_:
        access.observe(shown)
        return
    with pytest.raises(ClientError) as caught:
        access.observe(shown)
    assert (caught.value.status, caught.value.code) == (403, "not_watcher")


def test_a_metrics_token_opens_nothing_else():
    access = Access(watchers=WATCH)
    shown = [HOST, (b"authorization", b"Bearer watch-me")]
    with pytest.raises(ClientError, match="asks no model"):
        access.admit(shown)
    with pytest.raises(ClientError):
        access.administer(shown)


def test_metrics_are_shut_to_web_pages():
    with pytest.raises(ClientError, match="web page"):
        Access().observe([HOST, (b"origin", b"http://evil.example")])
