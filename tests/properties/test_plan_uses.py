"""What is used of flat plans: after a restart it is what the ledger had counted, whatever befell."""

import dataclasses
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from halfdoor.canon.commands import Append, Begin, Call, Learnt, Reserve, Settle
from halfdoor.canon.money import Price, Usage
from halfdoor.canon.plans import Beyond, Plan, Window
from halfdoor.canon.record import Decided
from halfdoor.canon.request import Actor
from halfdoor.flow.exchange import exchange
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.ledger import Calendar, Ledger
from halfdoor.store.opening import used
from halfdoor.store.periods import zone
from halfdoor.store.schema import FILE
from tests.helpers.house import CLOUD, CLOUD_CHAT, LOCAL, house, request
from tests.helpers.playbook import PERMIT, SCENE, answered, faulted, hung_up
from tests.record.samples import exchange_id

LISTED = Price(3_000_000, 15_000_000)
CARDS = tuple(
    replace(card, price=LISTED) for card in (CLOUD, replace(CLOUD, name="opus"), CLOUD_CHAT, LOCAL)
)
MAX = Plan("max", 200 * 10**12, "month", models=("sonnet", "opus"), beyond=Beyond.PAY)
OTHER = Plan("other", 10**12, "month", models=("gpt",))
# So that some calls come too late, and are paid for or left out.
NARROW = (Window(18_000, requests=4), Window(604_800, tokens=30_000))
WIDE = (Window(18_000, requests=1_000),)

sent = st.sampled_from([0, 100])
failures = st.one_of(
    st.builds(faulted, st.sampled_from(["connect", "timeout", "cut", "busy"]), sent=sent),
    st.builds(faulted, st.just("status"), st.sampled_from([429, 500, 529])),
)
usages = st.sampled_from([None, Usage(2_000, 150), Usage(9, 0), Usage(-1, 2**60)])
# A call that was not the last has told nothing: what it told is not in the log.
ends = st.one_of(
    st.builds(lambda usage: answered(usage=usage), usages),
    st.builds(
        lambda over, usage: replace(over, learnt=Learnt(usage=usage)),
        st.sampled_from([hung_up(), hung_up(committed=True), faulted("cut", committed=True)]),
        usages,
    ),
)
scripts = st.lists(
    st.builds(lambda some, end: [*some, end], st.lists(failures, max_size=3), ends),
    min_size=1,
    max_size=5,
)


def soon(coroutine):
    """The result of what never waits: the ledger in memory."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waited")


class World:
    """A ledger in memory, and a log that outlives it."""

    def __init__(self, plans):
        self.plans = plans
        self.ledger = Ledger(Calendar((), lambda: SCENE.now_ms, zone("UTC")))
        self.entries = []
        self.house = dataclasses.replace(house(CARDS), plans=plans)

    def runs(self, script):
        scene = replace(SCENE, id=exchange_id(len(self.entries)))
        line, reply = exchange(request(text="hi"), Actor(), self.house), None
        try:
            while True:
                reply = self._replies(line.send(reply), scene, script)
        except StopIteration:
            return

    def _replies(self, command, scene, script):
        match command:
            case Begin():
                return replace(scene, spending=soon(self.ledger.spending((), self.plans)))
            case Append(entry=entry):
                self.entries.append(entry)
                return PERMIT if isinstance(entry, Decided) else None
            case Reserve():
                return soon(self.ledger.reserve(command))
            case Settle():
                return soon(self.ledger.settle(command))
            case Call():
                return next(script)
        return None

    def counted(self, plan):
        """Requests and tokens by the ledger that ran all the time."""
        fill = soon(self.ledger.spending((), (plan,))).plans[plan.name].fills[0]
        return fill.requests, fill.tokens

    def restarted(self):
        """The same of each plan, by one that begins now."""
        with tempfile.TemporaryDirectory() as name:
            file = LogFile(Path(name) / FILE, LogKeys.load_or_create(Path(name)))
            file.append(self.entries, last=True)
            file.close()
            found = [used(Path(name), plan, 0).values() for plan in self.plans]
        return [(sum(u.requests for u in uses), sum(u.tokens for u in uses)) for uses in found]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scripts, st.sampled_from([WIDE, NARROW]))
def test_a_ledger_that_begins_again_finds_a_plan_as_full_as_the_one_that_ran_left_it(
    written, windows
):
    plans = tuple(replace(plan, windows=windows) for plan in (MAX, OTHER))
    world = World(plans)
    for script in written:
        world.runs(iter(script))
    assert world.restarted() == [world.counted(plan) for plan in plans]
