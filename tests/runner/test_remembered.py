import os

from halfdoor.canon.checks import Ran, RanStatus, Run
from halfdoor.runner.remembered import _MOST_KEPT, Remembering

DONE = Ran(RanStatus.EXITED, 0, b"out", written={"r": b"\x00"})


class Counting:
    """A runner that says how often it was asked."""

    def __init__(self, ran):
        self.asked = 0
        self._ran = ran

    def run(self, _run):
        self.asked += 1
        return self._ran


def named(name, *argv):
    return Run(("tool", *argv), "a test", wanted=("r",), remember=name)


def test_who_asks_again_under_the_same_name_is_given_the_same(tmp_path):
    runner = Counting(DONE)
    for _ in range(2):
        assert Remembering(runner, tmp_path / "kept").run(named("commit 1")) == DONE
    assert runner.asked == 1


def test_another_name_another_command_and_no_name_are_run(tmp_path):
    runner = Counting(DONE)
    for run in (named("1"), named("2"), named("1", "-v"), named(""), named("")):
        Remembering(runner, tmp_path).run(run)
    assert runner.asked == 5


def test_what_did_not_come_to_its_own_end_is_not_kept(tmp_path):
    runner = Counting(Ran(RanStatus.TIMED_OUT))
    for _ in range(2):
        Remembering(runner, tmp_path).run(named("1"))
    assert runner.asked == 2


def test_a_run_that_did_not_write_what_was_wanted_is_not_kept(tmp_path):
    """`No module named pytest` was told for ever, also once it was installed."""
    runner = Counting(Ran(RanStatus.EXITED, 1, b"No module named pytest"))
    for _ in range(2):
        Remembering(runner, tmp_path).run(Run(("tool",), "a test", wanted=("r",), remember="1"))
    assert runner.asked == 2


def test_what_was_installed_since_makes_it_run_again(tmp_path):
    """Tests that failed for want of a package counted as failing anyway, once it was there."""
    packages = tmp_path / "venv/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    (tmp_path / "venv/pyvenv.cfg").touch()
    run = Run((str(tmp_path / "venv/bin/python"),), "a test", remember="1")
    runner = Counting(Ran(RanStatus.EXITED, 0))
    for moment in (1, 1, 2):
        os.utime(packages, ns=(moment, moment))
        Remembering(runner, tmp_path / "kept").run(run)
    assert runner.asked == 2


def test_a_file_that_cannot_be_read_is_run_again_and_mended(tmp_path):
    runner = Counting(DONE)
    Remembering(runner, tmp_path).run(named("1"))
    next(tmp_path.iterdir()).write_bytes(b"broken")
    assert Remembering(runner, tmp_path).run(named("1")) == DONE
    assert Remembering(runner, tmp_path).run(named("1")) == DONE
    assert runner.asked == 2


def test_only_the_newest_are_kept(tmp_path):
    for number in range(_MOST_KEPT + 5):
        Remembering(Counting(DONE), tmp_path).run(named(str(number)))
    assert len(list(tmp_path.iterdir())) == _MOST_KEPT
