"""The demo is played for real; what the documents show of it is what it prints."""

import dataclasses
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from halfdoor.cli.demo import page, scenes, story
from halfdoor.cli.demo.coding import KEY, RESTRICTED
from halfdoor.cli.demo.play import play
from halfdoor.errors import LogError, SetupError

ROOT = Path(__file__).parents[2]
HINT = "hint: put what `COLUMNS=80 halfdoor demo` prints into docs/tutorial/demo.md and README.md"


@pytest.fixture(scope="module")
def performance(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return play(folder), folder


@pytest.fixture(scope="module")
def told(performance, tmp_path_factory):
    return story.tell(*performance)


def printed(told, width=80, **how):
    paper = io.StringIO()
    how = {"highlight": False, "markup": False, "soft_wrap": True, **how}
    page.show(Console(file=paper, width=width, **how), told)
    return paper.getvalue()


def plain(text):
    """The lines without what differs from run to run."""
    text = re.sub(r"127\.0\.0\.1:\d+, between", "127.0.0.1:PORT, between", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
    text = re.sub(r"byte [\d,]+ of log\.db", "byte N of log.db", text)
    text = re.sub(r"\d signed checkpoints? over \d+ of them", "signed", text)
    return [line.rstrip() for line in text.splitlines()]


def recorded(file, mark):
    block = (ROOT / file).read_text().split(f"<!-- {mark}:")[1]
    return plain(block.split("$ halfdoor demo\n")[1].split("```")[0])


def test_the_recorded_text_is_what_it_prints(told):
    assert recorded("docs/tutorial/demo.md", "recorded") == plain(printed(told)), HINT


def test_the_readme_shows_lines_of_it_in_order(told):
    rest = iter(plain(printed(told)))
    for line in recorded("README.md", "demo"):
        assert line == "…" or line in rest, f"{line!r}; {HINT}"


def test_every_exchange_went_as_it_must_and_the_models_agree_with_the_log(told):
    assert told.failures == ()
    assert len(told.exchanges) >= 8
    assert {each.status for each in told.exchanges} == {200, 400}
    for side in told.sides:
        assert (side.calls, side.logged) == (side.heard_calls, side.heard)
        assert side.heard


def test_no_planted_text_is_brought_to_the_cloud(performance):
    heard = performance[0].heard
    for text in (KEY, RESTRICTED):
        assert any(text.encode() in body for body in heard[scenes.NEAR])
        assert not any(text.encode() in body for body in heard[scenes.FAR])


def test_the_changed_byte_is_found_in_the_entry_where_it_is(told):
    changed = told.tampered
    assert [(p.kind, p.first) for p in changed.report.problems] == [("edited", changed.entry)]
    assert sum(a != b for a, b in zip(changed.before, changed.after, strict=True)) == 1
    assert told.log.problem_count == 0


@pytest.mark.parametrize("width", [80, 100, 140])
def test_nothing_is_cut_and_no_line_is_too_long(told, width):
    shown = printed(told, width)
    assert max(map(len, shown.splitlines())) <= width
    words = " ".join(shown.split())
    for each in told.exchanges:
        assert each.title in words
        if width < page.WIDE:
            assert each.reason in words
    assert "…" not in shown


def test_without_colour_it_says_the_same(told):
    coloured = printed(told, force_terminal=True, color_system="standard", _environ={})
    bare = printed(told, force_terminal=True, no_color=True, _environ={})
    assert "\x1b[32m" in coloured
    assert not re.search(r"\x1b\[[\d;]*3[1-7]", bare)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == printed(told)


def test_a_terminal_that_knows_only_ascii_can_show_it(told):
    screen = Console(file=io.TextIOWrapper(io.BytesIO(), "ascii"), width=80, soft_wrap=True)
    page.show(screen, told)


def test_json_is_the_whole_story(halfdoor):
    said = halfdoor("demo", "--json")
    assert (said.code, said.err) == (0, "")
    document = json.loads(said.out)
    assert [each["title"] for each in document["exchanges"]] == [s.title for s in scenes.SCENES]
    assert document["failures"] == []


def test_a_promise_that_broke_is_told_and_is_exit_1(halfdoor, monkeypatch):
    first, second, *rest = scenes.SCENES
    hoped = (first, dataclasses.replace(second, model=scenes.FAR), *rest)
    monkeypatch.setattr("halfdoor.cli.demo.story.SCENES", hoped)
    said = halfdoor("demo")
    assert said.code == 1
    assert "NOT AS IT MUST BE" in said.out
    assert "exchange 2 got 200 from `qwen-local`" in said.out


def test_a_leak_a_miscount_and_a_missed_change_are_each_told(performance, told):
    def failures(**changed):
        return list(story._failures(replace(told, **changed), performance[0]))

    leaked = replace(told.planted[0], cloud=1)
    assert failures(planted=(leaked,)) == ["the AWS key was heard 1 times in the cloud"]
    short = replace(told.sides[0], logged=1)
    assert "the log says 1 bytes to cloud" in failures(sides=(short,))[0]
    missed = replace(told.tampered, report=told.log)
    assert failures(tampered=missed) == ["the changed byte was not found where it is"]
    assert failures(log=told.tampered.report) == ["the log is not whole"]


def test_without_a_temporary_folder_it_says_what_to_do(halfdoor, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    said = halfdoor("demo")
    assert said.code == 1
    assert said.err.startswith("error: no temporary folder can be made: No such file")


def test_a_gateway_that_cannot_start_says_why(tmp_path):
    (tmp_path / "state").write_text("a file where a folder belongs")
    with pytest.raises(SetupError, match="state directory"):
        play(tmp_path)


def test_a_log_that_fails_at_the_start_ends_the_demo_with_its_reason(tmp_path, monkeypatch):
    async def full(*_):
        raise LogError("the evidence log cannot grow: the disk is full")

    monkeypatch.setattr("halfdoor.cli.serve._note", full)
    with pytest.raises(LogError, match="the disk is full"):
        play(tmp_path)


def interrupted(folder: Path, sent: signal.Signals) -> tuple[int, str, str]:
    """How a demo ended that was sent this signal as soon as its folder was there."""
    command = [sys.executable, "-m", "halfdoor", "demo"]
    environment = {**os.environ, "TMPDIR": str(folder), "HOME": str(folder)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        while not list(folder.glob("halfdoor-demo-*/demo.toml")):
            assert running.poll() is None
            time.sleep(0.005)
        running.send_signal(sent)
        out, err = running.communicate(timeout=20)
    return running.returncode, out, err


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_nothing_stays_behind(tmp_path, processes, sent):
    # The demo lasts half a second: on a busy machine it may be over before it is looked at.
    runs = (interrupted(tmp_path, sent) for _ in range(5))
    assert next((run for run in runs if run[0] != 0), None) == (130, "", "")
    assert list(tmp_path.iterdir()) == []
