import asyncio
import json

import pytest

from halfdoor.backends import admission
from halfdoor.backends.admission import Admission, Asked, show_url
from halfdoor.canon.labels import Zone
from halfdoor.errors import BackendError, LogError

HERE = (200, b'{"details":{"family":"qwen3"},"model_info":{}}')
AWAY = (200, b'{"remote_host":"https://ollama.com:443","remote_model":"gpt-oss:120b"}')
NO_OLLAMA = (404, b"404 page not found")
ABSENT = (404, b'{"error":"model \'qwen3\' not found"}')


class World:
    """An engine that says what it is told to, a clock that is set, a log that is kept."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.asked: list = []
        self.notes: list = []
        self.now_s = 1000.0
        self.full = False
        self.admission = Admission(self._note, lambda: self.now_s)
        self.name, self.zone, self.show_url = "ollama", Zone.DEVICE, "http://127.0.0.1/api/show"
        self.qwen = Asked(self, "qwen3", "qwen")

    async def show(self, body):
        self.asked.append(json.loads(body))
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _note(self, event, facts):
        if self.full:
            raise LogError("full")
        self.notes.append((event, facts))

    async def begin(self):
        """The background's first questions, answered; it goes on."""
        keeping = asyncio.create_task(self.admission.keep(lambda: [self.qwen]))
        for _ in range(10):
            await asyncio.sleep(0)
        return keeping

    async def kind(self, zone=Zone.DEVICE, model="qwen3"):
        """The fault of a call, "" when it may be made."""
        try:
            await self.admission.admit(Asked(self, model, "qwen"), zone)
        except BackendError as error:
            return error.kind
        return ""


def down(kind="connect"):
    return BackendError("cannot be reached", kind=kind)


async def test_a_model_that_its_engine_runs_itself_may_be_called():
    world = World(HERE)
    assert await world.kind() == ""
    assert world.asked == [{"model": "qwen3"}]


@pytest.mark.parametrize(
    "said",
    [
        b'{"remote_host":"https://ollama.com:443"}',
        b'{"remote_model":"gpt-oss:120b"}',
        b'{"remote_host":["odd"]}',
        b'{"remote_host":1}',
    ],
)
async def test_an_alias_whose_name_says_nothing_is_refused_when_its_engine_admits_to_it(said):
    world = World((200, said))
    assert await world.kind() == "zone"
    assert world.admission.widened == {("ollama", "qwen3"): Zone.CLOUD}


async def test_what_was_found_elsewhere_is_noted_once_and_never_asked_about_again():
    world = World(AWAY)
    assert [await world.kind() for _ in range(3)] == ["zone"] * 3
    assert len(world.asked) == 1
    facts = {"backend": "ollama", "model": "qwen", "by": "engine", "from": "device", "to": "cloud"}
    assert world.notes == [("widened", facts)]


async def test_what_cannot_be_noted_is_refused_all_the_same():
    world = World(AWAY)
    world.full = True
    assert await world.kind() == "zone"
    assert world.admission.widened


async def test_a_request_that_was_decided_for_the_cloud_asks_nobody():
    world = World(AWAY)
    assert await world.kind(zone=Zone.CLOUD) == ""
    assert not world.asked


async def test_a_fresh_answer_is_believed_and_an_old_one_asked_again():
    world = World(HERE)
    await world.kind()
    world.now_s += admission.FRESH_S
    await world.kind()
    assert len(world.asked) == 1
    world.now_s += 0.1
    await world.kind()
    assert len(world.asked) == 2


async def test_an_alias_that_is_pointed_elsewhere_at_run_time_is_refused_within_a_minute():
    world = World(HERE, AWAY)
    assert await world.kind() == ""
    world.now_s += admission.FRESH_S + 0.1
    assert await world.kind() == "zone"


async def test_an_alias_that_is_pointed_back_counts_as_elsewhere_until_a_restart():
    world = World(AWAY, HERE)
    await world.kind()
    world.now_s += 10_000
    assert await world.kind() == "zone"


@pytest.mark.parametrize(
    "answer", [NO_OLLAMA, (405, b""), (401, b"{}"), (200, b"<html>"), (200, b'["odd"]')]
)
async def test_an_engine_that_has_no_such_page_keeps_its_claim_and_is_remembered(answer):
    world = World(answer)
    assert [await world.kind() for _ in range(3)] == [""] * 3
    assert len(world.asked) == 1
    world.now_s += admission.FRESH_S + 1
    assert await world.kind() == ""
    assert len(world.asked) == 2


async def test_a_model_that_is_not_there_is_asked_about_each_time_since_it_may_be_made_any_moment():
    world = World(ABSENT, ABSENT, AWAY)
    assert [await world.kind() for _ in range(3)] == ["", "", "zone"]


@pytest.mark.parametrize("trouble", [down("timeout"), down("cut"), (503, b""), (429, b"")])
async def test_an_engine_that_cannot_say_is_not_called(trouble):
    assert await World(trouble).kind() == "zone"


@pytest.mark.parametrize("kind", ["connect", "tls"])
async def test_an_engine_that_is_not_there_is_told_as_that(kind):
    assert await World(down(kind)).kind() == kind


@pytest.mark.parametrize("trouble", [down(), down("timeout"), (503, b"")])
async def test_while_an_engine_cannot_be_asked_its_last_answer_holds_ten_minutes(trouble):
    world = World(HERE, trouble)
    begun = world.now_s
    await world.kind()
    for after in (61, 300, 599):
        world.now_s = begun + after
        assert await world.kind() == ""
    world.now_s = begun + admission.KEPT_S + 1
    assert await world.kind() != ""


async def test_an_engine_in_trouble_is_not_asked_with_every_request():
    world = World(HERE, down())
    await world.kind()
    world.now_s += 61
    for _ in range(5):
        await world.kind()
    assert len(world.asked) == 2


async def test_many_requests_at_once_ask_once():
    world = World(HERE)
    assert set(await asyncio.gather(*(world.kind() for _ in range(20)))) == {""}
    assert len(world.asked) == 1


async def test_a_request_that_is_cancelled_leaves_the_question_to_the_others():
    world = World(HERE)
    first = asyncio.create_task(world.kind())
    await asyncio.sleep(0)
    second = asyncio.create_task(world.kind())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == ""
    assert len(world.asked) == 1


async def test_what_is_in_use_is_asked_about_again_ahead_of_need():
    world = World(HERE)
    await world.kind()
    world.now_s += admission.AHEAD_S + 1
    await world.admission.refresh()
    assert len(world.asked) == 2
    world.now_s += admission.FRESH_S - 1
    await world.kind()
    assert len(world.asked) == 2


async def test_what_nobody_uses_is_not_asked_about_for_ever():
    world = World(HERE)
    await world.kind()
    for _ in range(30):
        world.now_s += admission.AHEAD_S + 1
        await world.admission.refresh()
    assert len(world.asked) < 1 + admission.USED_S / admission.AHEAD_S + 1


async def test_all_models_are_asked_about_at_the_start_in_the_background():
    world = World(HERE)
    (await world.begin()).cancel()
    await world.kind()
    assert len(world.asked) == 1


async def test_an_engine_that_is_down_at_the_start_is_nobodys_error():
    world = World(down(), HERE)
    keeping = await world.begin()
    assert not keeping.done()
    keeping.cancel()
    assert await world.kind() == ""


async def test_names_that_callers_choose_do_not_fill_the_memory():
    world = World(HERE)
    for number in range(admission.MOST + 50):
        await world.kind(model=f"m{number}")
    assert len(world.admission._known) == admission.MOST


async def test_a_backend_at_a_wider_address_counts_so_with_all_its_models_from_then_on():
    world = World(HERE)
    await world.kind()
    await world.admission.met("ollama", Zone.DEVICE, Zone.NETWORK)
    assert await world.kind() == "zone"
    assert await world.kind(zone=Zone.NETWORK) == ""
    [(event, facts)] = world.notes
    assert (event, facts["by"], facts["to"]) == ("widened", "address", "network")


def test_the_page_to_ask_stands_beside_the_compatible_apis():
    assert show_url("http://127.0.0.1:11434/v1") == "http://127.0.0.1:11434/api/show"
    assert show_url("http://127.0.0.1:11434/") == "http://127.0.0.1:11434/api/show"
    assert show_url("http://box/ollama/v1/") == "http://box/ollama/api/show"
