"""pytest runs by the settings of the revision that judges, whatever file they stand in."""

import pytest

from halfdoor.verify.pytest_settings import differ, own_settings, settings
from tests.helpers.checks import change, subject

OWN = b"[tool.pytest.ini_options]\naddopts = '-x'\n"
NONE = (("-c", ".halfdoor-pytest.ini", "--rootdir", "."), {".halfdoor-pytest.ini": b""})


def by(name, data=None):
    return ("-c", name, "--rootdir", "."), {} if data is None else {name: data}


def test_a_file_that_says_the_same_to_pytest_is_read_where_it_lies():
    kept = subject(change("pyproject.toml", OWN + b"[project]\n", OWN), files={"pyproject.toml": OWN})  # fmt: skip
    assert settings(kept) == own_settings(kept) == by("pyproject.toml")
    assert not differ(kept)
    assert settings(subject(files={"pyproject.toml": b"[project]\n"})) == NONE


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("pyproject.toml", b""),
        ("pyproject.toml", None),
        ("pytest.ini", b""),
        ("pyproject.toml", b"tool.pytest.ini_options.addopts = '--co'"),
    ],
)
def test_what_the_change_says_otherwise_is_laid_aside(path, after):
    files = {"pyproject.toml": OWN}
    asked = subject(change(path, after, files.get(path)), files=files)
    assert settings(asked) == by(".halfdoor-pytest.toml", OWN)
    assert own_settings(asked) == (by(path) if path == "pytest.ini" or after else NONE)
    assert differ(asked)


def test_a_file_that_is_pytests_by_its_name_keeps_it():
    asked = subject(change("pytest.ini", b"[pytest]\n", b""), files={"pytest.ini": b""})
    assert settings(asked) == by("pytest.ini", b"")


def test_settings_that_came_after_the_fork_are_laid_into_both_trees():
    tip = subject(files={}, settings={"setup.cfg": b"[tool:pytest]\naddopts = -q\n[x]\n"})
    assert settings(tip) == by(".halfdoor-pytest.cfg", tip.settings["setup.cfg"])


def test_a_section_is_told_from_its_neighbours():
    text = b"[a]\nx = 1\n[pytest]\naddopts =\n    -q\n\n[b]\n"
    asked = subject(change("tox.ini", text.replace(b"x = 1", b"x = 2") + b"y = 1\n", text), files={"tox.ini": text})  # fmt: skip
    assert not differ(asked)
    other = subject(change("tox.ini", text.replace(b"-q", b"--co"), text), files={"tox.ini": text})
    assert differ(other)
