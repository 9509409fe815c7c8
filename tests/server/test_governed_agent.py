"""What a governed agent may try with the rights of whoever runs halfdoor; none of it gets text out.

More of the kind: foreign Host and Origin, frames and smuggling (`test_attacks.py`, `test_access.py`),
forged and foreign session tokens (`test_sessions.py`), a name that resolves elsewhere after the
check (`tests/backends/`), a swapped pattern table (`tests/store/test_patterns.py`), a signal that loosens
(`tests/config/test_reload.py`), several requests in one write (`tests/leakhunt/flows.py`).
"""

import asyncio
import json
import os
import time
from dataclasses import dataclass

import pytest
import tomlkit

from halfdoor.backends.scripted import ScriptedBackend
from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Rule
from halfdoor.config.load import load, load_project
from halfdoor.detect.secrets import SecretDetector
from halfdoor.detect.survey import Surveyor
from halfdoor.errors import SetupError
from halfdoor.reading.engine import Engine
from halfdoor.reading.prints import Prints
from halfdoor.reading.secret_formats import FORMATS
from halfdoor.server.access import Access
from halfdoor.server.app import App
from halfdoor.server.body import Limits
from halfdoor.server.sessions import Session, Sessions, mint
from halfdoor.server.status import Status
from halfdoor.wiring import Gateway, assemble
from tests.detect.bodies import messages, request, user
from tests.helpers.asgi import AsgiClient
from tests.helpers.house import AWS_KEY

KEY = b"k" * 32
PATHS = {"openai_chat": "/v1/chat/completions", "anthropic_messages": "/v1/messages"}
TABLES = {
    "backends": [
        {"name": "far", "dialect": "openai_chat", "url": "scripted:", "zone": "cloud"},
        {"name": "near", "dialect": "openai_chat", "url": "scripted:", "zone": "device"},
    ],
    "models": [
        {"name": "big", "backend": "far", "id": "big"},
        {"name": "small", "backend": "near", "id": "small"},
    ],
    "names": [{"match": "gpt-*", "choose": ["big", "small"]}],
    "rules": [{"label": "path:payments/**", "ceiling": "device"}],
}


@dataclass
class Door:
    """A whole halfdoor without a socket; its far model keeps what it was sent."""

    app: App
    gateway: Gateway

    @property
    def far(self):
        far = self.gateway.services.backends["far"]
        assert isinstance(far, ScriptedBackend)
        return list(far.calls)

    async def ask(self, said, *, path=PATHS["openai_chat"], method="POST", **headers):
        turns = said if isinstance(said, list) else [{"role": "user", "content": said}]
        body = json.dumps({"model": "gpt-5", "max_tokens": 64, "messages": turns}).encode()
        client = AsgiClient([body])
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        await client.ask(self.app, path, fields, method=method)
        return client


@pytest.fixture
async def door(tmp_path):
    made = await asyncio.to_thread(opened, tmp_path)
    yield made
    await made.gateway.close()


def opened(folder):
    file = folder / "config.toml"
    file.write_text(tomlkit.dumps({"server": {"state_dir": str(folder / "state")}, **TABLES}))
    file.chmod(0o600)
    loaded = load(file, None, os.environ)
    gateway = assemble(loaded, loaded.state_dir)
    status = Status("test", os.getpid(), time.monotonic(), gateway.house.cards)
    access = Access(sessions=Sessions(KEY, lambda: 1_000))
    tightened = gateway.tightened
    app = App(gateway.house, gateway.services, access, Limits(), status, tightened=tightened)
    return Door(app, gateway)


def token(*rules, tool="claude-code", project="shop"):
    return "Bearer " + mint(KEY, Session(tool, project, 2_000, rules))


async def test_a_harmless_request_reaches_the_far_model(door):
    answer = await door.ask("hello", authorization=token())
    assert (answer.headers["x-halfdoor-zone"], len(door.far)) == ("cloud", 1)


# --- It edits its project's file. ---


@pytest.mark.parametrize(
    "rule",
    [
        Rule("mine", "secret", Zone.CLOUD),
        Rule("secret", "secret", Zone.CLOUD),
        Rule("mine", "path:payments/**", Zone.CLOUD),
        Rule("mine", "scan-failed", Zone.CLOUD),
    ],
    ids=lambda rule: f"{rule.name} {rule.label}",
)
async def test_a_rule_that_loosens_in_a_project_changes_nothing(door, rule):
    for said in (AWS_KEY, reads("Read", {"file_path": "payments/ledger.py"})):
        answer = await door.ask(said, authorization=token(rule))
        assert answer.headers["x-halfdoor-zone"] == "device"
    assert not door.far


@pytest.mark.parametrize(
    "text",
    [
        '[[backends]]\nname = "a"\nurl = "https://evil.example"\nzone = "device"\n',
        '[server]\nlisten = "0.0.0.0:1"\n',
        '[[tokens]]\nname = "me"\nvalue = "x"\n',
        '[[models]]\nname = "big"\nbackend = "near"\nid = "x"\n',
        '[[names]]\nmatch = "*"\nchoose = ["big"]\n',
    ],
)
def test_a_projects_file_holds_rules_and_nothing_that_could_open_a_way(tmp_path, text):
    file = tmp_path / ".halfdoor.toml"
    file.write_text(text)
    with pytest.raises(SetupError):
        load_project(file)


# --- It asks what is not for it. ---


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "path",
    ["/halfdoor/admin", "/halfdoor/admin/", "/halfdoor/admin/sessions", "/halfdoor/admin/lift",
     "/halfdoor/admin/offline", "/halfdoor/admin/../status", "/halfdoor/ADMIN/sessions",
     "/v1/halfdoor/admin/sessions", "/admin", "//halfdoor/admin/sessions"],
)  # fmt: skip
async def test_a_tools_token_opens_no_admin_route(door, path, method):
    for shown in ({}, {"authorization": token()}, {"x_api_key": "admin"}):
        answer = await door.ask("hello", path=path, method=method, **shown)
        assert answer.status in {401, 403, 404, 405}, (path, method, shown)
    assert not door.far


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.nip.io", "halfdoor.local"])
async def test_a_good_token_makes_no_foreign_host_good(door, host):
    assert (await door.ask("hello", host=host, authorization=token())).status == 400
    origin = "http://evil.example"
    assert (await door.ask("hello", origin=origin, authorization=token())).status == 403
    assert not door.far


# --- It says who it is, and what was decided. ---

CLAIMS = {
    "zone": {"x_halfdoor_zone": "cloud"},
    "rule": {"x_halfdoor_rule": "none"},
    "permit": {"x_halfdoor_permit": "granted", "x_halfdoor_id": "hd_1"},
    "ceiling": {"x_halfdoor_ceiling": "cloud", "x_halfdoor_labels": ""},
    "a project": {"x_halfdoor_project": "none", "x_halfdoor_root": "/tmp"},
    "who forwarded it": {"x_forwarded_for": "127.0.0.1", "forwarded": "for=127.0.0.1", "via": "x"},
    "another tool": {"user_agent": "halfdoor/1"},
}


@pytest.mark.parametrize("claim", CLAIMS)
async def test_what_a_tool_claims_of_a_request_opens_nothing(door, claim):
    answer = await door.ask(f"use {AWS_KEY}", **CLAIMS[claim])
    assert answer.headers["x-halfdoor-zone"] == "device"
    assert answer.headers["x-halfdoor-rule"] == "secret"
    assert not door.far
    await door.ask("hello", **CLAIMS[claim])
    assert not [name for name, _ in door.far[-1].headers if name.startswith("x-halfdoor")]


IDS = ("x_claude_code_session_id", "x_session_id", "session_id")


@pytest.mark.parametrize("name", IDS)
async def test_another_sessions_id_only_ever_adds(door, name):
    """A victim's harmless session lends nothing to a text that must stay."""
    await door.ask("hello", **{name: "victim"})
    before = len(door.far)
    for session in ("victim", "", "x" * 4000):
        answer = await door.ask(f"use {AWS_KEY}", **{name: session})
        assert answer.headers["x-halfdoor-zone"] == "device"
    assert len(door.far) == before == 1


async def test_another_tools_token_lends_its_rules_and_no_leave(door):
    rule = Rule("pay", "path:docs/**", Zone.DEVICE)
    both = {"authorization": token(), "x_api_key": token(rule).removeprefix("Bearer ")}
    answer = await door.ask(reads("Read", {"file_path": "docs/a.md"}), **both)
    assert answer.headers["x-halfdoor-zone"] == "device"
    assert not door.far


# --- It names its tools and calls as it likes. ---


def call(name, arguments, number=1):
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": f"call_{number}", "type": "function", "function": function}


def reads(name, arguments, *more):
    """A call, other calls beside it, and the result of the first."""
    calls = [call(name, arguments), *more]
    return [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": "def total(): ..."},
    ]


RULED = "payments/ledger.py"
CALLS = {
    "Read of another server": reads("mcp__x__Read", {"file_path": RULED}),
    "Read in capitals": reads("READ", {"file_path": RULED}),
    "a harmless tool's name": reads("get_weather", {"path": RULED}),
    "a harmless name, another word": reads("get_weather", {"city": RULED}),
    "a search tool's name": reads("WebSearch", {"file_path": RULED}),
    "a name with a NUL": reads("Read\0", {"file_path": RULED}),
    "no name": reads("", {"file_path": RULED}),
    "a path in a list": reads("Glob", {"x": [{"y": [RULED]}]}),
    "a path as a key": reads("Read", {"file_path": {"value": RULED}}),
    "a ruled call behind a harmless one of its id": reads(
        "Read", {"file_path": "a.py"}, call("Read", {"file_path": RULED})
    ),
    "a ruled call before a harmless one of its id": reads(
        "Read", {"file_path": RULED}, call("Read", {"file_path": "a.py"})
    ),
    "a ruled call that another's result answers": reads(
        "Read", {"file_path": "a.py"}, call("Read", {"file_path": RULED}, 2)
    ),
}


@pytest.mark.parametrize("how", CALLS)
async def test_a_ruled_path_stays_whatever_its_tool_and_call_are_called(door, how):
    answer = await door.ask(CALLS[how])
    assert answer.headers["x-halfdoor-zone"] == "device"
    assert not door.far


async def test_the_same_calls_without_the_path_reach_the_far_model(door):
    for turns in CALLS.values():
        free = json.loads(json.dumps(turns).replace("payments", "harbour"))
        await door.ask(free)
    assert len(door.far) == len(CALLS)


# --- It floods what is remembered of blocks. ---


@pytest.fixture(scope="module")
def engine():
    return Engine(FORMATS)


def found(surveyor, *texts, **more):
    body = messages(*(user({"type": "text", "text": text}) for text in texts), **more)
    return {label.name for label in surveyor.survey(request(body)).labels}


@pytest.mark.parametrize("cache_bytes", [1, 2_000, 50_000, 1 << 24])
def test_a_key_is_found_again_however_the_cache_is_flooded(engine, cache_bytes):
    surveyor = Surveyor((SecretDetector(engine),), Prints(KEY), cache_bytes=cache_bytes)
    harmless = [f"block {n} of a flood" for n in range(300)]
    for _ in range(3):
        assert found(surveyor, AWS_KEY, "hello") == {"secret"}
        assert found(surveyor, *harmless) == set()
        assert found(surveyor, "hello") == set()
        assert found(surveyor, *harmless, AWS_KEY) == {"secret"}


def test_a_block_that_was_harmless_in_another_shape_lends_nothing_to_a_key(engine):
    """The same bytes as a member, a value and a header; a prefix; the same text but for one letter."""
    surveyor = Surveyor((SecretDetector(engine),), Prints(KEY))
    for text in (AWS_KEY[:-1], AWS_KEY.lower(), AWS_KEY[1:], f"x{AWS_KEY}x"):
        found(surveyor, text, note=text)
    for place in ({"note": AWS_KEY}, {"metadata": {"user_id": AWS_KEY}}, {AWS_KEY: 1}):
        assert found(surveyor, "hello", **place) == {"secret"}
    assert found(surveyor, AWS_KEY) == {"secret"}


def test_nobody_without_the_key_of_a_cache_makes_two_blocks_collide(engine):
    """Prints are keyed and whole: another key prints the same block otherwise."""
    one, other = Prints(b"a" * 32), Prints(b"b" * 32)
    blocks = [f"block {n}".encode() for n in range(2_000)]
    assert len({one.block(block) for block in blocks}) == len(blocks)
    assert not {one.block(block) for block in blocks} & {other.block(block) for block in blocks}
    assert len(one.block(b"")) == 32
