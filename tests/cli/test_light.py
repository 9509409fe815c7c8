"""Plain options need no pydantic, and are read as before."""

import subprocess
import sys
from pathlib import Path

import pytest

from halfdoor.cli import command
from halfdoor.cli.light import AsWritten


def test_a_command_with_plain_options_starts_without_pydantic(home, processes):
    asked = [sys.executable, "-X", "importtime", "-m", "halfdoor", "log", "head"]
    said = subprocess.run(asked, cwd=home, capture_output=True, check=False).stderr.decode()
    assert "typer" in said
    assert "pydantic" not in said


def test_values_are_of_the_kind_that_was_declared():
    assert AsWritten(Path).coerce("a/b", param=None, ctx=None) == Path("a/b")
    assert AsWritten(str).coerce(None) is None


@pytest.mark.parametrize("name", ["gate", "serve", "scan", "why"])
def test_the_readers_take_hold_in_the_typer_that_is_installed(name):
    light = [p for p in command(name).params if isinstance(p._runtime_param, AsWritten)]
    assert light
