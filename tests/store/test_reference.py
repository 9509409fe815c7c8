"""The reference page's own recipe verifies a log, and fails on a damaged one."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.store.ledgers import tamper, written

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "log.md"


def recipe():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return compile(code, str(PAGE), "exec")


@pytest.fixture
def directory(tmp_path, monkeypatch):
    written(tmp_path, batches=3, exchanges=7)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run():
    scope: dict[str, Any] = {}
    try:
        exec(recipe(), scope)
    finally:
        scope["log"].close()


def test_the_recipe_accepts_a_whole_log(directory):
    run()


def test_the_recipe_refuses_a_changed_entry(directory):
    tamper(directory, "UPDATE entries SET leaf = replace(leaf, '12345', '12344') WHERE seq = 12")
    with pytest.raises(AssertionError):
        run()
