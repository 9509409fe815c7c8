import asyncio
import contextvars
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from halfdoor.backends import guard
from halfdoor.canon.decision import ControlPermit, Permit, Target
from halfdoor.canon.labels import Zone
from halfdoor.errors import BackendError
from halfdoor.record.permits import seal

CONTROL = ControlPermit("127.0.0.1:1", "test")
SOURCES = Path(guard.__file__).parents[1]


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def connect(address):
    with socket.socket() as client:
        client.connect(address)


def test_a_connection_without_leave_is_refused(listener):
    with pytest.raises(guard.GuardRefusal, match="without leave"):
        connect(listener)


def test_a_connection_with_leave_is_made(listener):
    with guard.allow(CONTROL, Zone.DEVICE):
        connect(listener)


def test_leave_ends_with_its_block(listener):
    with guard.allow(CONTROL, Zone.DEVICE):
        pass
    with pytest.raises(guard.GuardRefusal):
        connect(listener)


def test_a_context_that_outlives_its_leave_holds_nothing(listener):
    with guard.allow(CONTROL, Zone.DEVICE):
        kept = contextvars.copy_context()
    with pytest.raises(guard.GuardRefusal):
        kept.run(connect, listener)


async def test_a_task_started_under_leave_loses_it_when_the_leave_ends(listener):
    async def late():
        await asyncio.sleep(0)
        connect(listener)

    with guard.allow(CONTROL, Zone.DEVICE):
        task = asyncio.create_task(late())
    with pytest.raises(guard.GuardRefusal):
        await task


def test_another_thread_has_no_part_in_the_leave(listener):
    refused = []

    def elsewhere():
        try:
            connect(listener)
        except guard.GuardRefusal as error:
            refused.append(error)

    with guard.allow(CONTROL, Zone.DEVICE):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert refused


def test_leave_for_one_zone_does_not_reach_a_wider_one():
    with guard.allow(CONTROL, Zone.NETWORK), pytest.raises(guard.GuardRefusal):
        connect(("192.0.2.1", 443))


def test_in_tests_even_leave_for_the_cloud_reaches_nothing_but_loopback():
    with guard.allow(CONTROL, Zone.CLOUD), pytest.raises(guard.GuardRefusal, match="shut in tests"):
        connect(("192.0.2.1", 443))


def test_a_test_permit_reaches_loopback_and_no_further(listener, loopback):
    connect(listener)
    with pytest.raises(guard.GuardRefusal):
        connect(("10.0.0.1", 80))


def test_a_datagram_to_a_stated_address_is_refused():
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        with pytest.raises(guard.GuardRefusal):
            sender.sendto(b"x", ("127.0.0.1", 9))
        with pytest.raises(guard.GuardRefusal):
            sender.sendmsg([b"x"], [], 0, ("127.0.0.1", 9))


def test_a_socket_pair_needs_no_leave():
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"x")
        assert right.sendmsg([b"y"]) == 1
        assert right.recv(1) == b"x"


def test_a_unix_socket_by_path_is_refused_even_with_leave(tmp_path):
    with (
        socket.socket(socket.AF_UNIX) as client,
        guard.allow(CONTROL, Zone.CLOUD),
        pytest.raises(guard.GuardRefusal),
    ):
        client.connect(str(tmp_path / "engine.sock"))


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run([sys.executable, "-c", ""], check=True),
        lambda: os.system("true"),
        lambda: os.posix_spawn("/bin/true", ["true"], {}),
        os.fork,
        os.forkpty,
        lambda: os.execv("/bin/true", ["true"]),
    ],
    ids=["Popen", "system", "posix_spawn", "fork", "forkpty", "exec"],
)
def test_a_process_start_without_leave_is_refused(start):
    with pytest.raises(guard.GuardRefusal, match="process"):
        start()


def test_leave_to_connect_is_no_leave_to_start_a_process():
    with guard.allow(CONTROL, Zone.CLOUD), pytest.raises(guard.GuardRefusal):
        os.system("true")


def test_a_test_may_start_processes_when_it_says_so(processes):
    subprocess.run([sys.executable, "-c", ""], check=True)


def test_outside_tests_there_are_no_test_permits(processes):
    program = (
        "from halfdoor.backends import guard\n"
        "guard.install(); guard.install()\n"
        "for permit in guard.loopback_test_permit, guard.process_test_permit:\n"
        "    try:\n"
        "        with permit(): pass\n"
        "    except guard.GuardRefusal: print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "refused\nrefused\n"


def test_outside_tests_leave_reaches_its_zone_and_no_wider(processes):
    program = (
        "import socket\n"
        "from halfdoor.backends import guard\n"
        "from halfdoor.canon.decision import ControlPermit\n"
        "from halfdoor.canon.labels import Zone\n"
        "guard.install()\n"
        "s = socket.socket(); s.setblocking(False)\n"
        "with guard.allow(ControlPermit('x:1', 'test'), Zone.NETWORK):\n"
        "    try: s.connect(('192.0.2.1', 9))\n"
        "    except guard.GuardRefusal: print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "refused\n"


def test_only_a_start_permit_starts_a_process_and_only_inside_it(processes):
    program = (
        "import subprocess, sys\n"
        "from halfdoor.backends import guard\n"
        "guard.install()\n"
        "def start(): return subprocess.run([sys.executable, '-c', 'pass']).returncode\n"
        "with guard.start_permit('a test'): print(start())\n"
        "try: start()\n"
        "except guard.GuardRefusal: print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "0\nrefused\n"


def outside_tests(program):
    """What a program prints that runs with the hook as production has it."""
    whole = "import socket\nfrom halfdoor.backends import guard\nguard.install()\n" + program
    done = subprocess.run([sys.executable, "-c", whole], check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_offline_no_leave_reaches_beyond_loopback(processes):
    program = (
        "from halfdoor.canon.decision import ControlPermit\n"
        "from halfdoor.canon.labels import Zone\n"
        "guard.go_offline()\n"
        "for place in ('192.168.0.1', 9), ('192.0.2.1', 9):\n"
        "    s = socket.socket(); s.setblocking(False)\n"
        "    with guard.allow(ControlPermit('x:1', 'test'), Zone.CLOUD):\n"
        "        try: s.connect(place)\n"
        "        except guard.GuardRefusal: print('refused')\n"
    )
    assert outside_tests(program) == ["refused", "refused"]


def test_offline_a_leave_that_was_given_before_reaches_no_further(processes):
    program = (
        "from halfdoor.canon.decision import ControlPermit\n"
        "from halfdoor.canon.labels import Zone\n"
        "s = socket.socket(); s.setblocking(False)\n"
        "with guard.allow(ControlPermit('x:1', 'test'), Zone.CLOUD):\n"
        "    guard.go_offline()\n"
        "    try: s.connect(('192.0.2.1', 9))\n"
        "    except guard.GuardRefusal: print('refused')\n"
    )
    assert outside_tests(program) == ["refused"]


def test_offline_loopback_is_reached_with_leave(listener):
    guard.go_offline()
    with guard.allow(CONTROL, Zone.CLOUD):
        connect(listener)


@pytest.mark.parametrize(
    "look",
    [
        lambda: socket.getaddrinfo("example.invalid", 80),
        lambda: socket.getaddrinfo("localhost", 80),
        lambda: socket.getaddrinfo(b"example.invalid", 80),
        lambda: socket.gethostbyname("example.invalid"),
        lambda: socket.gethostbyname_ex("example.invalid"),
        lambda: socket.gethostbyaddr("example.invalid"),
    ],
)
def test_offline_no_name_is_looked_up(look):
    guard.go_offline()
    with pytest.raises(guard.GuardRefusal, match="no name"):
        look()


def test_offline_a_number_may_be_read_as_an_address():
    guard.go_offline()
    assert socket.getaddrinfo("127.0.0.1", 80, flags=socket.AI_NUMERICHOST)
    assert socket.getaddrinfo("::1", 80, flags=socket.AI_NUMERICHOST)
    assert socket.getaddrinfo(None, 80)


def test_offline_localhost_is_a_number_and_other_names_are_refused():
    assert guard.numbered("example.invalid") == "example.invalid"
    guard.go_offline()
    assert guard.numbered("localhost") == "127.0.0.1"
    assert guard.numbered("::1") == "::1"
    with pytest.raises(guard.GuardRefusal):
        guard.numbered("example.invalid")


def test_offline_a_permit_that_was_given_before_reaches_this_device_only():
    key = b"k" * 32
    far = Target("sonnet", "anthropic", "s", Zone.CLOUD, "anthropic_messages", "anthropic")
    targets = (("sonnet", Zone.CLOUD),)
    leave = Permit("hd_1", targets, 1, seal(key, "hd_1", targets, 1))
    assert guard.permitted(leave, key, far, Zone.CLOUD) is Zone.CLOUD
    guard.go_offline()
    with pytest.raises(BackendError, match="gone offline") as caught:
        guard.permitted(leave, key, far, Zone.CLOUD)
    assert caught.value.kind == "zone"


# What starts a process where the audit hook is blind or late. Who may connect: `ways_out.py`.
STARTS = re.compile(
    r"\b(create_subprocess_\w+|subprocess|posix_spawn|fork_exec|ProcessPoolExecutor)\b"
)


def test_no_module_but_these_starts_a_process():
    # `launch` starts the tool that a person asked for, a crew its workers, the gate git, and the
    # runner what checks ask for: no other starts.
    spoken = {Path("backends/guard.py"), Path("cli/launch.py"), Path("server/crew.py")}
    spoken |= {
        Path("store/plumbing.py"),
        *(Path("runner") / f.name for f in (SOURCES / "runner").glob("*.py")),
    }
    found = [
        f"{path.relative_to(SOURCES)}:{number}: {line.strip()}"
        for path in SOURCES.rglob("*.py")
        if path.relative_to(SOURCES) not in spoken
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.match(r"\s*(from|import)\b|.*[.\w]\(", line) and STARTS.search(_code(line))
    ]
    assert not found


def _code(line):
    """The line less strings and comments: tables of formats and texts may name what they like."""
    return re.sub(r"""(["']).*?\1""", '""', line).partition("#")[0]
