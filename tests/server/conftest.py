"""What every test of the server begins with."""

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import Gateway


@pytest.fixture
def cloud():
    """For one test alone, as is the next."""
    with FakeModel() as started:
        yield started


@pytest.fixture
def local():
    with FakeModel() as started:
        yield started


@pytest.fixture(scope="module")
def shared():
    """One for all tests of a file; whoever plays it a scene resets it first."""
    with FakeModel() as started:
        yield started


@pytest.fixture(scope="module")
def server():
    """The same, but strict as a vendor: it knows one model, and how much that may answer."""
    with FakeModel(frozenset({"real-model"}), max_output_tokens=8192) as started:
        yield started


@pytest.fixture
def fake(server):
    """The strict one, as if nobody had asked it before."""
    server.reset()
    return server


@pytest.fixture(autouse=True)
def _nothing_has_just_failed(request):
    """A gateway that several tests share remembers which backends and turns failed before."""
    if "door" in request.fixturenames:
        door = request.getfixturevalue("door")
        if isinstance(door, Gateway) and door.url:
            door.well_again()
