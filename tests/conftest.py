"""What holds in every test: the network is shut, nothing blocks the loop, no key leaks in."""

import os

import pytest
from blockbuster import BlockBuster
from hypothesis import settings

from halfdoor.backends import guard

# CI tries the same examples each time, so that a failure there is the change's; elsewhere every
# run tries new ones. No example has a time limit: a busy machine is no failure.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("elsewhere", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "elsewhere")


@pytest.fixture(scope="session", autouse=True)
def _network_is_shut():
    """The product's own audit hook; only loopback exists, and only with leave.

    It goes in when the first test starts, not at import, so that a test runner may start workers.
    """
    guard.install(testing=True)


@pytest.fixture(autouse=True)
def _online_again():
    """What goes offline stays so until its process ends; a test that did must not bind the next."""
    yield
    guard._installed.offline = False


@pytest.fixture(scope="session", autouse=True)
def _loop_never_blocks():
    """A call from halfdoor that blocks a running loop raises in the test that made it."""
    watch = BlockBuster("halfdoor")
    # Less than a microsecond on the gateway's own state directory, and no request may miss it.
    watch.functions["os.access"].can_block_in("halfdoor/config/offline.py", "flagged")
    watch.activate()
    yield
    watch.deactivate()


@pytest.fixture(autouse=True)
def _no_real_keys(monkeypatch):
    """Keys and proxies of the machine that runs the tests are none of their business."""
    for name in list(os.environ):
        if name.upper().endswith(("_API_KEY", "_PROXY")) or name.startswith("HALFDOOR_"):
            monkeypatch.delenv(name)


@pytest.fixture
def loopback():
    """The test's own clients (an SDK, a raw socket) may reach 127.0.0.0/8 and ::1."""
    with guard.loopback_test_permit():
        yield


@pytest.fixture
def processes():
    """The test may start processes."""
    with guard.process_test_permit():
        yield
