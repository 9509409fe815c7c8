"""A floor in a real gateway: it outlives a restart, holds in every worker, and is lifted for all."""

import http.client
import json
import signal
from urllib.parse import urlsplit

import pytest

from tests.helpers.house import AWS_KEY
from tests.helpers.ports import free_port
from tests.helpers.serving import Serving

BACKENDS = [
    {"name": "near", "dialect": "anthropic_messages", "url": "scripted:", "zone": "device"},
    {"name": "far", "dialect": "anthropic_messages", "url": "scripted:", "zone": "cloud"},
]
MODELS = [
    {"name": "large", "backend": "far", "id": "large"},
    {"name": "small", "backend": "near", "id": "small"},
]
TOKEN = {"name": "boss", "role": "admin", "env": "TEST_ADMIN"}


@pytest.fixture
def serving(tmp_path, processes, loopback, monkeypatch):
    def start(workers=1, *, apart=False, **tables):
        folder = tmp_path / "serving"
        listen, admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
        server = {"listen": listen, "state_dir": str(folder / "state")}
        server |= {"admin_listen": admin} if apart else {}
        tables = {"server": server, "backends": BACKENDS, "models": MODELS, **tables}
        started.append(Serving(folder, tables, None, "--workers", str(workers)))
        started[0].start()
        return started[0]

    started: list[Serving] = []
    monkeypatch.setenv("TEST_ADMIN", "s3cret-admin")
    yield start
    for each in started:
        each.end()


def model_of(url, text, session="one"):
    client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    body = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}
    headers = {"x-claude-code-session-id": session}
    client.request("POST", "/v1/messages", json.dumps(body), headers)
    answer = client.getresponse()
    answer.read()
    client.close()
    return answer.getheader("x-halfdoor-model")


def test_a_floor_is_listed_outlives_a_restart_and_is_lifted_by_an_admin(serving, halfdoor):
    served = serving(tokens=[TOKEN])
    config = ("--config", served.config)
    assert halfdoor("session", "list", *config).out == "no session keeps a label\n"
    assert model_of(served.url, "hello") == "large"
    assert model_of(served.url, f"the key is {AWS_KEY}") == "small"
    served.end(signal.SIGTERM)
    served.start()
    assert model_of(served.url, "hello") == "small"
    (told,) = json.loads(halfdoor("session", "list", *config, "--json").out)
    assert (told["labels"], told["tool"]) == (["secret"], "other")
    shown = halfdoor("session", "show", told["session"][:6], *config).out
    assert f"session lift {told['session']}" in shown
    why = halfdoor("why", "last", *config).out
    assert f"halfdoor session lift {told['session']}" in " ".join(why.split())
    lifted = halfdoor("session", "lift", told["session"], "--reason", "a test key", *config)
    assert (lifted.code, "it is in the log" in lifted.out) == (0, True)
    assert model_of(served.url, "hello") == "large"
    log = halfdoor("log", "export", *config)
    assert '"event":"lifted"' in log.out
    assert "a test key" in log.out


def test_every_worker_is_under_a_floor_and_follows_a_lift(serving, halfdoor):
    served = serving(workers=2, apart=True, tokens=[TOKEN])
    config = ("--config", served.config)
    assert {model_of(served.url, "hello") for _ in range(8)} == {"large"}
    assert model_of(served.url, f"the key is {AWS_KEY}") == "small"
    assert {model_of(served.url, "hello") for _ in range(8)} == {"small"}
    assert {model_of(served.url, "hello", "two") for _ in range(4)} == {"large"}
    (told,) = json.loads(halfdoor("session", "list", *config, "--json").out)
    assert halfdoor("session", "lift", told["session"], "--reason", "known", *config).code == 0
    assert {model_of(served.url, "hello") for _ in range(8)} == {"large"}


def test_without_an_admin_it_is_said_how_to_have_one(serving, halfdoor):
    served = serving()
    model_of(served.url, f"the key is {AWS_KEY}")
    config = ("--config", served.config)
    (told,) = json.loads(halfdoor("session", "list", *config, "--json").out)
    failed = halfdoor("session", "lift", told["session"], "--reason", "known", *config)
    assert (failed.code, 'role = "admin"' in failed.err) == (1, True)
    assert model_of(served.url, "hello") == "small"


def test_a_gateway_that_does_not_run_and_a_variable_that_is_not_set_are_said(
    home, halfdoor, monkeypatch
):
    file = home / "config.toml"
    file.write_text('[[tokens]]\nname = "boss"\nrole = "admin"\nenv = "TEST_ADMIN"\n')
    monkeypatch.delenv("TEST_ADMIN", raising=False)
    lift = ("session", "lift", "61616161", "--reason", "known", "--config", file)
    assert "set `TEST_ADMIN`" in halfdoor(*lift).err
    assert "no session `6161`" in halfdoor("session", "show", "6161", "--config", file).err


@pytest.mark.parametrize(
    ("key", "reason", "said"),
    [("59c6", "x", "3 to 200"), ("59", "a test key", "4 to 12"), ("zzzz", "known", "4 to 12")],
)
def test_a_lift_that_no_gateway_would_take_is_told_in_words_of_the_command(
    halfdoor, key, reason, said
):
    failed = halfdoor("session", "lift", key, "--reason", reason)
    assert failed.code == 2
    assert said in failed.err
