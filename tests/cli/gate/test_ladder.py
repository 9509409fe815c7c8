"""No check of the ladder passes what it could not look at."""

from typing import Any, get_args

from halfdoor.canon.checks import Status, Subject
from halfdoor.cli.gate.ladder import Engines, ladder
from halfdoor.config.tables.gate import CheckName, Gate, GatePath
from tests.helpers.checks import judge

SETTINGS = Gate(
    forbid_imports=("pickle",),
    format=True,
    require_trace=True,
    ast_grep="rules.yml",
    paths=(GatePath(match="a/**", review=True),),
    ask=("types", "tests", "examples", "bandit", "semgrep", "vulnerable"),
)


class Bomb:
    """Stands for files and commits that break whoever looks at them."""

    def __getattr__(self, name):
        raise OSError(f"the disk is gone: {name}")

    def __iter__(self):
        raise OSError("the disk is gone")

    def __bool__(self):
        return True


def checks(tmp_path):
    return ladder(SETTINGS, tmp_path, Engines())[0]


def test_whatever_breaks_a_check_it_is_skipped(tmp_path):
    bomb: Any = Bomb()
    where: dict[str, Any] = {"tree": "/nowhere", "base": "/nowhere", "python": "/nowhere/python"}
    broken = Subject((bomb,), ("tests/test_a.py",), edits=(bomb,), commits=(bomb,), **where)
    for check in checks(tmp_path):
        result = judge(check, broken)
        assert result.status is Status.SKIPPED, (check.name, result)


def test_every_check_has_a_name_that_settings_know_and_can_be_turned_off(tmp_path):
    names = [check.name for check in checks(tmp_path)]
    assert len(names) == len(set(names))
    assert set(names) | {"read"} == set(get_args(CheckName))
    kept, left = ladder(Gate(off=tuple(names)), tmp_path, Engines())
    assert (kept, [each.check for each in left]) == ((), names)
