"""Labels follow text over HTTP: real dialects, streams, memory file and log; only the models are played."""

import json

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import AWS_KEY
from tests.helpers.scenes import Cut, Say, Scene, Use
from tests.helpers.sdk import Wire

pytestmark = pytest.mark.usefixtures("loopback")

PATHS = {"openai_chat": "/v1/chat/completions", "anthropic_messages": "/v1/messages"}
HEADERS = {
    "authorization": "Bearer sk-unused",
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
}
ANSWER = """The key belongs to the nightly exporter, which writes the ledger of every branch to the
vault in Zurich. It must be replaced before the audit in March, and the old one has to be revoked by
two people of the treasury who may not sit in the same office."""
SENTENCE = ANSWER.split(". ")[1]
CODE = "def export(branch):\n    ledger = open_ledger(branch, mode='nightly')\n    for entry in ledger.entries(since=last_audit()):\n        vault.write(entry.masked(), region='zurich')\n"


@pytest.fixture
def models():
    with FakeModel() as cloud, FakeModel() as device:
        yield cloud, device


def door(models, dialect):
    cloud, device = models
    return gateway(
        backends=[
            backend("cloud", cloud, dialect, "cloud", key="${CLOUD_KEY}"),
            backend("here", device, dialect),
        ],
        models=[model("big", "cloud", "big"), model("small", "here", "small")],
        names=[{"match": "any-*", "choose": ["big", "small"]}],
        environment={"CLOUD_KEY": "cloud-key"},
    )


async def ask(url, dialect, text, *, stream=False):
    """The zone that answered."""
    body = {
        "model": "any-1",
        "max_tokens": 200,
        "stream": stream,
        "messages": [{"role": "user", "content": text}],
    }
    async with Wire().http() as http:
        answer = await http.post(url + PATHS[dialect], content=json.dumps(body), headers=HEADERS)
    return answer.headers["x-halfdoor-zone"]


both = pytest.mark.parametrize("near", PATHS)
far = pytest.mark.parametrize("far", PATHS)
streams = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@both
@far
@streams
async def test_a_sentence_of_a_labelled_answer_stays_in_any_other_session(
    models, near, far, stream
):
    cloud, device = models
    async with door(models, far) as at:
        assert await ask(at.url, near, f"Is this so? {SENTENCE}") == "cloud"
        cloud.reset()
        device.play(Scene((Say(ANSWER),)))
        assert await ask(at.url, near, f"Whose key is {AWS_KEY}?", stream=stream) == "device"
        for dialect in PATHS:
            assert await ask(at.url, dialect, f"Is this so? {SENTENCE}") == "device"
        assert not cloud.seen
        assert await ask(at.url, near, "Write a haiku about spring.") == "cloud"


@both
@streams
async def test_code_that_a_labelled_answer_wrote_through_a_tool_stays(models, near, stream):
    cloud, device = models
    async with door(models, near) as at:
        device.play(Scene((Use("Write", {"file_path": "/tmp/a.py", "content": CODE}, "toolu_9"),)))
        await ask(at.url, near, f"Write the exporter; its key is {AWS_KEY}.", stream=stream)
        assert await ask(at.url, near, f"Review this:\n\n{CODE}") == "device"
    assert not cloud.seen


@both
async def test_half_an_answer_that_was_cut_off_stays_too(models, near):
    cloud, device = models
    async with door(models, near) as at:
        device.play(Scene((Say(ANSWER * 3),), Cut(60, inside=False)))
        await ask(at.url, near, f"Whose key is {AWS_KEY}?", stream=True)
        assert await ask(at.url, near, ANSWER) == "device"
    assert not cloud.seen


async def test_why_names_the_block_in_which_text_came_back(models):
    _, device = models
    async with door(models, "anthropic_messages") as at:
        device.play(Scene((Say(ANSWER),)))
        await ask(at.url, "anthropic_messages", f"Whose key is {AWS_KEY}?")
        async with Wire().http() as http:
            body = {
                "model": "any-1",
                "max_tokens": 9,
                "messages": [{"role": "user", "content": SENTENCE}],
            }
            answer = await http.post(
                at.url + "/v1/messages", content=json.dumps(body), headers=HEADERS
            )
        told = await at.why(answer.headers["x-halfdoor-id"])
    (found,) = told["decided"]["labels"]
    assert (found["label"], found["places"], found["detector"]) == (
        "derived:secret",
        ["messages[0]"],
        "derived",
    )
