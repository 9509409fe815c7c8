"""A share of the hunt in every run of the tests; `make leakhunt` does the rest with the same code."""

import logging
import random

import pytest

from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Rule
from tests.helpers.asgi import AsgiClient
from tests.leakhunt import bodies, endpoints, everyday, files, flows, planted, repositories, split
from tests.leakhunt.canaries import FORMS, keys
from tests.leakhunt.faults import Dice, FailingLog, Journal
from tests.leakhunt.fuzz import HOUSE_CASES, RULES, Found, Fuzzer, unrecorded
from tests.leakhunt.ground import Ground
from tests.leakhunt.hunts import sample
from tests.leakhunt.places import PLACES
from tests.leakhunt.report import faults, lines
from tests.leakhunt.search import Finder
from tests.leakhunt.shapes import SHAPES, spots
from tests.leakhunt.status import WAITING
from tests.leakhunt.tally import Leak, Tally
from tests.leakhunt.ways import WAYS

SEED = 1
CANARIES = keys(random.Random(SEED))


@pytest.fixture(autouse=True)
def _quiet():
    """What fails on purpose says so."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
async def ground(tmp_path, loopback):
    tmp_path.chmod(0o700)
    async with Ground(tmp_path / "state") as started:
        yield started


@pytest.mark.parametrize(
    "part", [bodies, split, files, flows, everyday], ids=lambda part: part.__name__.split(".")[-1]
)
async def test_nothing_leaves_and_what_is_harmless_does(ground, part):
    tally = Tally()
    await part.hunt(ground, CANARIES, tally)
    assert faults(tally, Found()) == []
    assert tally.requests or tally.waiting or sum(tally.everyday.values()) == everyday.REQUESTS


async def test_nothing_leaves_by_the_other_endpoints_and_their_twins_do(ground):
    tally = Tally()
    await endpoints.hunt(ground, CANARIES, tally, seed=SEED)
    assert faults(tally, Found()) == []
    tried = {name.partition(": ")[0] for name in tally.by(1)}
    assert {shape.name for shape in SHAPES} <= tried
    assert tally.requests > 900


def test_every_string_of_a_body_is_a_place_where_it_is_free():
    (shape,) = (shape for shape in SHAPES if shape.name == "ollama chat")
    named = {spot.name for spot in spots(shape)}
    wanted = {"messages.1.images.0", "messages.2.tool_calls.0.function.arguments.deep.0.0"}
    assert wanted | {"messages.3.content", "format.properties.kind.enum.0", "object key"} <= named
    assert not any(name.endswith((".role", ".type")) for name in named)


async def test_nothing_of_a_repository_that_stays_leaves(tmp_path, loopback):
    tally, state = Tally(), tmp_path / "state"
    state.mkdir(mode=0o700)
    await repositories.hunt(tmp_path / "checkouts", state, tally)
    assert faults(tally, Found()) == []
    assert tally.requests or tally.waiting["repositories"]


async def test_a_share_of_the_planted_keys_stays(ground):
    tally, chosen = Tally(), sample(SEED, 40)
    await planted.hunt(ground, chosen, tally)
    assert faults(tally, Found()) == []
    assert (tally.requests, tally.controls) == (len(chosen), len(chosen) + 1)
    assert tally.bytes_searched > 1000 * len(chosen)  # the controls came, and were looked through


def test_every_key_place_and_way_is_among_the_cases():
    cases = list(planted.cases(SEED))
    assert {case.canary.name for case in cases} == set(FORMS)
    assert {case.place.name for case in cases} == {place.name for place in PLACES}
    assert {case.way.name for case in cases} == {way.name for way in WAYS}
    assert len(cases) > 5000


async def test_a_leak_over_http_would_be_seen(ground):
    """The same hunt without the label: what it looks for is a name that stands in every request."""
    name = CANARIES[0].name
    case = next(case for case in planted.cases(SEED) if case.canary.name == name)
    tally = Tally()
    finder = Finder({"parser": b"the parser keeps its state"})
    await planted.control(ground, case, finder, tally)
    assert [leak.how for leak in tally.leaks] == ["parser by "]
    planted.judge(ground, "a quiet cloud", finder, tally)
    assert len(tally.leaks) == 1


async def test_some_hundreds_of_generated_requests_neither_leak_nor_go_unrecorded():
    found = await Fuzzer(SEED).run(0, 15 * HOUSE_CASES)
    assert faults(Tally(), found) == []
    assert found.cases == 15 * HOUSE_CASES
    assert found.stayed > 100  # they were asked and answered, and not refused for some other reason
    assert found.free > 10
    assert all(found.faults.values())


async def test_the_fuzzer_would_see_a_leak():
    loose = (Rule("secret", "secret", Zone.CLOUD), *RULES[1:])
    assert (await Fuzzer(SEED, rules=loose).run(0, 3 * HOUSE_CASES)).leaks


async def test_a_case_of_the_fuzzer_is_the_same_each_time():
    one, other = [await Fuzzer(SEED).replay(HOUSE_CASES, 12) for _ in range(2)]
    assert one == other


def test_the_fuzzer_would_see_what_is_not_recorded():
    client = AsgiClient([], headers={"x-halfdoor-id": "hd_3"})
    events = [("called", "hd_1", ()), ("decided", "hd_1", None), ("outcome", "hd_1", None),
              ("decided", "hd_2", None), ("called", "hd_2", ())]  # fmt: skip
    assert unrecorded(events, client) == [
        "hd_1 was called before its decision",
        "hd_2 has no outcome",
        "hd_3 was told to the client and is not recorded",
    ]


async def test_a_log_that_refuses_is_noted_and_no_permit_given():
    from halfdoor.canon.record import Noted
    from halfdoor.errors import LogError

    journal = Journal()
    log = FailingLog(journal, Dice(random.Random(1), 1.0))
    with pytest.raises(LogError):
        await log.append(Noted("hd_1", "2026-11-21T00:00:00.000Z", "started"))
    assert journal.events == [("refused-entry", "hd_1", Noted)]


def test_the_report_names_everything_that_was_found():
    tally = Tally(leaks=[Leak("a case", "9 bytes")], held=["a twin"], unplanted=["a blank"])
    tally.everyday_held = ["a diff"] * 4
    told = "\n".join(faults(tally, Found(leaks=["f1"], unrecorded=["f2"], held=["f3"])))
    for word in ("a case", "a twin", "a blank", "a diff", "f1", "f2", "f3"):
        assert word in told
    assert any("seed 5" in line.lower() for line in lines(tally, Found(), 5, 1.0))


def test_what_waits_is_said_in_the_report():
    tally = Tally()
    tally.waiting.update(dict.fromkeys(WAITING, 2))
    told = "\n".join(lines(tally, Found(), 1, 1.0))
    assert all(f"not tried yet: 2 cases: {reason}" in told for reason in WAITING.values())
