"""A few seeds of what `make chaos` does with many."""

import pytest

from tests.chaos import hosted
from tests.chaos.run import Chaos
from tests.chaos.schedule import BACKENDS, Fault, schedule
from tests.chaos.weather import WAYS

# halfdoor is another process here; what it leaves open is counted in `run`.
pytestmark = pytest.mark.usefixtures("loopback", "processes")

# Little of everything that can happen to halfdoor itself, within weather.
STORM = [
    Fault(0, 0.2, "weather", ("far", "gpt"), "429, retry-after", 0.6),
    Fault(1, 0.3, "clock", (), "-86400000"),
    Fault(2, 0.5, "disk", (), "", 0.5),
    Fault(3, 1.2, "weather", ("near",), "cut in the stream", 0.4),
    Fault(4, 1.4, "kill"),
    Fault(5, 1.6, "weather", BACKENDS, "silence", 0.3),
    Fault(6, 1.8, "dead", ("near",), "", 0.4),
    Fault(7, 2.0, "clock", (), "2678400000"),
    Fault(8, 2.3, "restart"),
    Fault(9, 2.4, "weather", ("far",), "a broken chunk", 0.4),
]


async def test_a_storm_with_a_kill_a_full_disk_a_restart_and_a_clock_that_jumps(tmp_path):
    result = await Chaos(tmp_path / "storm", 7, STORM, each=1).run()
    assert result.found == []
    assert result.evidence.turns > 20
    assert result.evidence.upstream > 20


@pytest.mark.parametrize("seed", range(2))
async def test_nothing_is_lost_leaks_hangs_or_bricks_whatever_breaks(seed, tmp_path):
    result = await Chaos(tmp_path / "chaos", seed, schedule(seed, 8), each=1).run()
    assert result.found == []
    assert result.evidence.failed < result.evidence.turns


# halfdoor as ever, but a stop that goes well ends with 3.
ENDS_WITH_3 = "import atexit, os\natexit.register(os._exit, 3)\n"
# It is gone as soon as its clock is set.
GOES_BY_ITSELF = """
import os, pathlib, sys, threading, time

clock = pathlib.Path(sys.argv[1])

def watch():
    while not any(clock.read_bytes()):
        time.sleep(0.01)
    os._exit(4)

threading.Thread(target=watch, daemon=True).start()
"""
HOSTS = f"import runpy\nrunpy.run_path({hosted.__file__!r}, run_name='__main__')\n"


@pytest.mark.parametrize(
    ("planted", "last", "told"),
    [
        (ENDS_WITH_3, Fault(1, 0.3, "restart"), ["fault 1 (restart): halfdoor ended with 3"]),
        (
            GOES_BY_ITSELF,
            Fault(1, 0.3, "clock", (), "5000"),
            [
                "after the last fault: halfdoor had ended by itself",
                "at the end: halfdoor ended with 4",
            ],
        ),
    ],
)
async def test_a_gateway_that_ends_as_it_must_not_is_what_is_found(planted, last, told, tmp_path):
    program = tmp_path / "planted.py"
    program.write_text(planted + HOSTS)
    faults = [Fault(0, 0.2, "dead", ("near",), "", 0.6), last]
    result = await Chaos(tmp_path / "run", 5, faults, each=1, program=program).run()
    wanted = [f"seed 5, {each}" for each in told]
    assert [each.removesuffix(" at SIGTERM, not 0") for each in result.found[: len(told)]] == wanted


def test_the_same_seed_is_the_same_schedule_and_every_fault_stands_in_some():
    assert schedule(3, 50) == schedule(3, 50)
    faults = [fault for seed in range(20) for fault in schedule(seed, 50)]
    assert {fault.kind for fault in faults} == {
        "weather", "dead", "clock", "disk", "restart", "kill",
    }  # fmt: skip
    assert {fault.way for fault in faults if fault.kind == "weather"} == set(WAYS)
