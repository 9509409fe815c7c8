"""What is told of a gateway's end."""

import pytest

from tests.helpers import serving
from tests.helpers.serving import Serving

pytestmark = pytest.mark.usefixtures("processes")

LISTENS = "print('listens on http://127.0.0.1:1', flush=True);"
ENDS = LISTENS + "raise SystemExit(7)"
STAYS = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    + LISTENS
    + "time.sleep(600)"
)


def started(folder, program):
    told = Serving(folder, {}, program=("-c", program))
    told.start()
    return told


def test_one_that_ended_by_itself_lives_no_more_and_its_status_is_kept_for_who_ends_it(tmp_path):
    gone = started(tmp_path, ENDS)
    gone._process.wait(30)
    assert not gone.lives
    assert gone.end() == 7


def test_one_that_lives_on_after_its_signal_is_told_and_left_to_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "_START_S", 0.05)
    deaf = started(tmp_path, STAYS)
    process = deaf._process
    assert deaf.lives
    with pytest.raises(AssertionError, match=r"halfdoor lived on 0\.05 s after SIGTERM"):
        deaf.end()
    assert process.poll() == -9
    assert not deaf.lives
