import sys
from typing import NamedTuple

import pytest

from halfdoor.cli import main


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user of one's own: no file of the machine that runs the tests is read."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def halfdoor(home, monkeypatch, capsys):
    """Run the command line as the console script does."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["halfdoor", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        return Said(int(stopped.value.code or 0), out, err)

    return run
