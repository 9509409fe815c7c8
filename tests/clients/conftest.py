"""What the tests of real tools share: an installation, a model, and the wire between them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.tools import AIDER, CLAUDE, CODEX, Aider, Claude, Codex
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import Gateway, backend, gateway, model
from tests.helpers.tap import Sent, Tap

ASKED = "claude-sonnet-4-5"
ASKING = ("/messages", "/chat/completions", "/responses", "/api/chat", "/api/generate")
# Every kind of backend.
FARS = ("anthropic_messages", "openai_chat", "openai_responses", "ollama")


@dataclass(frozen=True, slots=True)
class Line:
    """A tool's address (`url`), what passes there, and the one model behind it.

    config: a halfdoor's configuration whose address is this one, for commands.
    """

    url: str
    tap: Tap
    fake: FakeModel
    config: Path

    @property
    def posts(self) -> list[Sent]:
        """Model requests that reached halfdoor, in order."""
        return [sent for sent in self.tap.sent if sent.method == "POST" and asks(sent.path)]


def asks(path: str) -> bool:
    """Is it one where a model is asked, under whatever mark?"""
    return path.endswith(ASKING)


@contextmanager
def tapped(**tables: Any) -> Iterator[Tap]:
    """A halfdoor with these tables, and a tap before it."""
    with gateway(**tables) as door, Tap(door.url) as tap:
        yield tap


# The fake stands for the dialect's own vendor, which alone gets a tool's bytes as they came.
OWN = {
    "anthropic_messages": "anthropic",
    "openai_chat": "openai",
    "openai_responses": "openai",
    "ollama": "ollama",
}


def listening_at(tap: Tap, door: Gateway) -> Path:
    """The gateway's configuration, with the tap's address for its own."""
    file = door.config.with_name("at-the-tap.toml")
    told = door.config.read_text().replace("127.0.0.1:0", tap.url.removeprefix("http://"))
    file.write_text(told)
    file.chmod(0o600)
    return file


@pytest.fixture
def line(loopback) -> Iterator[Callable[..., Line]]:
    """Makes a halfdoor before one fake model that speaks `dialect`; more goes to its card."""
    with ExitStack() as stack:

        def make(dialect: str, **card: Any) -> Line:
            fake = stack.enter_context(FakeModel())
            door = stack.enter_context(
                gateway(
                    backends=[backend("far", fake, dialect, vendor=OWN[dialect])],
                    models=[model("far", "far", "real-model", **card)],
                    names=[{"match": "claude-*", "choose": ["far"]}],
                )
            )
            tap = stack.enter_context(Tap(door.url))
            return Line(tap.url, tap, fake, listening_at(tap, door))

        yield make


@dataclass(frozen=True, slots=True)
class Two:
    """A cloud that is preferred and a device that may see all, and the tap before their halfdoor.

    config: see `Line`.
    """

    cloud: FakeModel
    device: FakeModel
    tap: Tap
    config: Path

    @property
    def url(self) -> str:
        return self.tap.url


@pytest.fixture
def two(loopback) -> Iterator[Callable[..., Two]]:
    """Makes such a pair behind one name; `far` and `near` are their dialects, more goes to the file."""
    with ExitStack() as stack:

        def make(near: str, far: str, match: str, **tables: Any) -> Two:
            cloud = stack.enter_context(FakeModel())
            device = stack.enter_context(FakeModel(open_fields=True))
            door = gateway(
                backends=[backend("cloud", cloud, far, "cloud"), backend("device", device, near)],
                models=[model("cloud", "cloud", "large"), model("device", "device", "small")],
                names=[{"match": match, "choose": ["cloud", "device"]}],
                **tables,
            )
            stack.enter_context(door)
            tap = stack.enter_context(Tap(door.url))
            return Two(cloud, device, tap, listening_at(tap, door))

        yield make


@pytest.fixture
def claude(tmp_path, processes) -> Claude:
    if not CLAUDE.exists():
        pytest.skip("Claude Code is not installed; hint: make clients")
    return Claude(*folders(tmp_path))


@pytest.fixture
def codex(tmp_path, processes) -> Codex:
    if not CODEX.exists():
        pytest.skip("Codex is not installed; hint: make clients")
    return Codex(*folders(tmp_path))


@pytest.fixture
def aider(tmp_path, processes) -> Aider:
    if not AIDER.exists():
        pytest.skip("Aider is not installed; hint: make clients")
    return Aider(*folders(tmp_path))


def folders(tmp_path):
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    return home, project
