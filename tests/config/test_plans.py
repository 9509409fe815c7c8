import pytest

from halfdoor.canon.plans import Beyond, Window
from halfdoor.config.load import load
from halfdoor.config.reload import obstacles
from halfdoor.errors import SetupError

BASE = """
[[backends]]
name = "anthropic"
dialect = "anthropic_messages"
url = "https://api.anthropic.com"
zone = "cloud"
"""
PLAN = """
[[plans]]
name = "max"
usd = 199.99
backends = ["anthropic"]
"""
MORE = PLAN.replace('"max"', '"more"')
MODEL = '[[models]]\nname = "sonnet"\nbackend = "anthropic"\nid = "s"\n'


def read(tmp_path, text):
    file = tmp_path / "config.toml"
    file.write_text(BASE + text)
    return load(file, None, {"HOME": str(tmp_path)})


def test_a_plan_is_read_with_its_fee_to_the_cent_and_its_windows(tmp_path):
    limits = '[[plans.limits]]\nwindow = "5h"\nrequests = 900\n[[plans.limits]]\nwindow = "7d"\ntokens = 9\n'
    (plan,) = read(tmp_path, PLAN + 'beyond = "pay"\nsince = "2026-11-01"\n' + limits).config.plans
    assert plan.fee == 199_990_000_000_000
    assert (plan.period, plan.beyond, plan.since) == ("month", Beyond.PAY, "2026-11-01")
    assert plan.windows == (Window(18_000, 900), Window(604_800, tokens=9))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[plans]]\nname = "max"\nusd = 1\n', "plan `max` covers nothing"),
        (PLAN.replace("anthropic", "antropic"), "covers `antropic`, which is no backend"),
        (PLAN + 'models = ["claude-*"]\n', "covers `claude-*`, and no model is called so"),
        (PLAN + 'since = "2026-02-30"\n', "there is no day `2026-02-30`"),
        (PLAN + '[[plans.limits]]\nwindow = "5h"\n', "the limit for `5h` limits nothing"),
        (PLAN + '[[plans.limits]]\nwindow = "5m"\nrequests = 1\n', "`5m` is no window"),
        (PLAN + '[[plans.limits]]\nwindow = "99d"\nrequests = 1\n', "`99d` is no window"),
        (PLAN + PLAN, "two `[[plans]]` are called `max`"),
        (PLAN + MORE, "plan `more` never pays: `max` covers all that it does"),
        (PLAN + MODEL + MORE + 'models = ["son*"]\n', "plan `more` never pays"),
        (
            PLAN + 'models = ["s*"]\n' + MODEL + MORE + 'models = ["sonnet"]\n',
            "`max` covers all that it does; hint: of two the first pays (at config.toml:8)",
        ),
    ],
)
def test_what_cannot_be_meant_stops_the_start_with_its_line(tmp_path, text, said):
    with pytest.raises(SetupError, match=r"config\.toml:") as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('models = ["sonnet"]\n', ""),
        ('models = ["so?net"]\n', 'models = ["so*"]\n'),
        ('models = ["sonnet"]\n', 'models = ["sonnet", "opus"]\n'),
    ],
)
def test_a_plan_for_what_is_left_is_taken(tmp_path, first, second):
    models = MODEL + MODEL.replace("sonnet", "opus")
    plans = read(tmp_path, PLAN + first + models + MORE + second).config.plans
    assert [plan.name for plan in plans] == ["max", "more"]


def test_plans_change_with_a_restart_only(tmp_path):
    old, new = read(tmp_path, PLAN), read(tmp_path, PLAN.replace("199.99", "99"))
    assert obstacles(old, new) == ("its plans are others",)
