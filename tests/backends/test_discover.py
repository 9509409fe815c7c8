import asyncio
import time

import pytest

from halfdoor.backends.discover import discover, ollama_host
from halfdoor.config.found import FoundModel
from halfdoor.errors import BackendError

TAGS = b"""{"models":[
  {"name":"qwen3-coder:30b","model":"qwen3-coder:30b","size":1,"details":{"family":"qwen3moe"}},
  {"name":"mine:latest","remote_host":"https://ollama.com:443","details":{"family":""}},
  {"name":"gpt-oss:120b-cloud","details":null},
  {"name":"nomic-embed-text:latest","details":{"family":"nomic-bert"}},
  {"name":"all-minilm:latest","details":{"family":"bert"}}]}"""
VLLM = b'{"object":"list","data":[{"id":"Qwen/Qwen3-8B","owned_by":"vllm","max_model_len":40960}]}'
LLAMACPP = b"""{"models":[],"object":"list","data":[
  {"id":"/models/q.gguf","owned_by":"llamacpp","meta":{"n_ctx_train":262144,"n_ctx":8192}}]}"""
LMSTUDIO = b'{"data":[{"id":"qwen/qwen3-4b","object":"model","owned_by":"organization_owner"}]}'

ALL = {
    "http://127.0.0.1:11434/api/tags": TAGS,
    "http://127.0.0.1:1234/v1/models": LMSTUDIO,
    "http://127.0.0.1:8000/v1/models": VLLM,
    "http://127.0.0.1:8080/v1/models": LLAMACPP,
}


def answering(bodies, asked=None):
    async def ask(url, permit):
        if asked is not None:
            asked.append((url, permit))
        if url not in bodies:
            raise BackendError("refused", kind="connect")
        body = bodies[url]
        return body if isinstance(body, tuple) else (200, body)

    return ask


async def engines(bodies, env=None):
    found = await discover(answering(bodies), env or {})
    return {engine.kind: engine for engine in found.engines}


async def test_every_engine_that_answers_is_found():
    found = await engines(ALL)
    assert set(found) == {"ollama", "lmstudio", "vllm", "llamacpp"}
    assert found["ollama"].url == "http://127.0.0.1:11434"
    assert found["vllm"].models == (FoundModel("Qwen/Qwen3-8B", 40960),)
    assert found["llamacpp"].models == (FoundModel("/models/q.gguf", 8192),)


async def test_a_model_that_ollama_runs_elsewhere_is_told_apart():
    models = (await engines(ALL))["ollama"].models
    assert {m.id: m.elsewhere for m in models} == {
        "qwen3-coder:30b": False,
        "mine:latest": True,
        "gpt-oss:120b-cloud": True,
    }


async def test_nothing_answers_and_nothing_is_found():
    assert await engines({}) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"data": 1}',
        b'{"data": [{"id": 3}]}',
        b"{}",
        b"\xff",
        (404, VLLM),
        (302, b""),
    ],
)
async def test_something_else_on_the_port_is_no_engine(body):
    assert await engines({"http://127.0.0.1:8000/v1/models": body}) == {}


async def test_another_engine_on_vllms_port_is_not_vllm():
    assert await engines({"http://127.0.0.1:8000/v1/models": LLAMACPP}) == {}


async def test_a_port_that_never_answers_costs_one_second_in_all(monkeypatch):
    monkeypatch.setattr("halfdoor.backends.discover.WITHIN_S", 0.05)

    async def ask(url, permit):
        await asyncio.sleep(60)
        return 200, b""

    start = time.perf_counter()
    found = await discover(ask, {})
    assert found.engines == ()
    assert time.perf_counter() - start < 0.5


async def test_only_this_machine_is_asked_and_each_call_has_its_permit():
    asked: list = []
    await discover(answering(ALL, asked), {"OLLAMA_HOST": "http://evil.example:80"})
    assert {url.split("/")[2] for url, _ in asked} == {
        "127.0.0.1:11434", "127.0.0.1:1234", "127.0.0.1:8000", "127.0.0.1:8080",
    }  # fmt: skip
    assert all(permit.host in url and permit.purpose == "discovery" for url, permit in asked)


async def test_a_key_is_seen_and_not_read():
    found = await discover(answering({}), {"ANTHROPIC_API_KEY": "sk-hidden", "OPENAI_API_KEY": ""})
    assert [p.name for p in found.providers] == ["anthropic"]
    assert "sk-hidden" not in repr(found)


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("", "127.0.0.1:11434"),
        ("0.0.0.0", "127.0.0.1:11434"),
        ("localhost:9", "127.0.0.1:9"),
        ("http://127.0.0.1:4000/", "127.0.0.1:4000"),
        ("[::1]:5", "[::1]:5"),
        ("[::]:5", "[::1]:5"),
        ("192.168.1.7:11434", "127.0.0.1:11434"),
        ("box.lan", "127.0.0.1:11434"),
        ("127.0.0.1:none", "127.0.0.1:11434"),
    ],
)
def test_ollamas_own_variable_counts_when_it_is_this_machine(value, host):
    assert ollama_host({"OLLAMA_HOST": value}) == host
