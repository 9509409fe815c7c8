"""Options whose words need no reading: text stays text, and a path becomes one.

typer reads every option through pydantic, which takes 60 ms to import, as long as a small commit
takes to check. It asks each parameter for its reader and makes one when there is none; here is one.
"""

from pathlib import Path
from typing import Any, Final

import typer

_KINDS: Final[dict[Any, type]] = {
    bool: bool,
    str: str,
    str | None: str,
    Path: Path,
    Path | None: Path,
}


class AsWritten:
    """Stands where typer keeps the reader of one parameter's values."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def coerce(self, value: Any, **_: Any) -> Any:
        """The value, of its kind; None stays None."""
        return value if value is None else self._kind(value)


def lighten(command: Any) -> None:
    """Give plain parameters their reader. Where typer has changed, it goes on making its own."""
    for each in command.get_params(typer.Context(command)):  # `--help` is among these alone
        annotation = getattr(getattr(each, "type_descriptor", None), "annotation", None)
        single = getattr(each, "nargs", 0) == 1 and not getattr(each, "multiple", True)
        if single and annotation in _KINDS and getattr(each, "_runtime_param", "") is None:
            each._runtime_param = AsWritten(_KINDS[annotation])  # noqa: SLF001  see above
