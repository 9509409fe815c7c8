"""Runs halfdoor's own analysers as a runner would: in a folder that is gone afterwards."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from halfdoor.backends import guard
from halfdoor.canon.checks import Ran, RanStatus


def perform(run):
    """A `Run` of an own analyser, or of bash that only reads, performed without a sandbox."""
    bash = run.argv[:1] == ("bash",) and " -n " in run.argv[2]
    assert run.own or bash
    beside = Path(sys.executable).with_name(run.argv[0])
    program = shutil.which("bash") or "bash" if bash else beside
    with tempfile.TemporaryDirectory() as folder, guard.process_test_permit():
        for path, data in run.files.items():
            at = Path(folder) / path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(data)
        ran = subprocess.run(
            [program, *run.argv[1:]], cwd=folder, input=run.stdin, capture_output=True, check=False
        )
    return Ran(RanStatus.EXITED, ran.returncode, ran.stdout, ran.stderr)
