"""Every way a tool may write an address, over a real socket: one base URL has two conventions."""

import asyncio
import http.client
import json
from urllib.parse import urlsplit

import pytest

from halfdoor.wiring import DIALECTS
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Scene, Stall
from tests.server.test_troubles import shaped

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
ENDPOINTS = [(name, path) for name, dialect in DIALECTS.items() for path in dialect.endpoints]
MARKED = "/via/codex-1f2e3d4c"


def conventions(endpoint: str) -> list[str]:
    """`/v1/x`, `/x` and `/v1/v1/x`; what never had a `/v1` may get one."""
    if endpoint.startswith("/v1/"):
        return [endpoint, endpoint.removeprefix("/v1"), f"/v1{endpoint}"]
    return [endpoint, f"/v1{endpoint}"]


PATHS = [(name, path) for name, endpoint in ENDPOINTS for path in conventions(endpoint)]
every = pytest.mark.parametrize(("dialect", "path"), PATHS, ids=lambda value: value)


@pytest.fixture(scope="module")
def door(shared):
    far = backend("far", shared, "openai_responses")
    with gateway(backends=[far], models=[model("far", "far", "real-model")]) as started:
        yield started


@pytest.fixture
def ask(door):
    def asking(method, path, body=None, **headers):
        client = http.client.HTTPConnection(urlsplit(door.url).netloc, timeout=10)
        client.request(method, path, body, headers)
        with client.getresponse() as answer:
            told = answer.status, dict(answer.getheaders()), answer.read()
        client.close()
        return told

    return asking


@pytest.mark.parametrize("query", ["", "?beta=true"])
@pytest.mark.parametrize("before", ["", MARKED])
@every
def test_every_endpoint_answers_under_every_convention_in_its_own_shape(
    ask, dialect, path, before, query
):
    status, _, body = ask("POST", before + path + query, b"{}")
    assert status == 400
    assert "halfdoor: " in shaped(dialect, json.loads(body))


@every
@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT", "DELETE"])
def test_an_endpoint_asked_otherwise_says_post(ask, dialect, path, method):
    status, headers, body = ask(method, path)
    assert (status, headers["allow"]) == (405, "POST")
    assert method == "HEAD" or "takes POST" in shaped(dialect, json.loads(body))


@pytest.mark.parametrize("path", ["/", MARKED, f"{MARKED}/", "/healthz", "/v1/models", "/models",
                                  "/v1/v1/models", "/api/tags", "/api/version", "/api/ps"])  # fmt: skip
def test_what_tools_look_for_before_they_ask_answers_head_and_get(ask, path):
    status, headers, body = ask("HEAD", path)
    assert (status, body) == (200, b"")
    assert ask("GET", path)[0] == 200
    assert int(headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/v1/responses", "/responses", "/v1/v1/responses"])
def test_codexs_websocket_is_426_under_every_convention(ask, path):
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    assert ask("GET", path, **upgrade)[0] == 426


ANTHROPIC = {"anthropic-version": "2023-06-01"}
NOWHERE = [
    ("ollama", "/api/copy", {}),
    ("ollama", "/api/blobs/sha256:0", {}),
    ("openai_chat", "/v1/files", {}),
    ("openai_chat", "/v1/audio/speech", {}),
    ("anthropic_messages", "/v1/messages/batches", ANTHROPIC),
    ("anthropic_messages", "/v1/nothing", ANTHROPIC),
]


@pytest.mark.parametrize(("family", "path", "headers"), NOWHERE)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_that_leads_nowhere_is_told_in_the_shape_of_its_family(
    ask, family, path, headers, method
):
    status, _, body = ask(method, path, b"{}", **headers)
    assert status == 404
    assert f"there is no `{path}` here" in shaped(family, json.loads(body))


async def test_every_discovered_name_answers(shared, door):
    async with door.anthropic() as (client, _):
        found = [each.id async for each in client.models.list()]
        taken_up = [name for name in found if name.startswith("claude")]
        assert taken_up == ["claude-halfdoor-far", "claude-halfdoor-auto"]
        for name in taken_up:
            await client.messages.create(model=name, messages=HI, max_tokens=9)
    assert {seen.json()["model"] for seen in shared.seen} == {"real-model"}


@pytest.mark.parametrize("s", [0, 0.05])
async def test_fifteen_counts_at_once_are_answered_by_the_vendor_that_may_see_them(shared, door, s):
    shared.reset()
    shared.play(*[Scene(trouble=Stall(s))] * 15)
    async with door.openai() as (client, _):
        count = client.responses.input_tokens.count
        told = await asyncio.gather(*(count(model="far", input=HI) for _ in range(15)))
    assert [one.input_tokens for one in told] == [1300] * 15
    assert len(shared.seen) == 15


async def test_fifteen_counts_at_once_are_made_here_where_nobody_may_see_them(shared, door):
    shared.reset()
    async with door.anthropic() as (client, _):
        count = client.messages.count_tokens
        told = await asyncio.gather(*(count(model="far", messages=HI) for _ in range(15)))
    assert all(0 < one.input_tokens < 100 for one in told)
    assert shared.seen == []
