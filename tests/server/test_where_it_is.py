"""An engine on this device that sends a model on: a real gateway before a fake one that admits to it."""

import asyncio
import http.client
import json
from urllib.parse import urlsplit

import pytest

from halfdoor.backends import admission
from halfdoor.canon.record import Noted
from halfdoor.store.reader import LogReader
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import AWS_KEY

pytestmark = pytest.mark.usefixtures("loopback")

AWAY = {"remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"}


def post(root, text):
    client = http.client.HTTPConnection(urlsplit(root).netloc, timeout=10)
    body = {"model": "helper", "messages": [{"role": "user", "content": text}]}
    client.request("POST", "/v1/chat/completions", json.dumps(body))
    with client.getresponse() as answer:
        told = json.loads(answer.read())
        client.close()
        return answer.status, answer.headers["x-halfdoor-zone"], told


@pytest.fixture
def served(local):
    backends = [backend("ollama", local, "openai_chat")]
    with gateway(backends=backends, models=[model("helper", "ollama", "helper")]) as running:
        yield running


def ask(served, text):
    return asyncio.run(asyncio.to_thread(post, served.url, text))


def test_an_engine_that_runs_its_model_itself_answers_what_must_stay(local, served):
    assert ask(served, f"my key is {AWS_KEY}")[:2] == (200, "device")
    assert [json.loads(body) for body in local.shown] == [{"model": "helper"}]


def test_an_alias_that_says_nothing_gets_no_byte_of_what_must_stay(local, served):
    local.admits = AWAY
    status, _, told = ask(served, f"my key is {AWS_KEY}")
    assert status == 400
    assert told["error"]["code"] == "halfdoor_zone"
    assert "sends `helper` on to its maker's cloud" in told["error"]["message"]
    assert not local.seen


def test_from_then_on_it_is_decided_about_as_a_model_in_the_cloud(local, served):
    local.admits = AWAY
    ask(served, "hello")
    assert ask(served, "hello")[:2] == (200, "cloud")
    status, _, told = ask(served, f"my key is {AWS_KEY}")
    assert (status, told["error"]["code"]) == (400, "halfdoor_refused")
    assert len(local.seen) == 1
    assert not local.saw(AWS_KEY.encode())


def test_an_alias_that_is_pointed_elsewhere_at_run_time_is_found_out(local, served, monkeypatch):
    assert ask(served, f"my key is {AWS_KEY}")[0] == 200
    local.admits = AWAY
    monkeypatch.setattr(admission, "FRESH_S", -1.0)  # a minute goes by
    monkeypatch.setattr(admission, "AGAIN_S", -1.0)
    assert ask(served, f"my key is {AWS_KEY}")[0] == 400
    assert len(local.seen) == 1


def test_status_and_log_tell_where_it_was_found(local, served):
    local.admits = AWAY
    ask(served, "hello")
    client = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=10)
    client.request("GET", "/halfdoor/status")
    with client.getresponse() as answer:
        [shown] = json.loads(answer.read())["models"]
    client.close()
    assert (shown["zone"], shown["claimed"]) == ("cloud", "device")
    with LogReader(served.state) as reader:
        entries = [reader.entry(row) for row in reader.tail(10)]
    [facts] = [e.facts for e in entries if isinstance(e, Noted) and e.event == "widened"]
    assert facts == {
        "backend": "ollama", "model": "helper", "by": "engine", "from": "device", "to": "cloud",
    }  # fmt: skip
