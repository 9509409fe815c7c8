"""Who in halfdoor may hold a socket, speak TLS, look a name up or dial. The one place where it stands."""

import ast
from collections.abc import Iterator, Mapping
from typing import Final

DIAL: Final = "halfdoor/backends/dialling.py"
LISTEN: Final = "halfdoor/server/listen.py"

# Modules, and the files that may import them.
MODULES: Final[Mapping[str, frozenset[str]]] = {
    # The guard knows address families; a crew asks whether its system shares ports.
    "socket": frozenset({DIAL, LISTEN, "halfdoor/backends/guard.py", "halfdoor/server/crew.py"}),
    # Contexts are made in one file and handed on; faults are read off what it raises.
    "ssl": frozenset(
        {
            DIAL,
            "halfdoor/backends/control.py",
            "halfdoor/backends/faults.py",
            "halfdoor/backends/http.py",
            "halfdoor/backends/pool.py",
        }
    ),
    **dict.fromkeys(
        (
            *("aiohttp", "httpx", "httpx2", "requests", "urllib3", "pycurl", "websockets", "h2"),
            *("http.client", "http.server", "urllib.request", "xmlrpc", "socketserver"),
            *("ftplib", "smtplib", "imaplib", "poplib", "telnetlib", "nntplib", "dns", "aiodns"),
            *(
                "asyncio.streams",
                "multiprocessing",
                "_socket",
                "_ssl",
                "_posixsubprocess",
            ),
        ),
        frozenset(),
    ),
    # What makes a sandbox has no function in Python. Its one socket raises a new namespace's `lo`.
    "ctypes": frozenset({"halfdoor/runner/calls.py"}),
}
# Names that open a connection or ask for an address, and the files that may say them.
NAMES: Final[Mapping[str, frozenset[str]]] = {
    "create_connection": frozenset({DIAL}),
    "sock_connect": frozenset({DIAL}),
    # To bind; and `doctor` shows where a backend's name leads.
    "getaddrinfo": frozenset({DIAL, LISTEN, "halfdoor/cli/checkup.py"}),
    **dict.fromkeys(
        (
            *("open_connection", "open_unix_connection", "create_unix_connection"),
            *("create_datagram_endpoint", "sock_sendto", "sock_sendall", "connect_ex"),
            *("gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo", "getfqdn"),
        ),
        frozenset(),
    ),
}


def breaches(path: str, source: str) -> list[str]:
    """What a file does that only others may, `path:line: what`. path: as it stands in the wheel."""
    found = _found(ast.parse(source))
    return [f"{path}:{line}: {what}" for line, what, allowed in found if path not in allowed]


def _found(tree: ast.AST) -> Iterator[tuple[int, str, frozenset[str]]]:
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for module in _imported(node):
            for known, allowed in MODULES.items():
                if module == known or module.startswith(f"{known}."):
                    yield line, f"imports {module}", allowed
        for name in _named(node):
            if name in NAMES:
                yield line, f"names {name}", NAMES[name]


def _imported(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names):
            yield from (f"{module}.{alias.name}" for alias in names)
        case ast.Call(func=ast.Name(id="__import__") | ast.Name(id="import_module"), args=args):
            yield from (str(a.value) for a in args if isinstance(a, ast.Constant))
        case ast.Call(func=ast.Attribute(attr="import_module"), args=args):
            yield from (str(a.value) for a in args if isinstance(a, ast.Constant))
        case _:
            return


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            yield name
        case ast.ImportFrom(names=names):
            yield from (alias.name for alias in names)
        case ast.Call(func=ast.Name(id="getattr"), args=args):
            yield from (str(a.value) for a in args if isinstance(a, ast.Constant))
        case _:
            return
