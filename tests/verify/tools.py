"""Runs halfdoor's own analysers as a runner would: in a folder that is gone afterwards."""

import subprocess
import sys
import tempfile
from pathlib import Path

from halfdoor.backends import guard
from halfdoor.canon.checks import Ran, RanStatus


def perform(run):
    """A `Run` of an own analyser, performed without a sandbox."""
    assert run.own
    program = Path(sys.executable).with_name(run.argv[0])
    with tempfile.TemporaryDirectory() as folder, guard.process_test_permit():
        for path, data in run.files.items():
            at = Path(folder) / path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(data)
        ran = subprocess.run(
            [program, *run.argv[1:]], cwd=folder, input=run.stdin, capture_output=True, check=False
        )
    return Ran(RanStatus.EXITED, ran.returncode, ran.stdout, ran.stderr)
