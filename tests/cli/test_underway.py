"""What runs now, as `ps` and `ps --watch` show it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from io import StringIO

import pytest
from rich.console import Console

from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Price
from halfdoor.canon.scene import Depth, Unwell
from halfdoor.cli.held import Held, worded
from halfdoor.cli.options import settings
from halfdoor.cli.underway import Watcher
from halfdoor.cli.watching import CALLS, calls, picture
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.live import Live, note
from halfdoor.store.schema import FILE
from tests.cli.commands import halfdoor, settle_in
from tests.record.samples import decided, outcome

FREE = Price(0, 0)
QWEN = Target("qwen3-coder:30b", "gpu", "q", Zone.DEVICE, "openai_chat", "gpu", price=FREE)
SONNET = Target("sonnet", "far", "s", Zone.CLOUD, "openai_chat", "far", price=Price(3, 15))
BARE = Target("other", "far", "o", Zone.CLOUD, "openai_chat", "far")
FRAME = b"data: {}\n\n"
NOW = 1_800_000_000_000

CONFIG = """
[[backends]]
name = "gpu"
dialect = "openai_chat"
url = "http://127.0.0.1:1/v1"
zone = "device"
slots = 2

[[backends]]
name = "far"
dialect = "openai_chat"
url = "https://models.example/v1"
zone = "cloud"
[backends.slo]
availability = 0.99
"""


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def config(tmp_path, monkeypatch):
    settle_in(monkeypatch, str(tmp_path))
    path = tmp_path / "config.toml"
    path.write_text(f'[server]\nlisten = "127.0.0.1:9"\nstate_dir = "{tmp_path}/s"\n{CONFIG}')
    path.chmod(0o600)
    return path


@pytest.fixture
def loaded(config):
    return settings(config)


@pytest.fixture
def table(loaded, clock):
    return Live(loaded.state_dir, clock)


def begun(table, number, target, **more):
    call = table.called(decided(number, **{"tool": "aider", "expected_tokens": 100} | more), target)
    call.asked()
    return call


def pictured(now, loaded, width):
    """What a terminal of 24 lines shows."""
    said = StringIO()
    screen = Console(file=said, force_terminal=True, color_system=None, width=width, height=24)
    screen.print(picture(now, loaded, screen, 10))
    return said.getvalue()


def test_who_waits_has_a_place_among_those_for_the_same_backend(table, loaded, clock):
    begun(table, 1, QWEN)
    for number, target in enumerate((QWEN, SONNET, QWEN), 2):
        clock.now += 10
        table.called(decided(number), target)
    now = Watcher(loaded).look(clock.now)
    assert [(c.model, c.position, c.of) for c in now.calls] == [
        ("qwen3-coder:30b", 0, 0),
        ("qwen3-coder:30b", 1, 2),
        ("sonnet", 1, 1),
        ("qwen3-coder:30b", 2, 2),
    ]


def test_places_are_the_fair_queues_and_who_has_just_come_is_last(table, loaded, clock):
    for number in range(1, 5):
        clock.now += 10
        table.called(decided(number), QWEN)
    first, second, third = (decided(number).id for number in (1, 2, 3))
    table.beat(note({}, {QWEN.backend: (Depth(None, 1, 3), (third, first, second))}))
    now = Watcher(loaded).look(clock.now)
    assert [(c.position, c.of) for c in now.calls] == [(2, 4), (3, 4), (1, 4), (4, 4)]
    assert next(b.slots for b in now.backends if b.name == QWEN.backend) is None


def test_speed_is_since_the_last_look_and_at_first_since_the_stream_began(table, loaded, clock):
    call = begun(table, 1, SONNET)
    watcher = Watcher(loaded)
    assert watcher.look(clock.now).calls[0].tokens_per_s is None
    call.passed(FRAME)
    clock.now += 2_000
    call.passed(FRAME * 9)
    (first,) = watcher.look(clock.now).calls
    assert (first.tokens, first.tokens_per_s) == (10, 5.0)
    clock.now += 1_000
    call.passed(FRAME * 40)
    assert watcher.look(clock.now).calls[0].tokens_per_s == 40.0


def test_cost_so_far_is_the_prompt_and_what_has_come(table, loaded, clock):
    priced, unpriced = begun(table, 1, SONNET), begun(table, 2, BARE)
    for call in (priced, unpriced, begun(table, 3, QWEN)):
        call.passed(FRAME * 10)
    found = {call.model: call.cost for call in Watcher(loaded).look(clock.now).calls}
    assert found == {"sonnet": 100 * 3 + 10 * 15, "other": None, "qwen3-coder:30b": 0}


def test_a_prompt_that_nobody_measured_has_no_cost_unless_it_is_free(table, loaded, clock):
    begun(table, 1, SONNET, expected_tokens=0)
    begun(table, 2, QWEN, expected_tokens=0)
    assert [call.cost for call in Watcher(loaded).look(clock.now).calls] == [None, 0]


def test_a_backend_tells_its_slots_its_breaker_and_what_it_is_held_to(table, loaded, clock):
    keys = LogKeys.load_or_create(loaded.state_dir)
    file = LogFile(loaded.state_dir / FILE, keys)
    when = "2027-01-15T07:59:30.000Z"
    bad = outcome(1).attempts[0].__class__("sonnet", "far", "cloud", "connect", 0, 0, 0, 5)
    for number in range(4):
        ended = outcome(number, attempts=(bad,), result="failed", time=when)
        file.append([decided(number), ended], last=True)
    file.close()
    unwell = {("far", ""): Unwell("connect", 4_000)}
    table.beat(note(unwell, {"gpu": (Depth(2, 2, 5), ())}))
    gpu, far = Watcher(loaded).look(clock.now).backends
    assert (gpu.slots, gpu.tripped, gpu.objectives) == (2, {}, ())
    assert far.tripped == {"connect": 4_000}
    assert (far.objectives[0].alarm, far.objectives[0].urgent) == ("1h", True)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (Held("availability", 0.99, 0.9987, {"1h": 0.1}, "", False), "99.87% up"),
        (Held("first_token", 0.95, 1.0, {"1h": 0.0}, "", False), "100% in time"),
        (Held("availability", 0.99, 0.5, {"1h": 50.0}, "1h", True), "!! up: burns 50x in 1h"),
        (Held("availability", 0.99, None, {"1h": 0.0}, "", False), ""),
    ],
)
def test_an_objective_is_told_in_a_few_words(held, words):
    assert worded(held) == words


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_picture_keeps_to_the_screen(table, loaded, clock, width):
    for number in range(40):
        begun(table, number, QWEN, project="a-project-with-a-name", tool="claude-code").passed(
            FRAME
        )
    lines = pictured(Watcher(loaded).look(clock.now), loaded, width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24
    assert "1 process, 40 under way, 0 waiting" in lines[0]


def test_what_runs_is_not_listed_twice(table, loaded, clock):
    file = LogFile(loaded.state_dir / FILE, LogKeys.load_or_create(loaded.state_dir))
    file.append([decided(1), decided(2), outcome(2)], last=True)
    file.close()
    begun(table, 1, SONNET)
    shown = pictured(Watcher(loaded).look(clock.now), loaded, 80)
    assert "open" not in shown
    assert "answered" in shown


def test_once_what_runs_stands_above_the_newest(table, config, clock, monkeypatch):
    monkeypatch.setattr("halfdoor.cli.ps.time.time_ns", lambda: clock.now * 1_000_000)
    begun(table, 1, SONNET).passed(FRAME)
    said = halfdoor("ps", "--config", str(config)).stdout.splitlines()
    assert next(line for line in said if line.startswith("AGE")).split() == list(CALLS)
    told = json.loads(halfdoor("ps", "--json", "--config", str(config)).stdout)
    assert told["now"]["calls"][0]["model"] == "sonnet"


def test_nobody_watching_is_shown_once(table, config):
    said = halfdoor("ps", "--watch", "--config", str(config)).stdout
    assert "\x1b" not in said
    assert "no exchange has been recorded yet" in said


def test_an_age_is_told_in_seconds_and_then_in_minutes(table, loaded, clock):
    begun(table, 1, SONNET)
    ages = [calls(Watcher(loaded).look(clock.now + ms))[0][0] for ms in (900, 4_000)]
    assert ages == ["0s", "4s"]


def started(config, *options):
    command = [sys.executable, "-m", "halfdoor", "ps", "--watch", "--config", str(config)]
    return [*command, "--interval", "0.2", *options]


def test_programs_get_a_line_a_look(config, processes):
    command = started(config, "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        looks = [json.loads(running.stdout.readline()) for _ in range(2)]
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 0
    assert [look["processes"] for look in looks] == [0, 0]
    assert looks[1]["at_ms"] > looks[0]["at_ms"]


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_terminal_is_left_as_it_was(config, processes, how, code):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        started(config),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    ) as running:
        os.close(theirs)
        said = read(ours, until=b"no gateway runs here")
        running.send_signal(how)
        said += read(ours, until=b"\x1b[?1049l")
        assert running.wait(20) == code
    os.close(ours)
    assert said.count(b"\x1b[?1049h") == said.count(b"\x1b[?1049l") == 1
    assert said.count(b"\x1b[?25l") == said.count(b"\x1b[?25h") == 1
    assert b"Traceback" not in said


def read(descriptor, until):
    """What a terminal shows, up to and with these bytes."""
    said, deadline = b"", time.monotonic() + 30
    while until not in said:
        assert time.monotonic() < deadline, said
        if select.select([descriptor], [], [], 0.1)[0]:
            said += os.read(descriptor, 65_536)
    return said
