"""What the tests of real tools share: an installation, a model, and the wire between them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.tools import AIDER, CLAUDE, CODEX, Aider, Claude, Codex
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.tap import Sent, Tap

ASKED = "claude-sonnet-4-5"


@dataclass(frozen=True, slots=True)
class Line:
    """A tool's address (`url`), what passes there, and the one model behind it."""

    url: str
    tap: Tap
    fake: FakeModel

    @property
    def posts(self) -> list[Sent]:
        """Model requests that reached halfdoor, in order."""
        paths = ("/v1/messages", "/v1/chat/completions", "/v1/responses")
        return [sent for path in paths for sent in self.tap.posts(path)]


@contextmanager
def tapped(**tables: Any) -> Iterator[Tap]:
    """A halfdoor with these tables, and a tap before it."""
    with gateway(**tables) as door, Tap(door.url) as tap:
        yield tap


@pytest.fixture
def line(loopback) -> Iterator[Callable[..., Line]]:
    """Makes a halfdoor before one fake model that speaks `dialect`; more goes to its card."""
    with ExitStack() as stack:

        def make(dialect: str, **card: Any) -> Line:
            fake = stack.enter_context(FakeModel())
            tap = stack.enter_context(
                tapped(
                    backends=[backend("far", fake, dialect)],
                    models=[model("far", "far", "real-model", **card)],
                    names=[{"match": "claude-*", "choose": ["far"]}],
                )
            )
            return Line(tap.url, tap, fake)

        yield make


@pytest.fixture
def claude(tmp_path, processes) -> Claude:
    if not CLAUDE.exists():
        pytest.skip("Claude Code is not installed; hint: make clients")
    return Claude(*_folders(tmp_path))


@pytest.fixture
def codex(tmp_path, processes) -> Codex:
    if not CODEX.exists():
        pytest.skip("Codex is not installed; hint: make clients")
    return Codex(*_folders(tmp_path))


@pytest.fixture
def aider(tmp_path, processes) -> Aider:
    if not AIDER.exists():
        pytest.skip("Aider is not installed; hint: make clients")
    return Aider(*_folders(tmp_path))


def _folders(tmp_path):
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    return home, project
