"""Embeddings between protocols: every digit stays, and every text has its numbers."""

import base64
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Embed, Kind
from halfdoor.dialects import vectors
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.ollama import Ollama
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.errors import BackendError, ClientError

CHAT, OLLAMA = OpenAIChat(), Ollama()
# As engines write them: digits that no reader may round, and forms that writers differ in.
DIGITS = "[-0.01234567890123456789, 1e-07, 3, 0.1]"


def target(dialect, **more):
    return Target("embedder", "b", "m1", Zone.DEVICE, dialect, "v", **more)


def asked(dialect, endpoint, **fields):
    return dialect.read(endpoint, (), "", json.dumps({"model": "m", **fields}).encode())


def test_both_of_ollamas_forms_are_embeddings_and_never_streamed():
    new = asked(OLLAMA, "/api/embed", input=["a", "b"], dimensions=4)
    old = asked(OLLAMA, "/api/embeddings", prompt="a")
    assert [(r.kind, r.stream) for r in (new, old)] == [(Kind.EMBEDDING, False)] * 2
    assert {block.place for block in new.blocks} >= {"input[0]", "input[1]"}
    assert OLLAMA.asked(new) == Embed(("a", "b"), 4)
    assert OLLAMA.asked(old) == Embed(("a",))


@pytest.mark.parametrize(
    ("endpoint", "fields"), [("/api/embed", {}), ("/api/embeddings", {"prompt": ["a"]})]
)
def test_a_body_without_text_is_refused(endpoint, fields):
    with pytest.raises(ClientError, match="must be a string"):
        asked(OLLAMA, endpoint, **fields)


def test_token_ids_mean_one_model_only_and_are_refused():
    with pytest.raises(ClientError, match="token ids"):
        CHAT.asked(asked(CHAT, "/v1/embeddings", input=[[1, 2]]))


def test_each_backend_is_asked_in_its_own_way():
    made = CHAT.written(Embed(("a", "b"), 4), target("openai_chat"))
    assert made.path == "/embeddings"
    assert json.loads(made.body) == {
        "model": "m1", "input": ["a", "b"], "encoding_format": "float", "dimensions": 4,
    }  # fmt: skip
    made = OLLAMA.written(Embed(("a",)), target("ollama", context_tokens=512))
    assert made.path == "/api/embed"
    assert json.loads(made.body) == {
        "model": "m1", "input": ["a"], "truncate": False, "options": {"num_ctx": 512},
    }  # fmt: skip
    with pytest.raises(ClientError, match="no way of measuring text"):
        AnthropicMessages().written(Embed(("a",)), target("anthropic_messages"))


def test_every_digit_of_a_number_stays():
    answer = b'{"model":"m1","embeddings":[%b],"prompt_eval_count":3}' % DIGITS.encode()
    events = OLLAMA.written(Embed(("a",)), target("ollama")).events(answer)
    near = asked(CHAT, "/v1/embeddings", input="a")
    assert DIGITS.encode() in CHAT.answer(events, near)

    answer = b'{"data":[{"embedding":%b,"index":0}],"model":"m1"}' % DIGITS.encode()
    events = CHAT.written(Embed(("a",)), target("openai_chat")).events(answer)
    for endpoint, fields in (("/api/embed", {"input": "a"}), ("/api/embeddings", {"prompt": "a"})):
        assert DIGITS.encode() in OLLAMA.answer(events, asked(OLLAMA, endpoint, **fields))


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=9))
def test_base64_says_the_same_numbers(numbers):
    as_json = json.dumps(numbers).encode()
    packed = vectors.packed(as_json)
    assert list(struct.unpack(f"<{len(numbers)}f", base64.b64decode(packed))) == numbers
    told = vectors.events("m", [Raw(json.dumps(packed).encode())], 1, 1)
    assert json.loads(vectors.measured(told).numbers[0]) == numbers


def test_a_tool_that_wants_base64_gets_it():
    events = vectors.events("m1", [Raw(b"[0.5,-2]")], 3, 1)
    near = asked(CHAT, "/v1/embeddings", input="a", encoding_format="base64")
    told = json.loads(CHAT.answer(events, near))
    assert told["data"][0]["embedding"] == vectors.packed(b"[0.5,-2]")
    assert told["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_numbers_find_back_to_their_texts_in_any_order():
    data = [{"embedding": [2.0], "index": 1}, {"embedding": [1.0], "index": 0}]
    made = CHAT.written(Embed(("a", "b")), target("openai_chat"))
    told = vectors.measured(made.events(json.dumps({"data": data}).encode()))
    assert told.numbers == [b"[1.0]", b"[2.0]"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"embeddings":[[1]]}', b'{"embeddings":[[1],["x"]]}', b'{"embeddings":[[1],{}]}',
        b'{"error":"no such model"}', b"nothing", b"{}",
    ],
)  # fmt: skip
def test_an_answer_that_does_not_measure_each_text_is_a_fault(body):
    made = OLLAMA.written(Embed(("a", "b")), target("ollama"))
    with pytest.raises(BackendError):
        made.events(body)


def test_a_number_beyond_32_bits_is_a_fault_and_no_other_number():
    with pytest.raises(BackendError, match="beyond 32 bits"):
        vectors.packed(b"[1e300]")


def test_what_an_embedding_of_ollama_cost_is_learnt_on_its_way():
    watcher = OLLAMA.watcher(stream=False, texts=True)
    watcher.feed(b'{"model":"m","embeddings":[[0.1],[0.2]],"prompt_eval_count":9}')
    got = watcher.learnt()
    assert got.finished
    assert got.usage is not None
    assert got.usage.input_tokens == 9
