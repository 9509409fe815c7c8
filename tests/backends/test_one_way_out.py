"""One way out, on what is shipped: every module of the built wheel is read."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.helpers.ways_out import DIAL, MODULES, NAMES, breaches

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Name and source of every module in a wheel that is built here and now, without a network."""
    from halfdoor.backends import guard

    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    with guard.process_test_permit():
        done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [file] = folder.glob("*.whl")
    with ZipFile(file) as packed:
        return {n: packed.read(n).decode() for n in packed.namelist() if n.endswith(".py")}


def test_the_wheel_holds_every_module_and_nothing_beside(wheel):
    sources = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.py")}
    assert set(wheel) == sources
    assert len(wheel) > 150


def test_nobody_in_the_wheel_has_a_way_out_but_who_may(wheel):
    found = [breach for path, source in wheel.items() for breach in breaches(path, source)]
    assert not found


def test_whoever_may_really_does(wheel):
    """A name that nobody uses any more leaves the list."""
    allowed = {path for files in (*MODULES.values(), *NAMES.values()) for path in files}
    assert allowed <= set(wheel)
    for path in allowed:
        assert breaches(f"elsewhere/{path}", wheel[path]), path


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "from socket import create_server",
        "def f():\n    import http.client as h",
        "from http import client",
        "from urllib import request",
        "from urllib.request import urlopen",
        "import asyncio\nasync def f(): await asyncio.open_connection('h', 1)",
        "from asyncio import open_connection",
        "async def f(loop): await loop.create_connection(None, 'h', 1)",
        "def f(loop): return getattr(loop, 'create_connection')",
        "__import__('socket')",
        "import importlib\nimportlib.import_module('httpx')",
        "from importlib import import_module\nimport_module('http.client')",
        "import aiohttp.client",
        "async def f(loop): return await loop.getaddrinfo('h', 1)",
        "from asyncio.streams import open_connection",
    ],
)
def test_each_way_out_is_seen(source):
    assert breaches("halfdoor/server/status.py", source)


def test_what_only_looks_like_one_is_none():
    harmless = "from urllib.parse import urlsplit\nimport http\nSAID = 'import socket'  # socket\n"
    assert breaches("halfdoor/server/status.py", harmless) == []
    assert breaches(DIAL, "import socket, ssl\n") == []
