"""Runs the commands that read the log as a shell would, in a state directory of their own."""

import pytest
import typer
from typer.testing import CliRunner, Result

from halfdoor.cli.budget import budget
from halfdoor.cli.cost import cost
from halfdoor.cli.log import app as log
from halfdoor.cli.ps import ps
from halfdoor.cli.status import status
from halfdoor.cli.why import why

app = typer.Typer()
app.add_typer(log, name="log")
app.command()(budget)
app.command()(cost)
app.command()(ps)
app.command()(status)
app.command()(why)


def halfdoor(*arguments: str) -> Result:
    """The command's result; its errors are raised, as `main` words them."""
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def settle_in(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    """Nothing of the machine's own configuration or state is read."""
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("XDG_STATE_HOME", f"{home}/state")
    monkeypatch.setenv("XDG_CONFIG_HOME", f"{home}/config")
