"""What each rung is told, and what a person is told where one does not work."""

import sys
from struct import iter_unpack

import pytest

from halfdoor.backends import guard
from halfdoor.canon.checks import RanStatus, Run
from halfdoor.runner import bubblewrap, calls, filters, landlock, order, rungs, seatbelt, view
from halfdoor.runner.order import Order
from halfdoor.runner.sandbox import Sandbox

ORDER = Order(
    rung=order.BUBBLEWRAP,
    argv=["/bin/run", "it"],
    wrapped=[],
    environment={"A": "b c"},
    scratch="/scratch",
    at="/home/me/app",
    shown=[("/usr", "/usr"), ("/home/me/app/venv", "/home/me/app/venv")],
    links=[("/bin", "usr/bin")],
    timeout_s=3.0,
    cpu_s=2,
    memory_bytes=1000,
    processes=4,
    file_bytes=100,
    disk_bytes=4096,
)


def test_an_order_and_a_report_are_read_as_they_were_written():
    assert order.read(ORDER.line()) == ORDER
    report = order.Report("exited", 3, "why")
    assert order.reported(report.line()) == report
    assert order.reported(b"") is None
    assert order.reported(b"[1]") is None


def test_bubblewrap_is_told_to_share_nothing_and_to_show_what_is_shown():
    told = bubblewrap.arguments("/usr/bin/bwrap", ORDER)
    line = " ".join(told)
    for wanted in (
        "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop ALL", "--clearenv",
        "--seccomp FILTER", "--ro-bind /usr /usr", "--bind /scratch/work /home/me/app",
        "--size 4096 --tmpfs /tmp", "--symlink usr/bin /bin", "--remount-ro /",
        "--chdir /home/me/app", "--setenv A b c -- /bin/run it",
    ):  # fmt: skip
        assert wanted in line
    assert "--share-net" not in told
    assert told.count("--bind") == 1
    assert line.index("--bind /scratch/work") < line.index("/home/me/app/venv")


def test_macos_is_told_to_deny_what_is_not_named():
    profile = seatbelt.profile(ORDER)
    assert profile.startswith("(version 1)\n(deny default)\n")
    assert "(deny network*)" in profile
    assert '(allow file-read* (subpath "/usr"))' in profile
    writable = [line for line in profile.splitlines() if "file-write*" in line]
    assert all('"/scratch/' in line for line in writable)
    assert seatbelt.arguments(ORDER)[-2:] == ["/bin/run", "it"]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("make", [filters.apart, lambda m: filters.among(m, signals=False, root=True)])  # fmt: skip
def test_a_filter_jumps_forward_within_itself_and_ends_every_way(machine, make):
    steps = list(iter_unpack("=HBBI", make(machine)))
    assert 100 < len(steps) < 4096
    for at, (code, then, otherwise, _) in enumerate(steps):
        if code & 7 == 5:
            assert at + 1 + max(then, otherwise) < len(steps)
    assert steps[-1][0] == 6


def test_an_unknown_processor_has_no_filter_and_therefore_no_rung(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert not filters.known("riscv64")
    box = Sandbox(guard.start_permit, only=rungs.LINUX)
    assert box.rung() == ""
    assert "riscv64" in box.refusal()


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "bwrap-userns-restrict"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces"),
    ],
)
def test_a_refused_namespace_is_explained_by_the_setting_that_refuses_it(
    tmp_path, setting, value, said
):
    (tmp_path / setting).parent.mkdir()
    (tmp_path / setting).write_text(f"{value}\n")
    for rung in (order.BUBBLEWRAP, order.NAMESPACES):
        told = rungs.explained(rung, "unshare: Operation not permitted", tmp_path)
        assert told.startswith("unshare: Operation not permitted; ")
        assert said in told
        assert "hint: " in told


def test_a_refusal_that_no_setting_explains_is_put_down_to_the_container(tmp_path):
    assert "container" in rungs.explained(order.NAMESPACES, "unshare: no", tmp_path)
    assert rungs.explained(order.LANDLOCK, "no", tmp_path) == "no"


def test_bubblewrap_that_is_not_installed_is_said_to_be(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert "install the package" in rungs.missing(order.BUBBLEWRAP)


@pytest.mark.parametrize("version", [0, 2])
def test_a_landlock_that_lets_files_outside_be_truncated_is_no_rung(monkeypatch, version):
    monkeypatch.setattr(calls, "landlock_version", lambda: version)
    assert f"Landlock {version}" in rungs.missing(order.LANDLOCK)
    with pytest.raises(OSError, match="at least 3"):
        landlock.enter([], [])


BY_VERSION = {3: (0, 0, 8), 4: (3, 0, 16), 5: (3, 0, 16), 6: (3, 3, 24), 7: (3, 3, 24)}


@pytest.mark.parametrize(("version", "masks"), BY_VERSION.items())
def test_each_version_of_landlock_is_asked_for_all_that_it_can(version, masks):
    assert landlock._forbidden(version)[1:] == masks


def test_a_path_in_another_is_shown_once_and_parents_come_first(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    shown = view.shown([f"{tmp_path}/a/b", f"{tmp_path}/a", f"{tmp_path}/missing"], tmp_path / "h")
    own = [inside for _, inside in shown if inside.startswith(str(tmp_path))]
    assert own == [f"{tmp_path}/a"]


def test_a_virtual_environment_needs_itself_and_the_interpreter_behind_it(tmp_path):
    base = tmp_path / "pythons/3.11"
    (base / "lib/python3.11").mkdir(parents=True)
    (base / "lib/python3.11/os.py").write_text("")
    (base / "bin").mkdir()
    (base / "bin/python3.11").write_text("")
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/pyvenv.cfg").write_text(f"home = {base}/bin\n")
    (tmp_path / "venv/bin/python").symlink_to(base / "bin/python3.11")
    needed = set(view.needed(f"{tmp_path}/venv/bin/python"))
    assert needed == {f"{tmp_path}/venv", str(base)}


def test_a_program_in_a_personal_folder_brings_only_itself(tmp_path):
    (tmp_path / ".local/bin").mkdir(parents=True)
    tool = tmp_path / ".local/bin/tool"
    tool.write_text("")
    assert set(view.needed(str(tool))) == {str(tool)}


def test_before_landlock_6_nobody_is_signalled_at_all(monkeypatch):
    if rungs.missing(order.LANDLOCK):
        pytest.skip(rungs.missing(order.LANDLOCK))
    source = """
import ctypes, os, sys
from halfdoor.runner import calls, filters
import platform
calls.gain_nothing()
calls.filter_calls(filters.among(platform.machine(), signals=False, root=False))
try:
    os.kill(os.getpid(), 15)
except PermissionError:
    print("refused")
"""
    box = Sandbox(guard.start_permit, only=(), unsafe=True)
    ran = box.run(Run((sys.executable, "-c", source), "a test"))
    assert (ran.status, ran.stdout) == (RanStatus.EXITED, b"refused\n"), ran.stderr
