"""Whatever stands in a body beside conversations: it is read or refused, and never breaks anything."""

import contextlib
import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.cards import Fim
from halfdoor.canon.decision import Target
from halfdoor.canon.events import Delta, Event, Open, PartKind, Start, Stop, StopReason
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Conversation, Embed, Request
from halfdoor.dialects import vectors
from halfdoor.dialects.ollama import Ollama
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.errors import ClientError

CHAT, OLLAMA = OpenAIChat(), Ollama()
ENDPOINTS = (
    (CHAT, "/v1/completions"), (CHAT, "/v1/embeddings"),
    (OLLAMA, "/api/generate"), (OLLAMA, "/api/embed"), (OLLAMA, "/api/embeddings"),
)  # fmt: skip
FARS: tuple[OpenAIChat | Ollama, ...] = (CHAT, CHAT, CHAT, OLLAMA)
TARGETS = tuple(
    Target("t", "b", "m1", Zone.DEVICE, dialect.name, "v", context_tokens=99, fim=fim)
    for dialect, fim in ((CHAT, Fim.OWN), (CHAT, Fim.INFILL), (CHAT, Fim.MISTRAL), (OLLAMA, Fim.OWN))
)  # fmt: skip
FIELDS = sorted({
    "prompt", "suffix", "input", "input_extra", "dimensions", "encoding_format", "raw", "options",
    "stream", "stop", "n", "echo", "template", "format", "system", "max_tokens", "top_k", "model",
})  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-9, 2**63) | st.floats() | st.text(max_size=4)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["filename", "text", "num_predict", "stop", "seed", "x"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
LIKELY = {"model": "m", "prompt": "a", "input": "a"}
SAID: list[Event] = [
    Start("1", "m"), Open(0, PartKind.TEXT), Delta(0, "x"), Stop(StopReason.END),
]  # fmt: skip


def read(which: int, fields: dict[str, object]) -> tuple[OpenAIChat | Ollama, Request]:
    dialect, endpoint = ENDPOINTS[which]
    body = json.dumps(LIKELY | fields).replace("NaN", "0").replace("Infinity", "1").encode()
    return dialect, dialect.read(endpoint, (), "", body)


@settings(max_examples=300)
@given(st.integers(0, 4), st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4))
def test_a_body_is_read_sent_and_answered_or_refused(which, fields):
    with contextlib.suppress(ClientError):
        near, request = read(which, fields)
        asked = near.asked(request)
        if isinstance(asked, Conversation):
            return
        for far, target in zip(FARS, TARGETS, strict=True):
            assert json.loads(far.written(asked, target).body)["model"] == "m1"
        told = SAID
        if isinstance(asked, Embed):
            told = vectors.events(
                "m", [msgspec.Raw(b"[1]") for _ in asked.texts], 1, len(asked.texts)
            )
        assert json.loads(near.answer(told, request))
