"""Each rung that works here; one that does not is skipped, and says why."""

import sys
from contextlib import nullcontext

import pytest

from halfdoor.backends import guard
from halfdoor.canon.checks import Limits, Run
from halfdoor.runner import rungs
from halfdoor.runner.sandbox import Sandbox

ALL = (*rungs.LINUX, *rungs.MACOS)
SMALL = Limits(cpu_s=20, memory_bytes=256 * 2**20, processes=16, output_bytes=2**20, file_bytes=2**20, disk_bytes=4 * 2**20)  # fmt: skip


@pytest.fixture(params=ALL)
def rung(request):
    """The name of a rung that works here."""
    if request.param not in rungs.here():
        pytest.skip(f"{request.param} is not of this system")
    trial = Sandbox(guard.start_permit, only=(request.param,))
    if not trial.rung():
        pytest.skip(trial.refusal())
    return request.param


@pytest.fixture
def sandbox(rung):
    """A runner on that rung alone."""
    return Sandbox(guard.start_permit, only=(rung,))


@pytest.fixture
def inside(sandbox):
    """Run Python source in it: `inside(source, *arguments, limits=…, …)` gives the `Ran`."""

    def run(source, *arguments, limits=SMALL, timeout_s=30.0, **more):
        argv = (sys.executable, "-I", "-S", "-c", source, *map(str, arguments))
        return sandbox.run(Run(argv, "a test", limits=limits, timeout_s=timeout_s, **more))

    return run


def unguarded(_purpose):
    """Leave that gives nothing: the guard must refuse."""
    return nullcontext()
