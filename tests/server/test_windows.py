"""Engines that say what they have loaded, behind a real gateway."""

import asyncio
import http.client
import json
from urllib.parse import urlsplit

import pytest

from tests.backends.test_engines import LMSTUDIO, PROPS, PS, VLLM
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Counts, Say, Scene

pytestmark = pytest.mark.usefixtures("loopback")

LONG = "def f(x):\n    return x + 1\n" * 12_000
ENGINES = [
    ("openai_chat", "/v1/models", VLLM, "Qwen/Qwen3-8B", 40960),
    ("openai_chat", "/props", PROPS, "q.gguf", 8192),
    ("anthropic_messages", "/props", PROPS, "q.gguf", 8192),
    ("openai_chat", "/api/v0/models", LMSTUDIO, "qwen3-4b", 8192),
    ("openai_chat", "/api/ps", PS, "qwen3", 4096),
    ("ollama", "/api/ps", PS, "qwen3", 4096),
]


def post(root, body, path="/v1/messages"):
    client = http.client.HTTPConnection(urlsplit(root).netloc, timeout=10)
    client.request("POST", path, json.dumps(body))
    with client.getresponse() as answer:
        told = json.loads(answer.read())
        client.close()
        return answer.status, dict(answer.headers), told


def ask(served, text, **more):
    said = [{"role": "user", "content": text}]
    body = {"model": "auto", "max_tokens": 100, "messages": said, **more}
    return asyncio.run(asyncio.to_thread(post, served.url, body))


def serving(local, dialect="openai_chat", model_id="qwen3", **more):
    backends = [backend("engine", local, dialect)]
    models = [model("near", "engine", model_id, **more)]
    return gateway(backends=backends, models=models, looks=True)


@pytest.mark.parametrize(("dialect", "path", "page", "model_id", "window"), ENGINES)
def test_what_is_too_long_for_what_is_loaded_never_reaches_the_engine(
    local, dialect, path, page, model_id, window
):
    local.pages[path] = page.decode()
    with serving(local, dialect, model_id) as served:
        status, headers, told = ask(served, LONG)
        assert status == 400
        assert headers["x-halfdoor-model"] == "none"
        assert f"tokens > {window} maximum" in told["error"]["message"]
        assert local.seen == []
        assert ask(served, "hello")[0] == 200


def test_a_configured_window_is_believed_against_the_engine(local):
    local.pages["/api/ps"] = PS.decode()
    with serving(local, context_tokens=1_000_000) as served:
        assert ask(served, LONG)[0] == 200


def test_ollama_keeps_what_it_has_loaded_because_that_is_asked_for(local):
    """Without `num_ctx` it would load the model anew with its default window."""
    local.pages["/api/ps"] = PS.decode()
    with serving(local, "ollama") as served:
        assert ask(served, "hello")[0] == 200
    assert local.last.json()["options"]["num_ctx"] == 4096
    assert local.last.json()["truncate"] is False


def test_an_engine_that_read_a_part_only_is_told_in_a_header_and_in_why(local):
    local.play(Scene((Say("hm"),), counts=Counts(prompt=4096, cached=0)))
    with serving(local) as served:
        status, headers, _ = ask(served, LONG)
        assert status == 200
        assert headers["x-halfdoor-truncated"].startswith("4096 of about 9")
        told = asyncio.run(served.why(headers["x-halfdoor-id"]))
        assert told["outcome"]["notices"] == ["truncated"]
        assert told["decided"]["expected_tokens"] > 90_000


def test_the_status_page_tells_what_is_loaded(local):
    local.pages["/api/ps"] = PS.decode()
    with serving(local) as served:
        held = asyncio.run(asyncio.to_thread(status_of, served.url))["models"][0]["held"]
    assert (held["engine"], held["loaded"], held["context_tokens"]) == ("ollama", True, 4096)
    assert round(held["gpu"], 2) == 0.81
    assert held["age_s"] < 60


def status_of(root):
    client = http.client.HTTPConnection(urlsplit(root).netloc, timeout=10)
    client.request("GET", "/halfdoor/status")
    with client.getresponse() as answer:
        told = json.loads(answer.read())
        client.close()
        return told


def test_a_cloud_is_never_asked_what_it_has_loaded(local):
    backends = [backend("far", local, "openai_chat", zone="cloud")]
    with gateway(backends=backends, models=[model("far", "far", "m")], looks=True):
        pass
    assert local.looked == []
