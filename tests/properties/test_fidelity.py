"""Promise 6: in one dialect the far side gets the client's own bytes, but for splices that are named."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from halfdoor.canon.labels import Zone
from halfdoor.dialects.base import EDITS
from halfdoor.reading.splice import apply
from halfdoor.wiring import DIALECTS
from tests.mutate.mutations import Case
from tests.mutate.run import ASKED, ROUTES
from tests.mutate.world import CARDS as LIMITED
from tests.mutate.world import Door

# What each splice may change at the top of a body.
TOUCHED = {
    "model": {"model"},
    "max-tokens": {"max_tokens", "max_completion_tokens", "max_output_tokens", "options"},
    "thinking-budget": {"thinking"},
    "include-usage": {"stream_options"},
    "drop-thinking": {"messages", "input"},
    "context-window": {"options", "truncate"},
}
SEEDS = [seed for seed in ASKED if seed.path != "/api/show"]
PATHS = pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed.path} {len(seed.body)}")
SAME = {
    "openai_chat": "by-chat",
    "anthropic_messages": "by-messages",
    "openai_responses": "by-responses",
    "ollama": "by-ollama",
}
# The same models, without a limit that a request could exceed, called by their own names, and each
# its dialect's own vendor's: what only that may have stays.
CARDS = tuple(
    structs.replace(
        card,
        max_output_tokens=None,
        model_id=card.name,
        zone=Zone.CLOUD,
        vendor=DIALECTS[card.dialect].vendor or card.vendor,
    )
    for card in LIMITED
)
FEW = settings(max_examples=25, deadline=None)
# Numbers that a reader writes in another way than it found them, and fields nobody knows.
NUMBERS = st.sampled_from(["1.0", "1e2", "1E+2", "-0.0", "0.10", "12345678901234567890", "-0"])
ODD = st.dictionaries(
    st.text("xyzß\u2028", min_size=1, max_size=4).map("x_{}".format), NUMBERS, max_size=3
)


@st.composite
def styled(draw, body: dict[str, Any]) -> bytes:
    """The same request as another writer would write it: order, white space, escapes, odd numbers."""
    order = draw(st.permutations(sorted(body)))
    gap = draw(st.sampled_from(["", " ", "\n  ", "\t", "\r\n"]))
    style = {"ensure_ascii": draw(st.booleans()), "separators": (f",{gap}", f":{gap}")}
    told = [f"{json.dumps(key)}{gap}:{json.dumps(body[key], **style)}" for key in order]
    told += [f"{json.dumps(key)}:{gap}{number}" for key, number in draw(ODD).items()]
    text: str = gap + "{" + gap + f"{gap},".join(told) + gap + "}" + gap
    return text.encode()


def asked(seed):
    """Its body, to the model of its own dialect, with nothing that has to be changed for it."""
    return seed.made(SAME[ROUTES[seed.path]], stream=False)


@PATHS
@FEW
@given(data=st.data())
def test_only_named_splices_are_made_and_all_else_is_the_clients_own(seed, data):
    body = data.draw(styled({**asked(seed), "stream": data.draw(st.booleans())}))
    near = DIALECTS[ROUTES[seed.path]]
    request = near.read(seed.path, (), "", body)
    seals = data.draw(st.sampled_from([frozenset(), frozenset({"c2VhbA=="}), frozenset({""})]))
    made_edits = near.edits(
        request,
        model_id=data.draw(st.sampled_from([request.model, "other:1b", 'a"b'])),
        max_output_tokens=data.draw(st.sampled_from([None, 1, 16, 10**6])),
        drop_signatures=seals,
        context_tokens=data.draw(st.sampled_from([None, 32768])),
    )
    edits = sorted(made_edits, key=lambda edit: edit.start)
    made = apply(body, made_edits)
    kinds = {edit.kind for edit in edits}
    assert kinds <= EDITS
    assert outside(body, edits) == kept(made, edits)
    before, after = json.loads(body), json.loads(made)
    touched = {key for kind in kinds for key in TOUCHED[kind]}
    assert {key for key in {*before, *after} if before.get(key) != after.get(key)} <= touched


def outside(body, edits):
    """What no splice replaces."""
    ends = [0, *(edit.end for edit in edits)]
    starts = [*(edit.start for edit in edits), len(body)]
    return [body[end:start] for end, start in zip(ends, starts, strict=True)]


def kept(made, edits):
    """The same pieces, as they stand in the result."""
    pieces, at, last = [], 0, 0
    for edit in edits:
        assert last <= edit.start <= edit.end
        pieces.append(made[at : at + edit.start - last])
        at += edit.start - last + len(edit.replacement)
        last = edit.end
    return [*pieces, made[at:]]


@PATHS
@FEW
@given(data=st.data())
def test_a_request_that_needs_no_splice_arrives_as_it_was_sent(seed, data):
    case = Case(None, {"content-type": "application/json"})
    case.data = data.draw(styled(asked(seed)))
    client, sent = asyncio.run(Door(CARDS).ask(seed.path, case, 1 << 20))
    assert client.status == 200
    assert [one.body for one in sent] == [case.data]
