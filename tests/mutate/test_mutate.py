"""A share of `make mutate` with a fixed seed, and proof that its judge sees what it must see."""

import pytest

from halfdoor.canon.commands import Outbound
from tests.helpers.asgi import AsgiClient
from tests.mutate import judge
from tests.mutate.run import ASKED, ROUTES, made, run
from tests.mutate.seeds import SEEDS
from tests.mutate.world import Door

SHARES = 4
SHARE = 400


@pytest.mark.parametrize("share", range(SHARES))
async def test_a_broken_request_is_refused_in_its_own_words_or_answered(share):
    found = await run(4114, range(share * SHARE, (share + 1) * SHARE))
    assert not found.wrong
    assert found.cases == SHARE
    assert found.sent_on > SHARE / 8
    assert len(found.mutations) > 15


def test_every_endpoint_that_takes_a_request_is_tried():
    endpoints = {path for path in ROUTES if not path.startswith("/v1/v1/")}
    tried = {seed.path for seed in SEEDS}
    assert not {path for path in endpoints if path not in tried and f"/v1{path}" not in ROUTES} - {
        path for path in endpoints if path.removeprefix("/v1") in tried
    }


@pytest.mark.parametrize("seed", ASKED, ids=lambda seed: f"{seed.path} {len(seed.body)}")
async def test_what_the_mutations_begin_from_is_answered(seed):
    door = Door()
    for asked in seed.asked:
        _, case, _ = made(0, 0)
        case.value, case.headers, case.query = seed.made(asked, stream=False), {}, ""
        case.write()
        client, sent = await door.ask(seed.path, case, 1 << 20)
        assert client.status == 200, client.body
        assert judge.wrong(client, sent, ROUTES[seed.path]) == ""


def test_a_number_makes_the_same_request_again():
    assert [made(7, n)[1].data for n in range(50)] == [made(7, n)[1].data for n in range(50)]
    assert made(7, 3)[1].data != made(8, 3)[1].data


def answered(status, body, kind="application/json"):
    return AsgiClient([], None, status, {"content-type": kind}, body, whole=True)


@pytest.mark.parametrize(
    ("client", "dialect"),
    [
        (answered(500, b"{}"), "openai_chat"),
        (answered(502, b'{"error":{"message":"m","type":"t","param":null,"code":"c"}}'), "ollama"),
        (answered(400, b"no"), "openai_chat"),
        (answered(400, b'{"error":"a string"}'), "openai_chat"),
        (answered(400, b'{"error":{"message":"m","type":"t"}}'), "anthropic_messages"),
        (answered(400, b'{"error":{"message":"m"}}'), "ollama"),
        (answered(200, b'{"half'), "openai_chat"),
        (answered(200, b'data: {"half\n\n', "text/event-stream"), "openai_chat"),
        (answered(200, b'{"error":{"message":"m"}}'), "openai_chat"),
    ],
)
def test_the_judge_sees_a_wrong_answer(client, dialect):
    assert judge.wrong(client, [], dialect)


@pytest.mark.parametrize(
    "body", [b'{"a":1,"a":2}', b'{"a":+1}', b'{"a":{}},"b":1}', b'{"a":"\xff"}']
)
def test_the_judge_sees_a_body_that_two_readers_take_differently(body):
    sent = [Outbound("/chat/completions", (), body, stream=False)]
    assert judge.wrong(answered(200, b"{}"), sent, "openai_chat")
