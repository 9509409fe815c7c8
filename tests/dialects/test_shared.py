"""What every dialect reads alike: the outside of a request, and what an answer said."""

import pytest

from halfdoor.canon.events import Close, Delta, Failed, Open, PartKind, Signed, Start, Stop
from halfdoor.canon.events import StopReason as Why
from halfdoor.canon.request import Request
from halfdoor.dialects import envelope
from halfdoor.dialects.decoding import MOST_TOKENS, tokens
from halfdoor.dialects.hearing import heard
from halfdoor.dialects.ollama import Ollama
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.dialects.openai_responses import OpenAIResponses
from halfdoor.errors import ClientError

BODY = b'{"model":"m","messages":[{"a":1}, 2],"my key":"word","n":3}'


def test_blocks_name_the_apis_own_fields_and_never_a_callers_word():
    found, _ = envelope.opened(BODY)
    blocks = list(envelope.blocks(BODY, found, {"messages"}, {"model", "n"}))

    assert [block.place for block in blocks] == [
        "model", "messages[0]", "messages[1]", "(unknown)", "n",
    ]  # fmt: skip
    assert BODY[blocks[3].start : blocks[3].end] == b'"my key":"word"'


def test_a_value_of_another_type_says_where_it_stands():
    _, spans = envelope.opened(BODY)

    assert envelope.value(envelope.counts, BODY, spans, "n", None) == 3
    assert envelope.value(envelope.counts, BODY, spans, "absent", None) is None
    with pytest.raises(ClientError, match=r"model: expected `int \| null`, got `str`"):
        envelope.value(envelope.counts, BODY, spans, "model", None)


def test_headers_pass_by_name_or_prefix_and_always_say_json():
    told = Request("d", "/x", b"{}", "m", False, (), {}, (("accept", "*/*"), ("x-own-a", "1")))

    assert envelope.sent_on(told, {"accept"}) == (envelope.JSON, ("accept", "*/*"))
    assert envelope.sent_on(told, (), ("x-own-",)) == (envelope.JSON, ("x-own-a", "1"))
    assert envelope.sent_on(None, {"accept"}) == (envelope.JSON,)


def test_all_that_was_said_is_told_by_part_with_its_seal():
    told = heard([
        Start("1", "m"),
        Open(0, PartKind.THINKING), Delta(0, "so "), Delta(0, "be it"), Signed(0, "seal"), Close(0),
        Open(1, PartKind.REDACTED_THINKING, text="cipher"), Close(1),
        Open(2, PartKind.TOOL_CALL, "id", "f"), Close(2),
        Stop(Why.TOOL_CALLS),
    ])  # fmt: skip

    learnt = told.learnt()
    assert (learnt.texts, learnt.signatures, learnt.calls) == (
        ("so be it",),
        ("seal", "cipher"),
        ("id",),
    )
    assert learnt.finished
    assert told.learnt(texts=False).texts == ()


def test_an_answer_that_failed_did_not_finish():
    told = heard([Start("1", "m"), Stop(Why.END), Failed("it broke")])

    assert not told.learnt().finished
    assert told.learnt().failure == "it broke"


@pytest.mark.parametrize(("said", "count"), [(None, 0), (-5, 0), (7, 7), (2**63, MOST_TOKENS)])
def test_a_count_from_outside_stays_within_reason(said, count):
    assert tokens(said) == count


RESPONSE = (
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"a"}'
)


@pytest.mark.parametrize(
    ("dialect", "piece"),
    [
        (OpenAIResponses(), RESPONSE),
        (Ollama(), b'{"message":{"role":"assistant","content":"a"},"done":false}'),
        (OpenAIChat(), b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}'),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
@pytest.mark.parametrize("whole", [True, False])
def test_half_a_last_piece_is_a_cut_and_a_whole_one_is_still_heard(dialect, piece, whole):
    parser = dialect.parser()
    parser.feed(piece if whole else piece[:-5])
    *said, failed = parser.end()
    assert failed == Failed("the answer was cut short")
    assert [event.text for event in said if isinstance(event, Delta)] == (["a"] if whole else [])
