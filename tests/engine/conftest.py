"""What the tests of a real engine share: the engine, and a halfdoor before it."""

from collections.abc import Iterator

import pytest

from halfdoor.backends import guard
from tests.engine.server import INSTALLED, Engine, engine
from tests.engine.tiny import model as tiny
from tests.helpers.gateway import Gateway, backend, gateway, model

KINDS = ["chat", "completion", "embedding"]


@pytest.fixture(scope="session")
def real(tmp_path_factory) -> Iterator[Engine]:
    """One engine for all tests: it takes a second to start."""
    if not INSTALLED.exists():
        pytest.skip("there is no engine; hint: make engine")
    with (
        guard.process_test_permit(),
        guard.loopback_test_permit(),
        engine(tmp_path_factory.mktemp("engine")) as running,
    ):
        yield running


@pytest.fixture
def door(real, loopback) -> Iterator[Gateway]:
    """A halfdoor before the engine."""
    there = gateway(
        backends=[backend("engine", real, "openai_chat")],
        models=[model("tiny", "engine", tiny.NAME, kinds=KINDS)],
    )
    with there as running:
        yield running
