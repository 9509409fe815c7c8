import pytest

from halfdoor.config.load import load
from halfdoor.errors import SetupError

BASE = """
[[tokens]]
name = "ann-laptop"
env = "ANN"
person = "ann"
team = "web"
[[backends]]
name = "near"
dialect = "openai_chat"
url = "http://127.0.0.1:8000/v1"
zone = "device"
[[models]]
name = "qwen"
backend = "near"
id = "q"
"""


def read(tmp_path, match, more=""):
    file = tmp_path / "config.toml"
    file.write_text(
        f'{BASE}{more}[[budgets]]\nname = "b"\nlimit_usd = 0.1\nmatch = {{ {match} }}\n'
    )
    return load(file, None, {"HOME": str(tmp_path)}).config.budgets


@pytest.mark.parametrize(
    "match", ['person = "anne"', 'team = "wep"', 'token = "ann"', 'model = "gwen"']
)
def test_a_limit_for_nobody_stops_the_start_instead_of_holding_nothing(tmp_path, match):
    with pytest.raises(SetupError, match=r"config\.toml:19: budget `b` counts the"):
        read(tmp_path, match)


@pytest.mark.parametrize(
    "match",
    ['person = "ann"', 'team = "web"', 'token = "launch"', 'model = "q*"', 'project = "any"'],
)
def test_a_limit_for_somebody_is_taken_as_it_is_written(tmp_path, match):
    (budget,) = read(tmp_path, match)
    assert budget.limit == 10**11
    assert len(budget.match) == 1


def test_where_a_model_sends_on_any_name_a_budget_may_name_any(tmp_path):
    passing = '[[models]]\nname = "all"\nbackend = "near"\nid = "*"\n'
    assert read(tmp_path, 'model = "claude-*"', passing)
