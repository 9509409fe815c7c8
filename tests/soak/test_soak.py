"""A small soak: the harness itself works, and some hundred mixed requests are each in the log once."""

from tests.soak.gauge import slope
from tests.soak.soak import soak


def test_a_slope_is_that_of_the_line_through_the_points():
    assert slope([(0, 100), (1000, 110), (2000, 120)]) == 0.01
    assert slope([(0, 100)]) == 0.0


async def test_every_request_of_a_mixed_load_is_in_the_log_once_and_no_key_leaves(
    tmp_path, loopback, processes
):
    result = await soak(tmp_path / "home", requests=600, filling=20, every=200)
    assert not result.found, result.found[:5]
    assert result.requests == 620
    assert {status for _, status in result.statuses} == {0, 200, 400}
