"""What a run is given, what comes back, and what happens where no sandbox works."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from halfdoor.backends import guard
from halfdoor.canon.checks import Limits, Ran, RanStatus, Run
from halfdoor.runner import order, rungs, scratch
from halfdoor.runner.pump import Stop
from halfdoor.runner.sandbox import Sandbox
from halfdoor.runner.threaded import run_in_thread
from tests.runner.conftest import unguarded

SLEEP = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)")


def test_it_has_its_tree_and_its_files_and_the_original_is_not_written(inside, tmp_path):
    tree = tmp_path / "app"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub/a.py").write_text("before")
    (tree / "b.py").write_text("b")
    source = """
import pathlib
print(pathlib.Path('sub/a.py').read_text(), pathlib.Path('b.py').read_text())
pathlib.Path('b.py').write_text('written')
pathlib.Path('sub/new').write_text('new')
"""
    more = {"tree": str(tree), "files": {"sub/a.py": b"after"}, "wanted": ("b.py", "sub/new", "no")}
    ran = inside(source, **more)
    assert (ran.stdout, ran.stderr, ran.code) == (b"after b\n", b"", 0)
    assert ran.written == {"b.py": b"written", "sub/new": b"new"}
    assert (tree / "b.py").read_text() == "b"
    assert not (tree / "sub/new").exists()


def test_history_and_caches_are_not_shown_and_environments_are_lent(inside, tmp_path):
    for name in (".git/config", "__pycache__/a.pyc", "cache/CACHEDIR.TAG", "venv/pyvenv.cfg", "sub/node_modules/m.js"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x")
    source = """
import os
print(sorted(os.listdir('.')))
print(open('venv/pyvenv.cfg').read(), open('sub/node_modules/m.js').read())
try:
    open('venv/new', 'w')
except OSError as error:
    print('read-only')
"""
    ran = inside(source, tree=str(tmp_path))
    assert ran.stdout.decode().splitlines() == ["['sub', 'venv']", "x x", "read-only"]
    assert not (tmp_path / "venv/new").exists()


def test_an_environment_that_is_a_link_is_lent_too(inside, tmp_path):
    """`.venv` that leads to a folder elsewhere was once a mount that could not be made."""
    (tmp_path / "elsewhere/bin").mkdir(parents=True)
    (tmp_path / "elsewhere/pyvenv.cfg").write_text("x")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/.venv").symlink_to(tmp_path / "elsewhere")
    ran = inside("print(open('.venv/pyvenv.cfg').read())", tree=str(tmp_path / "app"))
    assert (ran.stdout, ran.stderr) == (b"x\n", b"")


def test_a_rung_with_mounts_shows_the_tree_where_it_really_is(inside, rung, tmp_path):
    (tmp_path / "a").write_text("x")
    ran = inside("import os; print(os.getcwd())", tree=str(tmp_path))
    there = inside("import os; print(os.getcwd())", tree=str(tmp_path), at="/home/someone/app")
    if rung in {order.BUBBLEWRAP, order.NAMESPACES}:
        assert ran.stdout.decode().strip() == str(tmp_path)
        assert there.stdout == b"/home/someone/app\n"
    else:
        assert ran.stdout.decode().strip().endswith("/work")
    assert ran.rung == rung


def test_it_is_given_its_input_its_environment_and_nothing_of_ours(inside, monkeypatch):
    monkeypatch.setenv("PLANTED_API_KEY", "x")
    source = "import os, sys, json; print(sys.stdin.read()); print(json.dumps(dict(os.environ)))"
    ran = inside(source, stdin=b"said", environment={"OWN": "1"})
    said, told = ran.stdout.decode().splitlines()
    assert said == "said"
    given = json.loads(told)
    assert given["OWN"] == "1"
    assert (given["TZ"], given["PYTHONHASHSEED"]) == ("UTC", "0")
    theirs = {"LC_CTYPE", "PWD", "TMPDIR"}  # what a shell or the C library adds or takes
    own = {"OWN", "PATH", "LANG", "TZ", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"}
    assert set(given) - theirs == own | {"HOME", "TMP", "TEMP"}
    assert Path(given["HOME"]) != Path.home()


def test_home_and_its_temporary_folder_are_there_and_private(inside):
    source = """
import os, pathlib, tempfile
home = pathlib.Path.home()
print(list(home.iterdir()), home.is_relative_to(tempfile.gettempdir()))
(home / 'x').write_text('x')
"""
    for _ in range(2):
        assert inside(source).stdout == b"[] True\n"


def test_a_link_that_it_leaves_makes_us_read_nothing_of_ours(inside, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("PLANTED-KEY")
    source = "import os, sys; os.symlink(sys.argv[1], 'out'); os.symlink(sys.argv[2], 'folder')"
    ran = inside(source, secret, tmp_path, wanted=("out", "folder/secret", "../input"))
    assert (ran.code, ran.written) == (0, {})


def test_exit_status_and_death_by_signal_are_told_apart(inside):
    assert inside("raise SystemExit(7)").code == 7
    ran = inside("import os, signal; signal.raise_signal(signal.SIGKILL)")
    assert (ran.status, ran.code) == (RanStatus.KILLED, -1)


def test_a_program_that_is_not_there_is_refused(sandbox):
    for program in ("no-such-program-here", "/no/such/program"):
        ran = sandbox.run(Run((program,), "a test"))
        assert ran.status is RanStatus.REFUSED
        assert program in ran.why
        assert ran.absent


def test_a_home_is_never_shown(sandbox, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for path in ("/", str(tmp_path), str(home)):
        ran = sandbox.run(Run(("/bin/true",), "a test", visible=(path,)))
        assert ran.status is RanStatus.REFUSED
        assert "your home lies in it" in ran.why


def test_a_virtual_environment_brings_its_interpreter(inside):
    ran = inside("import sys, encodings; print(sys.version_info[:2])")
    assert ran.stdout.decode() == f"{sys.version_info[:2]}\n"


def test_another_thread_ends_a_run(sandbox):
    stop = Stop()
    sandbox.rung()
    threading.Timer(0.3, stop.now).start()
    ran = sandbox.run(Run(SLEEP, "a test"), stop)
    stop.close()
    assert ran.status is RanStatus.KILLED
    assert ran.why == "halfdoor asked for its end"


async def test_an_event_loop_runs_beside_it_and_a_cancelled_task_ends_it(sandbox):
    ran = await run_in_thread(sandbox, Run(("/bin/echo", "hello"), "a test"))
    assert ran.stdout == b"hello\n"
    task = asyncio.create_task(run_in_thread(sandbox, Run(SLEEP, "a test", timeout_s=500)))
    await asyncio.sleep(0.3)
    task.cancel()
    begun = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < 10


def test_nothing_runs_where_no_sandbox_works_and_the_hint_says_what_would():
    ran = Sandbox(guard.start_permit, only=()).run(Run(("/bin/true",), "a test"))
    assert ran.status is RanStatus.REFUSED
    assert "--unsafe-local" in ran.why


def test_only_who_says_so_runs_without_a_sandbox_and_limits_hold_all_the_same():
    unsafe = Sandbox(guard.start_permit, only=(), unsafe=True)
    assert unsafe.run(Run(("/bin/echo", "x"), "a test")).rung == order.UNSAFE
    many = """
import subprocess
for _ in range(20):
    last = subprocess.Popen(['/bin/sleep', '60'])
last.wait()
"""
    ran = unsafe.run(Run((sys.executable, "-c", many), "a test", limits=Limits(processes=8)))
    assert ran.status is RanStatus.KILLED


def test_a_sandbox_that_works_is_preferred_to_none():
    chosen = Sandbox(guard.start_permit, unsafe=True).rung()
    assert chosen != order.UNSAFE or not rungs.here()


def test_without_leave_of_the_guard_nothing_starts():
    for run in (Run(("/bin/true",), "a test"), Run(("ruff", "--version"), "a test", own=True)):
        ran = Sandbox(unguarded, only=(), unsafe=True).run(run)
        assert ran.status is RanStatus.REFUSED
        assert "without leave" in ran.why


def test_where_namespaces_are_refused_a_lower_rung_is_taken_and_the_reason_is_told():
    source = """
from contextlib import nullcontext
from halfdoor.runner.sandbox import Sandbox
box = Sandbox(lambda _: nullcontext())
print(box.rung()); print(box.reasons)
"""
    shut = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    with guard.process_test_permit():
        command = ["unshare", "-Ur", "sh", "-c", shut, "sh", sys.executable, "-c", source]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no `unshare` to take namespaces away with")
    if "unshare: " in done.stderr or "cannot create" in done.stderr:
        pytest.skip(f"namespaces cannot be taken away here: {done.stderr}")
    chosen, reasons = done.stdout.splitlines()
    assert chosen in {order.LANDLOCK, ""}
    assert "user.max_user_namespaces" in reasons


def test_an_own_analyser_runs_over_its_files_alone():
    run = Run(("ruff", "check", "--isolated", "--output-format", "json", "."), "a test", files={"a.py": b"import os\n"}, own=True)  # fmt: skip
    ran = Sandbox(guard.start_permit, only=()).run(run)
    assert (ran.status, ran.code) == (RanStatus.EXITED, 1)
    assert json.loads(ran.stdout)[0]["code"] == "F401"


@pytest.mark.parametrize("name", ["no-such-analyser", "../bin/sh", "/bin/true"])
def test_an_analyser_that_did_not_come_with_halfdoor_is_refused(name):
    ran = Sandbox(guard.start_permit).run(Run((name,), "a test", own=True))
    assert ran.status is RanStatus.REFUSED


def test_an_own_analyser_has_a_time_and_an_output_limit():
    own = Sandbox(guard.start_permit, only=())
    slow = own.run(Run(("python", "-c", "import time; time.sleep(60)"), "t", own=True, timeout_s=0.5))  # fmt: skip
    assert slow.status is RanStatus.TIMED_OUT
    loud = Run(
        ("python", "-c", "print('x' * 10**6)"), "t", own=True, limits=Limits(output_bytes=99)
    )
    ran = own.run(loud)
    assert (ran.status, ran.cut, len(ran.stdout)) == (RanStatus.KILLED, True, 99)


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "", "a/../../b"])
def test_a_file_that_leads_out_of_the_tree_is_refused(name):
    ran = Sandbox(guard.start_permit).run(Run(("/bin/true",), "a test", files={name: b""}))
    assert ran.status is RanStatus.REFUSED


def test_a_file_behind_a_link_of_the_tree_is_refused(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/link").symlink_to(outside)
    run = Run(("/bin/true",), "a test", tree=str(tmp_path / "tree"), files={"link/x": b"written"})
    ran = Sandbox(guard.start_permit).run(run)
    assert ran.status is RanStatus.REFUSED
    assert not list(outside.iterdir())


def test_what_a_run_is_to_be_without_is_not_there_and_stays_where_it_came_from(sandbox, tmp_path):
    for name in ("tree/a", "tree/sub/b", "kept"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "tree/link").symlink_to(tmp_path / "kept")
    gone = ("a", "sub/b", "link", "none")
    run = Run(("/bin/ls", "-R"), "a test", tree=str(tmp_path / "tree"), without=gone)
    assert sandbox.run(run).stdout.split() == [b".:", b"sub", b"./sub:"]
    assert (tmp_path / "tree/a").exists()
    assert (tmp_path / "kept").exists()


def test_a_tree_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "MOST_FILES", 2)
    for name in "abc":
        (tmp_path / name).write_text(name)
    ran = Sandbox(guard.start_permit).run(Run(("/bin/true",), "a test", tree=str(tmp_path)))
    assert ran.status is RanStatus.REFUSED
    assert "more than" in ran.why


def test_no_scratch_folder_stays_behind_whatever_was_put_in_it(inside, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    source = (
        "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w')\nos.chmod('a/b', 0)\nos.chmod('a', 0)"
    )
    assert inside(source).code == 0
    assert not list(tmp_path.iterdir())


def test_a_program_that_speaks_as_bubblewrap_moves_no_rung(sandbox, rung):
    source = "import sys; sys.stderr.write('bwrap: No permissions\\n'); sys.exit(1)"
    ran = sandbox.run(Run((sys.executable, "-c", source), "a test"))
    assert ran.status in {RanStatus.REFUSED, RanStatus.EXITED}
    assert sandbox.rung() == rung


def test_every_ran_says_how_long_it_took(sandbox):
    ran = sandbox.run(Run(("/bin/true",), "a test"))
    assert isinstance(ran, Ran)
    assert ran.ms > 0


def test_a_tree_that_is_larger_than_what_may_be_written_is_no_reason_to_end(tmp_path):
    """What was laid out for the program was once counted as written by it."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "large").write_bytes(b"x" * 2**22)
    box = Sandbox(guard.start_permit)
    source = "import time; open('own', 'w').write('x'); time.sleep(0.3)"
    few = Limits(disk_bytes=2**20)
    run = Run((sys.executable, "-I", "-c", source), "a test", tree=str(tree), limits=few)
    with (tmp_path / "others").open("wb") as file:  # the disk loses as much meanwhile
        writing = threading.Timer(0.1, lambda: file.write(b"y" * 2**22) and file.flush())
        writing.start()
        ran = box.run(run)
        writing.join()
    assert ran.status is RanStatus.EXITED or not box.rung(), ran


def test_a_tree_is_prepared_when_it_is_copied_and_not_for_a_program_that_is_not_there(tmp_path):
    prepared: list[str] = []

    def prepare(tree):
        prepared.append(tree)
        (tmp_path / "late").write_text("x")

    box = Sandbox(guard.start_permit, prepare=prepare)
    assert box.run(Run(("no-such-program",), "a test", tree=str(tmp_path))).absent
    assert prepared == []
    if not box.rung():
        pytest.skip(box.refusal())
    ran = box.run(Run(("/bin/cat", "late"), "a test", tree=str(tmp_path)))
    assert (ran.stdout, prepared) == (b"x", [str(tmp_path)])
