"""`halfdoor policy`: look over the rules, test them, try them on the past, draft them.

A command is a file here with a function, and a line in COMMANDS.
"""

from collections.abc import Callable
from typing import Any, Final

import typer

from halfdoor.cli.policy.check import check
from halfdoor.cli.policy.draft import draft
from halfdoor.cli.policy.index import index
from halfdoor.cli.policy.pin import pin
from halfdoor.cli.policy.test import compare
from halfdoor.cli.policy.trial import trial

COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "check": check,
    "index": index,
    "test": compare,
    "try": trial,
    "import": draft,
    "pin": pin,
}

app = typer.Typer(no_args_is_help=True, help="Look over, test, try and draft the rules.")
for _name, _function in COMMANDS.items():
    app.command(_name)(_function)
