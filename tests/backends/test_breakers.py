import pytest
from msgspec.structs import replace

from halfdoor.backends.breakers import Breakers
from halfdoor.canon.commands import Answered, Fault, Faulted, FaultKind, HungUp, Learnt
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone

SONNET = Target("sonnet", "anthropic", "claude-x", Zone.CLOUD, "d", "v")
HAIKU = Target("haiku", "anthropic", "claude-h", Zone.CLOUD, "d", "v")
PLACE = ("anthropic", "claude-x")
WELL = Answered(200, Learnt(finished=True), 1, 1, 1, 1)


class World:
    """A clock that a test sets, no chance, and breakers."""

    def __init__(self):
        self.ms = 1_000_000
        self.breakers = Breakers(lambda: self.ms, lambda: 0.999999)

    def fails(self, kind=FaultKind.STATUS, status=0, headers=(), target=SONNET):
        self.breakers.asked(target)
        fault = Fault(kind, "scripted", status, headers)
        self.breakers.heard(target, Faulted(fault, False, Learnt(), 1, 0, -1, 1))

    @property
    def unwell(self):
        return dict(self.breakers.unwell())


@pytest.fixture
def world():
    return World()


def test_a_backend_that_cannot_be_reached_is_unwell_with_all_its_models(world):
    world.fails(FaultKind.CONNECT)
    assert world.unwell["anthropic", ""].said == "connect"


@pytest.mark.parametrize(("kind", "status"), [("timeout", 0), ("status", 429), ("status", 529)])
def test_what_tells_how_it_is_trips_at_once(world, kind, status):
    world.fails(FaultKind(kind), status)
    assert list(world.unwell) == [PLACE]


@pytest.mark.parametrize(("kind", "status"), [("cut", 0), ("protocol", 0), ("status", 500)])
def test_what_may_be_chance_trips_at_the_third_in_a_row(world, kind, status):
    for _ in range(2):
        world.fails(FaultKind(kind), status)
    assert not world.unwell
    world.fails(FaultKind(kind), status)
    assert list(world.unwell) == [PLACE]


def test_an_account_without_credit_is_asked_again_after_a_minute_and_not_after_two_seconds(world):
    world.fails(FaultKind.QUOTA, 400)
    assert world.unwell[PLACE].said == "quota"
    world.ms += 59_000
    assert list(world.unwell) == [PLACE]
    world.ms += 1_000
    assert not world.unwell


def test_a_callers_own_account_without_credit_says_nothing_to_the_others(world):
    world.fails(FaultKind.QUOTA, 400, target=replace(SONNET, client_credentials=True))
    assert not world.unwell


def test_an_answer_between_makes_it_no_row(world):
    for _ in range(5):
        world.fails(FaultKind.CUT)
        world.breakers.heard(SONNET, WELL)
    assert not world.unwell


def test_each_further_failure_doubles_the_pause_up_to_a_minute(world):
    pauses = []
    for _ in range(8):
        world.fails(FaultKind.TIMEOUT)
        pauses.append(round(world.unwell[PLACE].for_ms, -2))
        world.ms += world.unwell[PLACE].for_ms
    assert pauses == [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]


def test_half_of_a_pause_is_chance():
    breakers = Breakers(lambda: 0, lambda: 0.0)
    breakers.heard(SONNET, Faulted(Fault(FaultKind.TIMEOUT, "x"), False, Learnt(), 1, 0, -1, 1))
    assert breakers.unwell()[PLACE].for_ms == 1_000


def test_retry_after_is_heeded_and_bounded(world):
    world.fails(status=429, headers=(("Retry-After", "30"),))
    assert world.unwell[PLACE].for_ms == 30_000
    world.fails(status=429, headers=(("retry-after", "99999"),))
    assert world.unwell[PLACE].for_ms == 300_000
    world.breakers.heard(SONNET, WELL)
    world.fails(status=429, headers=(("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"),))
    assert world.unwell[PLACE].for_ms <= 2_000


def test_one_exchange_tries_again_and_the_others_wait_for_what_it_learns(world):
    world.fails(FaultKind.TIMEOUT)
    world.ms += 2_000
    assert not world.unwell
    world.breakers.asked(SONNET)
    assert list(world.unwell) == [PLACE]
    world.breakers.heard(SONNET, WELL)
    assert not world.unwell


def test_a_probe_whose_client_hangs_up_lets_the_next_one_try(world):
    world.fails(FaultKind.TIMEOUT)
    world.ms += 2_000
    world.breakers.asked(SONNET)
    world.breakers.heard(SONNET, HungUp(False, Learnt(), 1, 0, -1, 1))
    assert not world.unwell


def test_a_probe_that_never_ends_keeps_the_others_away_for_half_a_minute(world):
    world.fails(FaultKind.TIMEOUT)
    world.ms += 2_000
    world.breakers.asked(SONNET)
    world.ms += 30_000
    assert not world.unwell


def test_an_error_that_is_the_requests_own_says_that_the_backend_is_well(world):
    world.fails(FaultKind.TIMEOUT)
    world.fails(status=400)
    assert not world.unwell


def test_halfdoors_own_faults_say_nothing_of_a_backend(world):
    for kind in (FaultKind.BUDGET, FaultKind.ZONE, FaultKind.STOPPED, FaultKind.UNTRANSLATABLE):
        for _ in range(5):
            world.fails(kind)
    assert not world.unwell


def test_a_limit_of_one_callers_own_key_is_not_the_others(world):
    own = Target("c", "anthropic", "claude-x", Zone.CLOUD, "d", "v", client_credentials=True)
    world.fails(status=429, target=own)
    assert not world.unwell


def test_an_error_inside_the_stream_counts_as_a_cut(world):
    for _ in range(3):
        world.breakers.heard(SONNET, Answered(200, Learnt(failure="overloaded"), 1, 1, 1, 1))
    assert world.unwell[PLACE].said == "cut"


def test_models_without_end_do_not_fill_the_memory(world):
    for number in range(3_000):
        target = Target("t", "b", f"m{number}", Zone.CLOUD, "d", "v")
        world.fails(FaultKind.TIMEOUT, target=target)
    assert len(world.unwell) <= 1024
