"""Options that commands share. They cost nothing to import; `cli/options.py` is how they speak."""

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Read this file instead of the user's."),
]
ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project", metavar="DIR", help="Where `.halfdoor.toml` is sought; here if left out."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
