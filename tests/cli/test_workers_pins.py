"""`serve --workers 2`: whoever takes a session's next turn knows who answered it."""

import http.client
import json

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, model
from tests.helpers.serving import Serving

USE = {"type": "function", "function": {"name": "Read", "arguments": {"path": "a.py"}}}
GO = [{"role": "user", "content": "go"}]


@pytest.fixture
def served(tmp_path, loopback, processes):
    with FakeModel() as one, FakeModel() as other:
        tables = {
            "backends": [
                backend("one", one, "openai_chat"),
                backend("other", other, "openai_chat"),
            ],
            "models": [model("one", "one", "m1"), model("other", "other", "m2")],
            "names": [{"match": "any", "choose": ["one", "other"]}],
            "routes": [{"name": "short", "match": {"context_under": 60}, "models": ["other"]}],
        }
        serving = Serving(tmp_path / "halfdoor", tables, None, "--workers", "2")
        serving.start()
        yield serving
        serving.end()


def ask(serving, messages):
    """The model that answered, over a connection of its own: any worker may take it."""
    host = serving.url.removeprefix("http://").split()[0]
    client = http.client.HTTPConnection(host, timeout=10)
    body = {"model": "any", "stream": False, "messages": messages}
    client.request("POST", "/api/chat", json.dumps(body), {"x-session-id": "s1"})
    with client.getresponse() as answer:
        answer.read()
        client.close()
        return answer.headers["x-halfdoor-model"]


def test_any_worker_keeps_a_loop_on_its_route_and_its_model(served):
    assert ask(served, GO) == "other"
    call = {"role": "assistant", "content": "", "tool_calls": [USE]}
    result = {"role": "tool", "tool_name": "Read", "content": "a long file " * 100}
    # Too long for the route by now, and its calls have no ids: only who answered last tells.
    assert {ask(served, [*GO, call, result]) for _ in range(12)} == {"other"}
    assert ask(served, [*GO, call, result, {"role": "user", "content": "and now?"}]) == "other"
    assert ask(served, [{"role": "user", "content": "hello " * 100}]) == "one"
