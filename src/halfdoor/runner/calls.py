"""The Linux system calls that make a sandbox and that Python has no function for.

Numbers are those of every architecture (all newer than 5.0). Each raises OSError.
"""

import ctypes
import os
import sys
from struct import calcsize, pack
from typing import Final

NEW_NAMESPACES: Final = 0x10000000 | 0x20000 | 0x20000000 | 0x40000000 | 0x8000000 | 0x4000000
BIND, RECURSIVE, PRIVATE, NOSUID, NODEV, NOEXEC = 0x1000, 0x4000, 0x40000, 2, 4, 8

_MOUNT_SETATTR: Final = 442
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PATH_BENEATH: Final = 1
_PDEATHSIG, _DUMPABLE, _SECCOMP, _BOUNDING, _NO_NEW, _SUBREAPER = 1, 4, 22, 24, 38, 36
_ADOPT: Final = 1  # LANDLOCK_CREATE_RULESET_VERSION
_LAST_CAPABILITY: Final = 63

_libc: Final = ctypes.CDLL(None, use_errno=True)


def _checked(code: int, what: str) -> int:
    if code < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return code


def _call(what: str, number: int, *arguments: object) -> int:
    _libc.syscall.restype = ctypes.c_long
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), what)


def _control(what: str, *arguments: int) -> None:
    if sys.platform != "linux":
        return  # elsewhere its own sandbox holds, and the keeper's group
    _checked(_libc.prctl(*(ctypes.c_ulong(each) for each in (*arguments, 0, 0, 0, 0)[:5])), what)


def adopt_orphans() -> None:
    """Processes below this one whose parent dies become its own children, not init's."""
    _control("PR_SET_CHILD_SUBREAPER", _SUBREAPER, 1)


def die_with_parent(signal: int) -> None:
    """Be sent `signal` when the thread that started this process ends."""
    _control("PR_SET_PDEATHSIG", _PDEATHSIG, signal)


def hide(*, yes: bool) -> None:
    """May no process without privilege look into this one, not even of the same user?"""
    _control("PR_SET_DUMPABLE", _DUMPABLE, 0 if yes else 1)


def gain_nothing() -> None:
    """Set-user-id programs and file capabilities give nothing from now on."""
    _control("PR_SET_NO_NEW_PRIVS", _NO_NEW, 1)


def drop_capabilities() -> None:
    """Give every capability up, root's too, for good."""
    for number in range(_LAST_CAPABILITY):
        try:
            _control("PR_CAPBSET_DROP", _BOUNDING, number)
        except OSError:
            break  # without the privilege there is nothing in the set to gain; or it was the last
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _checked(_libc.capset(header, nothing), "capset")


def filter_calls(program: bytes) -> None:
    """Install a seccomp filter, see `filters.py`; needs `gain_nothing` first."""
    code = ctypes.create_string_buffer(program, len(program))
    length = len(program) // calcsize("=HBBI")
    whole = ctypes.create_string_buffer(pack("@HP", length, ctypes.addressof(code)))
    _checked(
        _libc.prctl(_SECCOMP, ctypes.c_ulong(2), ctypes.byref(whole), ctypes.c_ulong(0), 0),
        "PR_SET_SECCOMP",
    )


def leave_namespaces(flags: int) -> None:
    """From now on, live in new namespaces of the kinds that `flags` name."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """The system call of that name; `kind` is the file system's."""
    _checked(
        _libc.mount(
            source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()
        ),
        f"mount {target}",
    )


def make_read_only(target: str, *, recursive: bool = True) -> None:
    """The mount at `target`, and those below it: no writes, no set-user-id. Linux 5.12."""
    attributes = pack("=QQQQ", 1 | NOSUID, 0, 0, 0)
    flags = 0x8000 if recursive else 0
    _call(
        f"mount_setattr {target}",
        _MOUNT_SETATTR,
        ctypes.c_int(-100),
        target.encode(),
        ctypes.c_uint(flags),
        attributes,
        ctypes.c_size_t(len(attributes)),
    )


def change_root(root: str) -> None:
    """`root`, a mount, becomes `/`; what was there is no longer reachable."""
    os.chdir(root)
    _libc.pivot_root.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
    _checked(_libc.pivot_root(b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", ctypes.c_int(2)), "umount of the old root")
    os.chdir("/")


def raise_loopback() -> None:
    """The only network there is: a new namespace's own `lo`."""
    fd = _checked(_libc.socket(2, 2, 0), "socket")
    try:
        # SIOCSIFFLAGS with IFF_UP | IFF_RUNNING
        request = ctypes.create_string_buffer(pack("@16sh22x", b"lo", 0x1 | 0x40))
        _checked(_libc.ioctl(fd, ctypes.c_ulong(0x8914), request), "bringing lo up")
    finally:
        os.close(fd)


def landlock_version() -> int:
    """The kernel's Landlock ABI, 0 where there is none."""
    try:
        return _call("landlock", _LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_ADOPT))
    except OSError:
        return 0


def landlock_begin(files: int, network: int, scoped: int, size: int) -> int:
    """A rule set that forbids what the masks name; a descriptor. size: see the ABI."""
    attributes = pack("=QQQ", files, network, scoped)[:size]
    return _call(
        "landlock_create_ruleset",
        _LANDLOCK_CREATE,
        attributes,
        ctypes.c_size_t(size),
        ctypes.c_uint(0),
    )


def landlock_allow(rules: int, folder: int, rights: int) -> None:
    """Allow `rights` below an open path."""
    _call(
        "landlock_add_rule",
        _LANDLOCK_ADD,
        ctypes.c_int(rules),
        ctypes.c_int(_PATH_BENEATH),
        pack("=Qi", rights, folder),
        ctypes.c_uint(0),
    )


def landlock_enter(rules: int) -> None:
    """From now on they hold, for this process and all it starts."""
    _call("landlock_restrict_self", _LANDLOCK_RESTRICT, ctypes.c_int(rules), ctypes.c_uint(0))
