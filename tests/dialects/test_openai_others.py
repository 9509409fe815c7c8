"""Completions and embeddings: they pass between ends of one dialect, and are learnt from."""

import json

import pytest

from halfdoor.canon.cards import Alias, Card
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Usage
from halfdoor.canon.request import Kind
from halfdoor.decide.names import candidates
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.errors import ClientError

DIALECT = OpenAIChat()
COMPLETIONS, EMBEDDINGS = "/v1/completions", "/v1/embeddings"
COUNTS = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


def read(endpoint: str, **fields: object):
    return DIALECT.read(endpoint, (), "", json.dumps({"model": "m", **fields}).encode())


def learnt(body: dict, *, texts: bool = False):
    watcher = DIALECT.watcher(stream=False, texts=texts)
    watcher.feed(json.dumps(body).encode())
    return watcher.learnt()


def test_each_endpoint_is_a_kind_of_work_with_a_path_of_its_own():
    fim = read(COMPLETIONS, prompt="def f(", suffix="\n", stream=True)
    assert (fim.kind, fim.stream) == (Kind.COMPLETION, True)
    assert DIALECT.outbound_path(fim) == "/completions"
    asked = read(EMBEDDINGS, input=["a", "b"])
    assert (asked.kind, DIALECT.outbound_path(asked)) == (Kind.EMBEDDING, "/embeddings")


def test_numbers_asked_for_as_a_stream_are_not_waited_for_as_one():
    """Engines answer them whole; they were told to the client as a stream that ended early."""
    assert read(EMBEDDINGS, input="a", stream=True).stream is False


def test_every_text_to_embed_is_a_block_and_so_are_prompt_and_suffix():
    places = {block.place for block in read(EMBEDDINGS, input=["a", "b"]).blocks}
    assert {"input[0]", "input[1]"} <= places
    places = {block.place for block in read(COMPLETIONS, prompt="a", suffix="b").blocks}
    assert {"prompt", "suffix"} <= places


@pytest.mark.parametrize("endpoint", [COMPLETIONS, EMBEDDINGS])
def test_a_body_of_another_shape_is_refused(endpoint):
    with pytest.raises(ClientError):
        read(endpoint, messages=[])
    with pytest.raises(ClientError):
        read(endpoint, input={}, prompt={})


def test_what_a_completion_says_is_learnt_of_all_its_choices():
    choices = [{"index": i, "text": f"text {i};", "finish_reason": "stop"} for i in (0, 1)]
    got = learnt({"choices": choices, "usage": COUNTS}, texts=True)
    assert (got.finished, got.texts) == (True, ("text 0;", "text 1;"))
    assert got.usage == Usage(12, 3)


def test_a_streamed_completion_is_learnt_too():
    pieces = [{"choices": [{"index": 0, "text": t, "finish_reason": None}]} for t in ("a", "b")]
    pieces.append({"choices": [{"index": 0, "text": "", "finish_reason": "length"}]})
    raw = b"".join(b"data: " + json.dumps(p).encode() + b"\n\n" for p in pieces)
    watcher = DIALECT.watcher(stream=True, texts=True)
    watcher.feed(raw + b"data: [DONE]\n\n")
    got = watcher.learnt()
    assert (got.finished, got.stop, got.texts) == (True, "length", ("ab",))


def test_what_an_embedding_cost_is_learnt():
    got = learnt({"data": [{"embedding": [0.1], "index": 0}], "usage": COUNTS})
    assert (got.finished, got.usage) == (True, Usage(12, 3))


# --- who may be asked ---

CHAT = Card("chat", "b", "c", Zone.DEVICE, "openai_chat", "b")
SMALL = Card("small", "b", "s", Zone.DEVICE, "openai_chat", "b", kinds=(Kind.EMBEDDING,))
LARGE = Card("large", "b", "l", Zone.CLOUD, "openai_chat", "b", kinds=(Kind.EMBEDDING,))
ALIASES = [Alias("text-*", ("small", "chat")), Alias("two-*", ("small", "large"))]


def names(asked: str, kind: Kind, *cards: Card) -> list[str]:
    found = candidates(asked, cards or (CHAT, SMALL, LARGE), ALIASES, kind)
    return [target.name for target in found.targets]


def test_only_cards_that_can_do_the_work_are_candidates():
    assert names("text-3", Kind.EMBEDDING) == ["small"]
    assert names("text-3", Kind.CHAT) == ["chat"]
    assert names("text-3", Kind.COUNT) == ["chat"]


def test_two_models_never_stand_behind_one_name_for_embeddings():
    with pytest.raises(ClientError, match="do not compare") as refused:
        names("two-x", Kind.EMBEDDING)
    assert refused.value.code == "ambiguous_model"
    with pytest.raises(ClientError, match="do not compare"):
        names("auto", Kind.EMBEDDING)
    assert names("auto", Kind.EMBEDDING, CHAT, SMALL) == ["small"]


def test_a_model_that_cannot_do_the_work_says_which_can():
    with pytest.raises(ClientError, match=r"configured for embeddings.*`large`, `small`"):
        names("chat", Kind.EMBEDDING)


OWN = Card("own", "o", "q", Zone.DEVICE, "ollama", "o")


def own(asked: str, *cards: Card) -> list[str]:
    found = candidates(asked, cards, [Alias("x-*", ("own", "chat"))], Kind.COMPLETION, "ollama")
    return [target.name for target in found.targets]


def test_a_model_that_chats_fills_in_for_its_own_protocol_where_no_other_can():
    filler = Card("filler", "b", "f", Zone.DEVICE, "openai_chat", "b", kinds=(Kind.COMPLETION,))
    assert own("own", OWN, CHAT) == ["own"]
    assert own("x-1", OWN, CHAT) == ["own"]
    assert own("auto", OWN, CHAT, filler) == ["filler"]
    with pytest.raises(ClientError, match="configured for completions"):
        own("chat", OWN, CHAT)
