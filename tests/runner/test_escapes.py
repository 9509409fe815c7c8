"""What a checked program may try against the machine it runs on, on every rung that works here."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from halfdoor.backends import guard
from halfdoor.canon.checks import Limits, RanStatus, Run
from halfdoor.runner.sandbox import Sandbox
from tests.runner.conftest import SMALL

# Each attempt prints what it got; what it must not get is looked for in the output.
TRY = """
import sys
def attempt(name, what):
    try:
        print(name, 'got', what())
    except BaseException as error:
        print(name, 'failed', type(error).__name__, getattr(error, 'errno', ''))
"""


def alive(mark):
    """Processes whose command line holds the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def gone(mark):
    """Is nobody left with the mark, soon?"""
    until = time.monotonic() + 5
    while alive(mark) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(mark)


@pytest.fixture
def mark(tmp_path):
    """A word that stands in the command line of everything that a test starts."""
    return f"mark-{tmp_path.name}-{os.getpid()}"


def test_nothing_outside_is_written_changed_or_removed(inside, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("as it was")
    source = (
        TRY
        + """
import os, pathlib
path = pathlib.Path(sys.argv[1])
attempt('write', lambda: path.write_text('broken'))
attempt('append', lambda: path.open('a').write('broken'))
attempt('truncate', lambda: os.truncate(path, 0))
attempt('remove', lambda: path.unlink())
attempt('rename', lambda: os.rename(path, str(path) + '.old'))
attempt('new', lambda: (path.parent / 'new').write_text('broken'))
attempt('link', lambda: os.link(path, 'mine'))
attempt('folder', lambda: os.mkdir(path.parent / 'folder'))
for place in ('/', '/usr', '/etc', '/dev', '/home', '/var/tmp', '/proc'):
    attempt(place, lambda: open(place + '/halfdoor-was-here', 'w').write('x'))
"""
    )
    assert inside(source, precious).status is RanStatus.EXITED
    assert precious.read_text() == "as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    places = ("/", "/usr", "/etc", "/dev", "/home", "/var/tmp", "/proc")
    assert not [place for place in places if Path(place, "halfdoor-was-here").exists()]


def test_without_a_sandbox_the_same_attempts_succeed(tmp_path, monkeypatch):
    """Else these tests would pass whatever the rungs did."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key").write_text("PLANTED-KEY")
    source = (
        TRY
        + """
import pathlib, socket
key = pathlib.Path(sys.argv[1])
attempt('read', lambda: key.read_text())
attempt('write', lambda: key.write_text('broken'))
attempt('tcp', lambda: socket.create_connection(('127.0.0.1', int(sys.argv[2])), 2).close())
"""
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        argv = (sys.executable, "-I", "-c", source, str(tmp_path / "key"))
        port = str(server.getsockname()[1])
        ran = Sandbox(guard.start_permit, only=(), unsafe=True).run(Run((*argv, port), "a test"))
    assert b"PLANTED-KEY" in ran.stdout
    assert b"tcp got" in ran.stdout
    assert (tmp_path / "key").read_text() == "broken"


def test_mode_and_time_of_what_is_outside_stay(inside, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("")
    precious.chmod(0o600)
    before = precious.stat()
    source = (
        TRY
        + """
import os
attempt('mode', lambda: os.chmod(sys.argv[1], 0o777))
attempt('time', lambda: os.utime(sys.argv[1], (1, 1)))
attempt('owner', lambda: os.chown(sys.argv[1], 1, 1))
"""
    )
    inside(source, precious)
    after = precious.stat()
    assert (after.st_mode, after.st_mtime, after.st_uid) == (
        before.st_mode,
        before.st_mtime,
        before.st_uid,
    )


def test_a_key_in_home_is_not_read_by_any_name(inside, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    key = tmp_path / ".ssh/id_ed25519"
    key.parent.mkdir()
    key.write_text("PLANTED-KEY")
    source = (
        TRY
        + """
import os, pathlib
for path in (sys.argv[1], '/proc/1/root' + sys.argv[1], '/proc/self/root' + sys.argv[1],
             f'/proc/{os.getppid()}/root' + sys.argv[1], f'/proc/{os.getppid()}/cwd' + sys.argv[1]):
    attempt(path, lambda: pathlib.Path(path).read_text())
attempt('folder', lambda: os.listdir(os.path.dirname(sys.argv[1])))
attempt('link', lambda: (os.symlink(sys.argv[1], 'to'), open('to').read()))
print('home', os.path.expanduser('~'))
"""
    )
    ran = inside(source, key)
    assert ran.status is RanStatus.EXITED
    assert b"PLANTED-KEY" not in ran.stdout
    assert b"id_ed25519']" not in ran.stdout
    assert f"home {tmp_path}\n".encode() not in ran.stdout


def test_a_key_in_the_environment_of_halfdoor_is_not_read(inside, monkeypatch):
    monkeypatch.setenv("PLANTED_API_KEY", "PLANTED-KEY")
    holder = [sys.executable, "-c", "import time; time.sleep(60)"]
    with guard.process_test_permit(), subprocess.Popen(holder) as other:
        source = (
            TRY
            + """
import os, pathlib
print(dict(os.environ))
pids = {p for p in os.listdir('/proc') if p.isdecimal()} if os.access('/proc', os.R_OK) else set()
for pid in (*pids, 'self', '1', str(os.getppid()), sys.argv[1], sys.argv[2]):
    for name in ('environ', 'mem', 'cmdline'):
        attempt(pid, lambda: pathlib.Path(f'/proc/{pid}/{name}').read_bytes()[:9999])
"""
        )
        ran = inside(source, os.getpid(), other.pid)
        other.kill()
    assert ran.status is RanStatus.EXITED
    assert b"PLANTED-KEY" not in ran.stdout


def test_nobody_is_reached_not_even_on_loopback(inside, tmp_path):
    listening = [socket.create_server(("127.0.0.1", 0))]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    for name in (str(tmp_path / "unix"), "\0halfdoor-escape"):
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(name)
        unix.listen()
        listening.append(unix)
    source = (
        TRY
        + """
import socket
port, udp, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
attempt('tcp', lambda: socket.create_connection(('127.0.0.1', port), 2).send(b'x'))
attempt('far', lambda: socket.create_connection(('192.0.2.1', 80), 1))
attempt('name', lambda: socket.getaddrinfo('example.com', 80))
attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', udp)))
attempt('unix', lambda: socket.socket(socket.AF_UNIX).connect(path))
attempt('abstract', lambda: socket.socket(socket.AF_UNIX).connect('\\0halfdoor-escape'))
attempt('vsock', lambda: socket.socket(40, socket.SOCK_STREAM))
attempt('packet', lambda: socket.socket(17, socket.SOCK_RAW))
"""
    )
    ports = listening[0].getsockname()[1], datagrams.getsockname()[1]
    ran = inside(source, *ports, tmp_path / "unix")
    assert ran.status is RanStatus.EXITED
    told = dict(line.split()[:2] for line in ran.stdout.decode().splitlines())
    for name in ("tcp", "far", "name", "unix", "abstract", "vsock", "packet"):
        assert told[name] == "failed", name
    for each in (*listening, datagrams):
        each.setblocking(False)
        with pytest.raises(BlockingIOError):
            each.recv(9) if each is datagrams else each.accept()
        each.close()


def test_a_fork_bomb_is_ended_and_leaves_nobody(inside, mark):
    source = (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    )
    ran = inside(source, mark)
    assert ran.status is RanStatus.KILLED
    assert "processes" in ran.why
    assert gone(mark)


def test_a_bomb_of_orphans_that_leave_their_session_is_ended_too(inside, mark):
    source = """
import os, time
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
    except OSError:
        pass
"""
    assert inside(source, mark).status is RanStatus.KILLED
    assert gone(mark)


@pytest.mark.parametrize("place", [".", "/tmp", "/dev/shm"])
def test_a_disk_is_not_filled(inside, place):
    source = """
import os, sys, tempfile, time
place = tempfile.gettempdir() if sys.argv[1] == '/tmp' else sys.argv[1]
free = os.statvfs('.').f_bavail * os.statvfs('.').f_frsize
written = 0
try:
    for number in range(10**6):
        with open(f'{place}/{number}', 'wb', 0) as file:
            written += file.write(b'x' * 2**19)
        if written > 64 * 2**20:
            time.sleep(30)
            break
except OSError as error:
    print('stopped', error.errno)
    sys.exit(3)
print('filled')
"""
    ran = inside(source, place)
    assert ran.status is RanStatus.KILLED or ran.code == 3, ran
    assert b"filled" not in ran.stdout


def test_one_file_does_not_grow_beyond_its_limit(inside):
    ran = inside("open('big', 'wb').write(b'x' * 2**22)", wanted=("big",))
    assert ran.code != 0
    assert len(ran.written.get("big", b"")) <= SMALL.file_bytes


def test_ignoring_every_polite_signal_does_not_help(inside, mark):
    source = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
print('deaf', flush=True)
time.sleep(600)
"""
    ran = inside(source, mark, timeout_s=2.0)
    assert ran.status is RanStatus.TIMED_OUT
    assert ran.stdout == b"deaf\n"
    assert gone(mark)


def test_zombies_are_counted_and_cleared(inside, mark):
    source = """
import os, time
for _ in range(12):
    if os.fork() == 0:
        os._exit(0)
print('left', flush=True)
"""
    ran = inside(source, mark)
    assert (ran.status, ran.code, ran.stdout) == (RanStatus.EXITED, 0, b"left\n")
    assert gone(mark)


@pytest.mark.parametrize("quiet", [True, False])
def test_a_daemon_does_not_outlive_its_program(inside, mark, quiet):
    source = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        if sys.argv[2] == 'True':
            for fd in (0, 1, 2):
                os.close(fd)
        time.sleep(600)
    os._exit(0)
os.wait()
"""
    ran = inside(source, mark, quiet)
    assert (ran.status, ran.code) == (RanStatus.EXITED, 0)
    assert gone(mark)


def test_memory_is_bounded_for_one_process_and_for_all_together(inside):
    alone = inside("x = b'x' * 2**30")
    assert (alone.status, alone.code) != (RanStatus.EXITED, 0)
    source = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        held = b'x' * (100 * 2**20)
        time.sleep(60)
time.sleep(60)
"""
    together = inside(source)
    assert together.status is RanStatus.KILLED
    assert "memory" in together.why


def test_memory_that_no_process_maps_cannot_be_had(inside):
    ran = inside(TRY + "import os\nattempt('memfd', lambda: os.memfd_create('x'))")
    assert b"memfd failed PermissionError" in ran.stdout


def test_processor_time_is_bounded_for_all_together(inside):
    source = "import os\nfor _ in range(3):\n    os.fork()\nwhile True:\n    pass"
    ran = inside(source, limits=Limits(cpu_s=2))
    assert ran.status is RanStatus.KILLED
    assert "processor time" in ran.why


def test_a_flood_of_output_is_cut_and_ends_it(inside):
    ran = inside("while True:\n    print('x' * 9999)")
    assert (ran.status, ran.cut) == (RanStatus.KILLED, True)
    assert len(ran.stdout) == SMALL.output_bytes


def test_nobody_else_is_signalled_steered_or_traced(inside):
    with (
        guard.process_test_permit(),
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other,
    ):
        limits = Path(f"/proc/{other.pid}/limits").read_text()
        source = (
            TRY
            + """
import os, resource
for pid in map(int, sys.argv[1:]):
    attempt('kill', lambda: os.kill(pid, 9))
    attempt('nice', lambda: os.setpriority(os.PRIO_PROCESS, pid, 10))
    attempt('limit', lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0)))
attempt('group', lambda: os.killpg(os.getpgid(os.getppid()), 0))
"""
        )
        assert inside(source, other.pid, os.getpid()).status is RanStatus.EXITED
        assert other.poll() is None
        assert Path(f"/proc/{other.pid}/limits").read_text() == limits
        assert os.getpriority(os.PRIO_PROCESS, other.pid) == os.getpriority(os.PRIO_PROCESS, 0)
        other.kill()


def test_killing_all_it_can_reach_ends_only_itself(inside, mark):
    with (
        guard.process_test_permit(),
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other,
    ):
        ran = inside("import os\nos.kill(-1, 9)\nos.kill(os.getppid(), 9)", mark)
        assert ran.status in {RanStatus.KILLED, RanStatus.EXITED}
        assert other.poll() is None
        other.kill()
    assert gone(mark)


def test_no_new_namespace_no_mount_and_no_tracing(inside):
    source = (
        TRY
        + """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
    return 'done'
attempt('user', lambda: call('unshare', 0x10000000))
attempt('mounts', lambda: call('unshare', 0x20000))
attempt('mount', lambda: call('mount', b'none', b'/tmp', b'tmpfs', 0, 0))
attempt('trace', lambda: call('ptrace', 16, os.getppid(), 0, 0))
attempt('ring', lambda: call('syscall', 425, 8, 0))
attempt('uid', lambda: os.setuid(0) if os.getuid() else os.setuid(1))
"""
    )
    ran = inside(source)
    assert ran.status is RanStatus.EXITED
    assert b" got done" not in ran.stdout
    assert ran.stdout.count(b"failed") >= 5


def test_what_it_runs_ends_when_halfdoor_is_killed(rung, mark):
    source = f"""
import sys
from contextlib import nullcontext
from halfdoor.canon.checks import Run
from halfdoor.runner.sandbox import Sandbox
program = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)", {mark + "-inner"!r})
Sandbox(lambda _: nullcontext(), only=({rung!r},)).run(Run(program, "a test", timeout_s=500))
"""
    with guard.process_test_permit(), subprocess.Popen([sys.executable, "-c", source]) as halfdoor:
        until = time.monotonic() + 20
        while not alive(f"{mark}-inner") and time.monotonic() < until:
            time.sleep(0.05)
        assert alive(f"{mark}-inner")
        halfdoor.send_signal(signal.SIGKILL)
        halfdoor.wait()
    assert gone(f"{mark}-inner")
