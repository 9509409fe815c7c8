"""A gate that is ended from outside leaves nothing behind."""

import os
import signal
import tempfile
from pathlib import Path

import pytest

from halfdoor.cli.gate.ending import ending_well


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_cancelled_gate_takes_its_private_folder_away(number):
    """CI that was cancelled left a copy of the project in the temporary folder each time."""
    had = signal.getsignal(number)
    with (
        pytest.raises(SystemExit) as ended,
        ending_well(),
        tempfile.TemporaryDirectory() as folder,
    ):
        os.kill(os.getpid(), number)
    assert ended.value.code == 128 + number
    assert not Path(folder).exists()
    assert signal.getsignal(number) is had
