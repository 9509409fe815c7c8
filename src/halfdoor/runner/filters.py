"""System calls that nothing in a sandbox makes: a seccomp program, as bytes. Pure.

Refused everywhere: what makes namespaces or mounts, reads or steers other processes, hides memory
from the count (`memfd_create`, System V), goes round a filter (io_uring, 32-bit calls), or opens
the kernel wider than code under test needs.

In `landlock`, where no namespace keeps the process apart, also: every socket (UDP and Unix sockets
are not Landlock's to forbid), what changes other processes of the same user, and, before Landlock
6, signals. Landlock does not see changes of mode, owner and time: these calls do nothing and say
that they did, because `shutil.copy` makes them for every file.
"""

import errno
from struct import pack
from typing import Final

_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_KILL: Final = 0x80000000
_LOAD, _EQUAL, _LEAST, _SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_X32: Final = 0x40000000

# platform.machine() -> (what the kernel calls it, column of _NUMBERS)
_MACHINES: Final = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

# Numbers of x86-64 and of arm64, -1 where there is no such call (asm/unistd.h, Linux 6.1).
_NUMBERS: Final = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chmod": (90, -1),
    "chown": (92, -1),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchownat": (260, 54),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsetxattr": (190, 7),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "futimesat": (261, -1),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioperm": (173, -1),
    "iopl": (172, -1),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "lchown": (94, -1),
    "lookup_dcookie": (212, 18),
    "lsetxattr": (189, 6),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setfsuid": (122, 151),
    "setpriority": (141, 140),
    "setresuid": (117, 147),
    "setreuid": (113, 145),
    "settimeofday": (164, 170),
    "setuid": (105, 146),
    "setxattr": (188, 5),
    "shmget": (29, 194),
    "socket": (41, 198),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "utime": (132, -1),
    "utimensat": (280, 88),
    "utimes": (235, -1),
    "vhangup": (153, 58),
}
# Refused by an argument: these are judged one by one below.
_PARTLY: Final = frozenset({"clone", "clone3", "ioctl", "prlimit64", "socket"})
_SIGNALS: Final = frozenset(
    {"kill", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "tgkill", "tkill"}
)
_IN_VAIN: Final = frozenset(
    {
        "chmod",
        "chown",
        "fchmodat",
        "fchmodat2",
        "fchownat",
        "futimesat",
        "lchown",
        "utime",
        "utimensat",
        "utimes",
    }
)
_LABELLING: Final = frozenset({"fsetxattr", "lsetxattr", "setxattr"})
_STEERING: Final = frozenset(
    {
        "ioprio_set",
        "sched_setaffinity",
        "sched_setattr",
        "sched_setparam",
        "sched_setscheduler",
        "setpriority",
    }
)
_USERS: Final = frozenset({"setfsuid", "setresuid", "setreuid", "setuid"})
_APART: Final = (
    _USERS | _SIGNALS | _IN_VAIN | _LABELLING | _STEERING
)  # refused without namespaces only

_NEW_NAMESPACES: Final = 0x7E020000  # CLONE_NEW*, as `clone` takes them
_TYPED_FOR_OTHERS: Final = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_FAMILIES: Final = (1, 2, 10, 16)  # Unix, IPv4, IPv6, netlink: what a network namespace holds


def known(machine: str) -> bool:
    """Is there a filter for this processor (`platform.machine()`)?"""
    return machine in _MACHINES


def apart(machine: str) -> bytes:
    """For a process in namespaces of its own. Raises KeyError for an unknown processor."""
    return _program(machine, dict.fromkeys(_NUMBERS.keys() - _PARTLY - _APART, errno.EPERM), True)


def among(machine: str, *, signals: bool, root: bool) -> bytes:
    """For a process among the user's others.

    signals: something else keeps them to its own. root: it must not become its real user again,
    see `keeper.py`; a shell tries to, and believes that it did.
    """
    refused = dict.fromkeys(_NUMBERS.keys() - _PARTLY, errno.EPERM)
    refused |= dict.fromkeys(_IN_VAIN, 0) | dict.fromkeys(_LABELLING, errno.EOPNOTSUPP)
    refused |= dict.fromkeys(_USERS, 0)
    if not root:
        refused = {name: code for name, code in refused.items() if name not in _USERS}
    if signals:
        refused = {name: code for name, code in refused.items() if name not in _SIGNALS}
    return _program(machine, refused, False)


def _program(machine: str, refused: dict[str, int], sockets: bool) -> bytes:
    arch, column = _MACHINES[machine]
    steps = [_step(_LOAD, _ARCH), _step(_EQUAL, arch, 1, 0), _step(_RETURN, _KILL)]
    steps += [_step(_LOAD, _NUMBER), _step(_LEAST, _X32, 0, 1), _refuse(errno.ENOSYS)]
    for name in sorted(refused):
        steps += _whole(_NUMBERS[name][column], refused[name])
    number = {name: _NUMBERS[name][column] for name in _PARTLY}
    # Its flags lie behind a pointer; without it, libraries call `clone`.
    steps += _whole(number["clone3"], errno.ENOSYS)
    steps += _when(number["clone"], 0, [_step(_SET, _NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM)])
    steps += _when(number["prlimit64"], 0, [_step(_EQUAL, 0, 1, 0), _refuse(errno.EPERM)])
    steps += _when(number["ioctl"], 1, _any_of(_TYPED_FOR_OTHERS, errno.EPERM))
    steps += _sockets(number["socket"], sockets)
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _sockets(number: int, some: bool) -> list[bytes]:
    if not some:
        return _whole(number, errno.EACCES)
    left = len(_FAMILIES)
    tests = [_step(_EQUAL, family, left - at, 0) for at, family in enumerate(_FAMILIES)]
    return _when(number, 0, [*tests, _refuse(errno.EAFNOSUPPORT)])


def _any_of(values: tuple[int, ...], code: int) -> list[bytes]:
    return [step for value in values for step in (_step(_EQUAL, value, 0, 1), _refuse(code))]


def _whole(number: int, code: int) -> list[bytes]:
    return [] if number < 0 else [_step(_EQUAL, number, 0, 1), _refuse(code)]


def _when(number: int, argument: int, steps: list[bytes]) -> list[bytes]:
    """`steps` look at the lower half of an argument of one call; what they let by is allowed."""
    inner = [_step(_LOAD, _ARGUMENTS + 8 * argument), *steps, _step(_RETURN, _ALLOW)]
    return [_step(_EQUAL, number, 0, len(inner)), *inner]


def _refuse(code: int) -> bytes:
    return _step(_RETURN, _ERRNO | code)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One `struct sock_filter`."""
    return pack("=HBBI", code, then, otherwise, value)
