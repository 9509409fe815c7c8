import pytest

from halfdoor.canon.objectives import Objective
from halfdoor.config.load import load_user
from halfdoor.config.objectives import objectives
from halfdoor.errors import SetupError

BACKEND = (
    '[[backends]]\nname = "b"\ndialect = "ollama"\nurl = "http://127.0.0.1:1"\nzone = "device"\n'
)


def held(tmp_path, slo):
    path = tmp_path / "config.toml"
    path.write_text(f"{BACKEND}[backends.slo]\n{slo}\n" if slo else BACKEND)
    return objectives(load_user(path).backends)


def test_a_backend_that_promises_nothing_is_held_to_nothing(tmp_path):
    assert held(tmp_path, "") == ()


def test_seconds_become_tenths_and_a_share_that_is_left_out_is_95_in_100(tmp_path):
    assert held(tmp_path, "first_token_s = 2.5") == (Objective("b", None, 25, 0.95),)
    stated = "availability = 0.99\nfirst_token_s = 1\nfirst_token_share = 0.5"
    assert held(tmp_path, stated) == (Objective("b", 0.99, 10, 0.5),)


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        ("availability = 1.0", "availability"),
        ("availability = 99", "availability"),
        ("first_token_s = 0", "first_token_s"),
        ("first_token_share = 0.9", "promises nothing"),
        ("latency = 3", "latency"),
    ],
)
def test_a_promise_that_cannot_be_kept_or_read_stops_the_start(tmp_path, slo, said):
    with pytest.raises(SetupError, match=said):
        held(tmp_path, slo)
