"""The admin listener: what admins and metrics are asked at, apart from the tools' own address."""

import http.client
import json

import pytest

from tests.helpers.gateway import backend, gateway, model
from tests.helpers.ports import free_port

pytestmark = pytest.mark.usefixtures("loopback")

ASK = {"model": "q", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def apart(local):
    """Its two addresses: for tools, and for admins."""
    admin = f"127.0.0.1:{free_port()}"
    with gateway(
        backends=[backend("near", local, "openai_chat")],
        models=[model("q", "near", "q")],
        tokens=[
            {"name": "boss", "role": "admin", "env": "TEST_BOSS"},
            {"name": "tool", "role": "tool", "env": "TEST_TOOL"},
        ],
        environment={"TEST_BOSS": "boss-secret", "TEST_TOOL": "tool-secret"},
        server={"admin_listen": admin},
    ) as started:
        yield started.url.removeprefix("http://"), admin


def asked(place, method, path, body=None, token="boss-secret"):
    """(status, text)."""
    client = http.client.HTTPConnection(place, timeout=10)
    sent = None if body is None else json.dumps(body)
    client.request(method, path, sent, {"authorization": f"Bearer {token}"})
    with client.getresponse() as answer:
        found = answer.status, answer.read().decode()
    client.close()
    return found


def test_metrics_and_lifts_are_at_the_admin_address_alone(apart):
    tools, admin = apart
    for method, path in (("GET", "/metrics"), ("POST", "/halfdoor/admin/lift")):
        status, said = asked(tools, method, path, {} if method == "POST" else None)
        assert (status, "admin_listen" in said) == (404, True)
    assert asked(admin, "GET", "/metrics")[0] == 200
    status, said = asked(
        admin, "POST", "/halfdoor/admin/lift", {"session": "abcd", "reason": "old"}
    )
    assert (status, "no session" in said) == (404, True)


def test_no_model_is_asked_at_the_admin_address(apart, local):
    tools, admin = apart
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/chat/completions/../../metrics"):
        status, said = asked(admin, "POST", path, ASK, "tool-secret")
        assert (status, "tools ask where `listen` says" in said) == (404, True)
    assert asked(admin, "GET", "/v1/models", token="tool-secret")[0] == 404
    assert not local.seen
    assert asked(tools, "POST", "/v1/chat/completions", ASK, "tool-secret")[0] == 200


def test_the_admin_address_tells_a_probe_that_it_is_up_and_a_tool_nothing(apart):
    _, admin = apart
    assert asked(admin, "GET", "/healthz", token="")[0] == 200
    assert asked(admin, "GET", "/metrics", token="tool-secret")[0] == 403
    assert asked(admin, "GET", "/metrics", token="")[0] == 403


def test_a_page_that_was_rebound_to_the_admin_address_reads_nothing(apart):
    client = http.client.HTTPConnection(apart[1], timeout=10)
    client.request("GET", "/metrics", headers={"host": "evil.example"})
    assert client.getresponse().status == 400
    client.close()
