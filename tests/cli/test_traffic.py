import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from halfdoor.cli.traffic import last_turn, traffic
from halfdoor.config.connect import records, steps
from halfdoor.config.connect.files import settings_file
from halfdoor.config.tools.claude import CLAUDE
from halfdoor.config.tools.codex import CODEX
from halfdoor.config.tools.continues import CONTINUE
from halfdoor.config.tools.tool import Wish
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.schema import FILE
from tests.config.connect.texts import place
from tests.record.samples import decided, outcome

ROOT = "http://127.0.0.1:4114"
# Times are far ahead of the files', which are as old as the test.
START = datetime(2030, 1, 1, tzinfo=UTC)


def at(minutes):
    stamp = START + timedelta(minutes=minutes)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class World:
    """A home with connected tools, what they ran, and what came."""

    def __init__(self, home):
        self.home = home
        self.state = home / "state"
        self._entries = []

    def connect(self, tool, minutes=0):
        file = settings_file(place(tool), self.home, None)
        step = steps.connecting(
            tool, file, self.home, Wish(ROOT), self.state, nonce="1f2e3d4c", now=at(minutes)
        )
        steps.done(step, self.state)
        return file

    def ran(self, minutes, line='{"type":"assistant","timestamp":"%s"}'):
        file = self.home / ".claude/projects/p/s.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as session:
            session.write((line % at(minutes)) + "\n")
        future = (START + timedelta(days=9)).timestamp()
        os.utime(file, (future, future))

    def came(self, minutes, *, ended=True, **said):
        n = len(self._entries)
        made = {"tool": "claude", "token": "", "via": "", **said}
        self._entries.append(decided(n, time=at(minutes), **made))
        if ended:
            self._entries.append(outcome(n, time=at(minutes)))

    def told(self, project=None):
        if self._entries:
            file = LogFile(self.state / FILE, LogKeys.load_or_create(self.state))
            file.append(self._entries, last=True)
            file.close()
        return list(traffic(ROOT, self.home, project or self.home / "none", self.state))

    def state_of(self):
        (finding,) = self.told()
        return finding.state, finding.said


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_nothing_connected_is_nothing_to_tell(world):
    assert world.told() == []


def test_a_tool_that_has_not_run_since_is_well(world):
    world.connect(CLAUDE)
    world.ran(-5)
    state, said = world.state_of()
    assert (state, "has not run since" in said) == ("ok", True)


def test_a_turn_that_never_came_fails(world):
    world.connect(CLAUDE)
    world.ran(5)
    state, said = world.state_of()
    assert (state, "its turn of 2030-01-01 00:05:00Z never came" in said) == ("fail", True)
    assert "none came" in said


def test_a_turn_that_came_through_the_planted_address_is_well(world):
    world.connect(CLAUDE)
    world.ran(5)
    world.came(5, via="claude-1f2e3d4c")
    assert world.state_of()[0] == "ok"


def test_the_last_turn_counts_not_an_earlier_one(world):
    world.connect(CLAUDE)
    world.came(5, via="claude-1f2e3d4c")
    world.ran(5)
    world.ran(30)
    state, said = world.state_of()
    assert (state, "last exchange by it 2030-01-01 00:05:00Z" in said) == ("fail", True)


@pytest.mark.parametrize(
    "said",
    [
        {"via": "claude-99999999"},
        {"tool": "claude", "via": "codex-1f2e3d4c"},
        {"tool": "claude"},
        {"project": 'via":"claude-1f2e3d4c'},
    ],
)
def test_anothers_exchange_is_no_proof(world, said):
    world.connect(CLAUDE)
    world.ran(5)
    world.came(5, **said)
    assert world.state_of()[0] == "fail"


def test_a_turn_of_a_launched_tool_is_well(world):
    world.connect(CLAUDE)
    world.ran(5)
    world.came(5, token="launch", tool="claude")
    assert world.state_of()[0] == "ok"


def test_a_long_answer_that_is_still_under_way_is_well(world):
    world.connect(CLAUDE)
    world.came(5, via="claude-1f2e3d4c", ended=False)
    world.ran(40)
    assert world.state_of()[0] == "ok"


def test_an_exchange_from_before_it_was_connected_is_no_proof(world):
    world.connect(CLAUDE)
    world.came(-5, via="claude-1f2e3d4c")
    world.ran(1)
    assert world.state_of()[0] == "fail"


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"user","timestamp":"%s"}',
        '{"type":"assistant","model":"<synthetic>","timestamp":"%s"}',
        '{"type":"assistant","at":"%s"}',
        '{"type":"assistant" %s',
    ],
)
def test_what_is_no_answer_of_a_model_is_no_turn(world, line):
    world.connect(CLAUDE)
    world.ran(5, line)
    assert world.state_of()[0] == "ok"


def test_a_file_that_points_elsewhere_again_fails(world):
    file = world.connect(CLAUDE)
    file.write_text('{"env": {"ANTHROPIC_BASE_URL": "https://elsewhere.example"}}')
    (finding,) = world.told()
    assert (finding.state, "no longer points here" in finding.said) == ("fail", True)
    assert "`halfdoor connect claude` again" in finding.hint


def test_a_project_that_points_elsewhere_again_is_named_in_the_hint(world, tmp_path):
    project = tmp_path / "shop"
    file = project / place(CLAUDE).project
    step = steps.connecting(
        CLAUDE, file, project, Wish(ROOT), world.state, nonce="1f2e3d4c", now=at(0)
    )
    steps.done(step, world.state)
    file.write_text("{}")
    (finding,) = world.told()
    assert f"`halfdoor connect claude --project {project}` again" in finding.hint
    file.unlink()
    file.parent.rmdir()
    assert world.told() == []


def test_a_tool_that_was_pointed_here_by_hand_is_known_by_its_name(world):
    file = world.home / ".claude/settings.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": ROOT}}))
    world.ran(5)
    assert world.state_of()[0] == "fail"
    world.came(5, tool="claude")
    assert world.state_of()[0] == "ok"


def test_a_tool_whose_runs_cannot_be_seen_is_told_by_what_came(world):
    world.connect(CONTINUE)
    assert "when it ran cannot be seen" in world.state_of()[1]
    world.came(5, via="continue-1f2e3d4c")
    assert "last exchange by it" in world.state_of()[1]


def test_codex_tells_its_turns_in_files_by_day(world):
    file = world.home / ".codex/sessions/2030/01/01/rollout.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(
        '{"timestamp":"2030-01-01T00:05:00.000Z","payload":{"role":"assistant"}}\n'
        '{"timestamp":"2030-01-01T00:06:00.000Z","payload":{"type":"token_count"}}\n'
    )
    since, turns = datetime(2020, 1, 1, tzinfo=UTC), CODEX.turns
    assert turns
    assert last_turn(turns, world.home, since) == START + timedelta(minutes=5)


def test_a_word_of_connections_that_cannot_be_read_fails(world):
    world.state.mkdir()
    (world.state / records.FILE).write_text("{")
    assert world.state_of()[0] == "fail"
