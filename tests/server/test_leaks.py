"""A key, wherever it stands in a request, never reaches the cloud; what is harmless does."""

import json

import pytest

from tests.helpers.asks import (
    DIALECTS,
    PLACES,
    Ask,
    in_a_system_block,
    in_a_tool_result,
)
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import Gateway, backend, gateway, model
from tests.helpers.house import AWS_KEY
from tests.helpers.scenes import Linger, Refuse, Say, Scene
from tests.helpers.sdk import Wire

pytestmark = pytest.mark.usefixtures("loopback")

# Made up, and glued from halves so that this file holds no whole one.
KEYS = {
    "aws": AWS_KEY,
    "slack": "xoxb-" + "417263958201-5183920476152-" + "hT9vQm2LxWc7RfKz4NpYb6Jd",
    "anthropic": "sk-ant-"
    "api03-"
    "Zk3vN8qTw1yLr6XbJ0hPfD5mGc9sVaUe2iKoQ7nB4tYxWl-RjMzHd_CpSgEuFvA8O1k6N3b5T2w9Xq4LyZhJrPf7DmGc0AA",
    "url": "postgres://" + "billing:" + "vT7q9LmX2wRk" + "@db.internal:5432/ledger",
    "pem": "-----BEGIN "
    "PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ3hT9vQm2LxWc7RfKz4NpYb6JdAq8sUeGo1iVnPtZrB"
    "\n-----END "
    "PRIVATE KEY-----",
    "jwt": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJzdWIiOiJiaWxsaW5nLTQ3MTEiLCJpYXQiOjE3NjM2ODMyMDB9."
    "hT9vQm2LxWc7RfKz4NpYb6JdAq8sUeGo1iVnPtZrBw0",
}

dialects = pytest.mark.parametrize("dialect", DIALECTS)
streams = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


# --- The house: one cloud, one device, default rules. ---


@pytest.fixture(scope="module")
def cloud_server():
    with FakeModel(open_fields=True, key="cloud-key") as fake:
        yield fake


@pytest.fixture(scope="module")
def device_server():
    with FakeModel(open_fields=True) as fake:
        yield fake


def house(cloud_server, device_server, **more) -> Gateway:
    nowhere = {"name": "down", "dialect": "openai_chat", "url": "http://127.0.0.1:9/v1"}
    return gateway(
        backends=[
            backend("cloud-chat", cloud_server, "openai_chat", "cloud", key="${CLOUD_KEY}"),
            backend("cloud-msg", cloud_server, "anthropic_messages", "cloud", key="${CLOUD_KEY}"),
            backend("here-chat", device_server, "openai_chat"),
            backend("here-msg", device_server, "anthropic_messages"),
            {**nowhere, "zone": "device"},
        ],
        models=[
            model("big-chat", "cloud-chat", "big"),
            model("big-messages", "cloud-msg", "big"),
            model("small-chat", "here-chat", "small"),
            model("small-messages", "here-msg", "small"),
            model("small-down", "down", "small"),
        ],
        names=[
            {"match": "gpt-*", "choose": ["big-chat", "small-chat"]},
            {"match": "claude-*", "choose": ["big-messages", "small-messages"]},
            {"match": "mixed-*", "choose": ["big-messages", "big-chat", "small-chat"]},
            {"match": "frail-*", "choose": ["big-chat", "small-down"]},
        ],
        environment={"CLOUD_KEY": "cloud-key"},
        **more,
    )


@pytest.fixture(scope="module")
def door(cloud_server, device_server):
    with house(cloud_server, device_server) as started:
        yield started


@pytest.fixture(autouse=True)
def well(door):
    """One of its backends is always down, and no test's failure is the next one's."""
    door.well_again()


@pytest.fixture(scope="module")
def slow_door(cloud_server, device_server):
    with house(cloud_server, device_server, slow_outcomes_s=0.2) as started:
        yield started


@pytest.fixture
def cloud(cloud_server):
    cloud_server.reset()
    return cloud_server


@pytest.fixture
def device(device_server):
    device_server.reset()
    return device_server


async def send(door: Gateway | FakeModel, ask: Ask):
    async with Wire().http() as http:
        return await http.post(ask.target(door.url), **ask.content())


def message(answer) -> str:
    """The wording of a refusal, in either dialect's shape."""
    found: str = answer.json()["error"]["message"]
    return found


@dialects
@streams
@pytest.mark.parametrize("asked", ["auto", "gpt-5", "claude-opus", "mixed-1"])
@pytest.mark.parametrize("place", PLACES)
async def test_a_key_stays_on_the_device(door, cloud, device, dialect, stream, asked, place):
    ask = Ask(dialect, asked, stream=stream)
    PLACES[place](ask, AWS_KEY)
    answer = await send(door, ask)
    assert not cloud.saw(AWS_KEY.encode())
    assert not cloud.seen
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-halfdoor-zone"] == "device"
    assert answer.headers["x-halfdoor-rule"] == "secret"
    assert [seen.status for seen in device.seen] == [200]


@dialects
@pytest.mark.parametrize("key", KEYS)
async def test_every_kind_of_key_stays_on_the_device(door, cloud, device, dialect, key):
    for place in ("in_a_tool_result", "in_a_system_block", "in_a_tool_calls_arguments"):
        ask = Ask(dialect, "auto")
        PLACES[place](ask, KEYS[key])
        answer = await send(door, ask)
        assert not cloud.seen, place
        assert answer.headers["x-halfdoor-zone"] == "device", place


@dialects
@streams
@pytest.mark.parametrize("place", PLACES)
async def test_an_explicit_cloud_model_is_refused_with_label_rule_and_help(
    door, cloud, device, dialect, stream, place
):
    ask = Ask(dialect, "big-chat", stream=stream)
    PLACES[place](ask, AWS_KEY)
    answer = await send(door, ask)
    assert (answer.status_code, cloud.seen, device.seen) == (400, [], [])
    assert "label `secret`" in message(answer)
    assert "rule `secret`" in message(answer)
    assert "hint: " in message(answer)
    assert "`auto`" in message(answer)
    assert AWS_KEY not in answer.text
    assert answer.headers["x-halfdoor-rule"] == "secret"
    assert answer.headers["x-halfdoor-model"] == "none"
    assert answer.headers["x-halfdoor-id"].startswith("hd_")


@dialects
@streams
@pytest.mark.parametrize("asked", ["auto", "gpt-5", "claude-opus", "mixed-1", "big-messages"])
async def test_what_is_harmless_reaches_the_cloud(door, cloud, device, dialect, stream, asked):
    answer = await send(door, Ask(dialect, asked, stream=stream))
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-halfdoor-zone"] == "cloud"
    assert answer.headers["x-halfdoor-rule"] == "none"
    assert [seen.status for seen in cloud.seen] == [200]
    assert not device.seen


@dialects
async def test_a_callers_own_credential_stops_at_the_gateway(door, cloud, dialect):
    ask = Ask(dialect, "auto")
    ask.headers |= {"authorization": "Bearer callers-own-key-1", "x-api-key": "callers-own-key-2"}
    ask.headers |= {"cookie": "session=callers-own-key-3"}
    answer = await send(door, ask)
    assert answer.status_code == 200
    assert cloud.seen
    assert not cloud.saw(b"callers-own-key")


@dialects
@streams
async def test_when_the_device_is_down_the_cloud_still_gets_nothing(
    door, cloud, device, dialect, stream
):
    ask = Ask(dialect, "frail-1", stream=stream)
    in_a_tool_result(ask, AWS_KEY)
    answer = await send(door, ask)
    assert (answer.status_code, cloud.seen, device.seen) == (400, [], [])
    assert "small-down" in message(answer)
    assert "rule `secret`" in message(answer)
    assert "big-chat" in message(answer)
    assert answer.headers["x-halfdoor-rule"] == "secret"


@dialects
@streams
async def test_when_the_cloud_fails_a_harmless_request_falls_back_inside_its_plan(
    door, cloud, device, dialect, stream
):
    cloud.play(Scene(trouble=Refuse(529, "overloaded")))
    answer = await send(door, Ask(dialect, "gpt-5", stream=stream))
    assert answer.status_code == 200
    assert answer.headers["x-halfdoor-model"] == "small-chat"
    assert [seen.status for seen in cloud.seen] == [529]


# --- Labels follow text: the next turn holds no key, only what was said about one. ---


async def two_turns(door, device, dialect, *, stream, trouble=None):
    """Ask with a key, then again with nothing but the answer, as fast as a tool can."""
    said = (
        f"The ledger's owner signs in ({dialect}, {stream}, {trouble}); keys change every 9 days."
    )
    device.play(Scene((Say(said),), trouble))
    first = Ask(dialect, "auto", stream=stream)
    in_a_tool_result(first, AWS_KEY)
    last = b"[DONE]" if first.chat else b"message_stop"
    async with (
        Wire().http() as http,
        http.stream("POST", first.target(door.url), **first.content()) as answer,
    ):
        async for piece in answer.aiter_bytes():
            if stream and last in piece:
                break
    second = Ask(dialect, "auto")
    second.body["messages"] = [
        {"role": "user", "content": "What did you find?"},
        {"role": "assistant", "content": said},
        {"role": "user", "content": "Thanks. Write that down."},
    ]
    return await send(door, second)


@dialects
@streams
@pytest.mark.parametrize("trouble", [None, Linger(0.2)], ids=["ends", "lingers"])
async def test_an_answer_made_from_a_key_stays_on_the_device_in_the_next_turn(
    door, cloud, device, dialect, stream, trouble
):
    answer = await two_turns(door, device, dialect, stream=stream, trouble=trouble)
    assert answer.headers["x-halfdoor-zone"] == "device"
    assert answer.headers["x-halfdoor-rule"] == "secret"
    assert not cloud.seen


@dialects
@streams
async def test_the_next_turn_may_come_before_the_outcome_is_recorded(
    slow_door, cloud, device, dialect, stream
):
    answer = await two_turns(slow_door, device, dialect, stream=stream)
    assert answer.headers["x-halfdoor-zone"] == "device"
    assert not cloud.seen


@dialects
async def test_why_explains_an_answer_that_stayed(door, cloud, device, dialect):
    ask = Ask(dialect, "auto")
    in_a_tool_result(ask, AWS_KEY)
    told = await door.why((await send(door, ask)).headers["x-halfdoor-id"])
    decided, outcome = told["decided"], told["outcome"]
    assert [(found["label"], found["count"]) for found in decided["labels"]] == [("secret", 1)]
    assert decided["rule"] == "secret"
    assert [planned["zone"] for planned in decided["plan"]] == ["device"] * 3
    left = [(one["model"], one["rule"], one["label"]) for one in decided["excluded"]]
    assert left == [("big-chat", "secret", "secret"), ("big-messages", "secret", "secret")]
    assert (outcome["result"], outcome["zone"]) == ("answered", "device")
    assert AWS_KEY not in json.dumps(told)


@dialects
async def test_why_explains_a_refusal(door, cloud, device, dialect):
    ask = Ask(dialect, "big-chat")
    in_a_system_block(ask, AWS_KEY)
    told = await door.why((await send(door, ask)).headers["x-halfdoor-id"])
    decided, outcome = told["decided"], told["outcome"]
    assert (decided["refusal"], decided["plan"]) == ("explicit", [])
    assert decided["excluded"][0]["rule"] == "secret"
    assert (outcome["result"], outcome["attempts"]) == ("refused", [])
    assert AWS_KEY not in json.dumps(told)


async def test_why_explains_a_harmless_answer_without_a_rule(door, cloud, device):
    answer = await send(door, Ask("openai_chat", "gpt-5"))
    told = await door.why(answer.headers["x-halfdoor-id"])
    assert (told["decided"]["labels"], told["decided"]["rule"]) == ([], "")
    assert told["outcome"]["model"] == "big-chat"
    assert told["outcome"]["attempts"][0]["sent_bytes"] == len(cloud.last.body)


# --- The finder itself: were a key let out, it would be seen. ---


@dialects
@pytest.mark.parametrize("place", PLACES)
async def test_the_fake_sees_a_key_that_reaches_it_in_every_place(device, dialect, place):
    ask = Ask(dialect, "small")
    PLACES[place](ask, AWS_KEY)
    assert (await send(device, ask)).status_code == 200
    assert device.saw(AWS_KEY.encode())


@dialects
async def test_a_rule_in_the_users_own_file_lets_a_key_out_and_only_then(cloud, dialect):
    async with gateway(
        backends=[backend("cloud", cloud, dialect, "cloud", key="${CLOUD_KEY}")],
        models=[model("big", "cloud", "big")],
        rules=[{"label": "secret", "ceiling": "cloud", "name": "trusted"}],
        environment={"CLOUD_KEY": "cloud-key"},
    ) as loosened:
        ask = Ask(dialect, "auto")
        in_a_tool_result(ask, AWS_KEY)
        answer = await send(loosened, ask)
    assert answer.headers["x-halfdoor-rule"] == "trusted"
    assert cloud.saw(AWS_KEY.encode())
