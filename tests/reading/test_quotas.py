import pytest

from halfdoor.canon.plans import Told
from halfdoor.reading.quotas import quotas

NOW = 1_776_600_000_000
RESET = 1_776_610_000


def anthropic(used="0.42", reset=RESET, window="5h"):
    begin = f"anthropic-ratelimit-unified-{window}"
    return ((f"{begin}-utilization", used), (f"{begin}-reset", str(reset)))


def codex(used="12.5", minutes="300", **more):
    told = {"used-percent": used, "window-minutes": minutes, **more}
    return tuple((f"x-codex-primary-{name}", value) for name, value in told.items())


def test_a_fraction_and_its_end_are_read_for_every_window():
    headers = (("content-type", "x"), *anthropic(), *anthropic("0.171", RESET + 9, "7d"))
    assert quotas(headers, NOW) == (
        Told(18_000, 420_000, RESET * 1000),
        Told(604_800, 171_000, (RESET + 9) * 1000),
    )


@pytest.mark.parametrize("end", [{"reset-at": str(RESET)}, {"reset-after-seconds": "10000"}])
def test_a_percentage_is_read_with_its_window_in_minutes(end):
    assert quotas(codex(**end), NOW) == (Told(18_000, 125_000, RESET * 1000),)


def test_a_share_is_rounded_up():
    assert quotas(anthropic("0.9999999"), NOW)[0].used_ppm == 1_000_000


@pytest.mark.parametrize(
    "headers",
    [
        (),
        anthropic("much"),
        anthropic("-1"),
        anthropic("nan"),
        anthropic("9" * 30),
        anthropic(reset=NOW // 1000),
        anthropic(reset=RESET * 1000),
        anthropic()[:1],
        anthropic(window="0h"),
        codex(),
        codex(minutes="0", **{"reset-at": str(RESET)}),
        codex(minutes="99999999", **{"reset-at": str(RESET)}),
    ],
)
def test_what_is_missing_malformed_or_over_says_nothing(headers):
    assert quotas(headers, NOW) == ()
