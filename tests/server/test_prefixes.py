"""A session's next turn begins with the bytes of the one before, so that a model's cache finds them.

Twenty turns as the official SDKs make them: thinking, prose and two calls at once, results, and now
and then a person who says more. What is compared is what reached the far side.
"""

from itertools import pairwise

import pytest

from halfdoor.reading.spans import elements, members
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Say, Scene, Think, Use
from tests.helpers.sdk import STREAMED
from tests.helpers.tongues import SDKS, TOOLS, again, picture, results

pytestmark = pytest.mark.usefixtures("loopback")

TURNS = 20
SAID = {name: field for name, (_, _, field) in SDKS.items()}
FILES = ("src/notes.py", "payments/ledger.py")


@pytest.fixture(scope="module")
def door(server):
    with gateway(
        backends=[backend(name, server, name) for name in SDKS],
        models=[model(name, name, "real-model", context_tokens=32768) for name in SDKS],
        rules=[{"label": "path:payments/**", "ceiling": "device"}],
    ) as started:
        yield started


def scene(turn, session):
    """What the model does: it thinks, says and calls two tools; in each fifth turn it only speaks."""
    if turn % 5 == 4:
        return Scene((Say(f"That was step {turn}. ✓"),))
    calls = [
        Use("Read", {"file_path": f"{FILES[n]}", "step": turn}, f"call_{session}_{turn}_{n}")
        for n in (0, 1)
    ]
    thought = (Think(f"Step {turn} needs two files."),) if turn % 2 else ()
    return Scene((*thought, Say(f"Step {turn}."), *calls))


async def session(fake, door, near, far, *, how=STREAMED, turns=TURNS):
    """The bodies that reached the far side, one for each turn."""
    fake.reset()
    name = f"{near}_{far}_{how}"
    sdk, call, field = SDKS[near]
    said = picture(near)
    async with getattr(door, sdk)() as (client, _):
        for turn in range(turns):
            fake.play(scene(turn, name))
            asked = {field: said, "tools": [TOOLS[near]], **marked(near, said)}
            told = await call(client, how, model=far, **asked)
            more = results(near, told) if told.calls else person(near, f"Now step {turn + 1}.")
            said = [*said, *again(near, told), *more]
    assert [seen.status for seen in fake.seen] == [200] * turns
    return [seen.body for seen in fake.seen]


def person(near, text):
    """A tool of Messages writes blocks, so that it can mark one."""
    blocks = near == "anthropic_messages"
    return [{"role": "user", "content": [{"type": "text", "text": text}] if blocks else text}]


def marked(near, said):
    """A tool of Messages moves its cache's mark with each turn; it says system things apart."""
    if near != "anthropic_messages":
        return {}
    *before, last = said
    *blocks, block = last["content"]
    mark = {"cache_control": {"type": "ephemeral"}}
    billing = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2; cch=ab1;"}
    system = [billing, {"type": "text", "text": "You code.", **mark}]
    last = {**last, "content": [*blocks, {**block, **mark}]}
    return {"messages": [*before, last], "system": system}


def cut(body, far):
    """What stands before the last of its turns' end, and what follows."""
    found = {member.key: member for member in members(body)}[SAID[far]]
    *_, (_, end) = elements(body, found.start, found.end)
    return body[:end], body[end:]


def assert_grows(bodies, far):
    """Each begins with the one before, as far as its turns go; what follows them stays as it is."""
    for one, following in pairwise(cut(body, far) for body in bodies):
        assert following[0].startswith(one[0] + b",")
        assert following[1] == one[1]


@pytest.mark.parametrize("far", SDKS)
@pytest.mark.parametrize("near", SDKS)
async def test_twenty_turns_are_twenty_prefixes(server, door, near, far):
    bodies = await session(server, door, near, far)
    if (near, far) == ("anthropic_messages", "anthropic_messages"):
        return  # the client's own bytes, in which its mark moves: see the next test
    assert_grows(bodies, far)


async def test_where_the_client_moves_a_mark_its_bytes_are_all_that_moves(server, door):
    bodies = await session(server, door, "anthropic_messages", "anthropic_messages")
    mark = b',"cache_control":{"type":"ephemeral"}'
    assert all(body.count(mark) == 2 for body in bodies)
    assert_grows([body.replace(mark, b"") for body in bodies], "anthropic_messages")
