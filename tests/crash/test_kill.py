"""Thirty kills at random moments; `make crash` does hundreds with the same code."""

import pytest

from tests.crash.lives import Lives, Tally
from tests.helpers.fake_model import FakeModel


@pytest.mark.parametrize("seed", range(5))
async def test_a_kill_at_any_moment_loses_nothing_that_was_promised(
    seed, tmp_path, loopback, processes
):
    tally = Tally()
    with FakeModel() as fake:
        await Lives(tmp_path / "home", seed, fake, tally).run(6)
    assert tally.kills == 6
    assert tally.answered
