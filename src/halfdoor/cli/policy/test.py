"""`halfdoor policy test`: expected verdicts, for continuous integration."""

import os
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from halfdoor.cli import ERROR
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    ProjectOption,
    console,
    printable,
    project_dir,
    say_json,
)
from halfdoor.cli.policy.cases import Case, Judged, body_of, cases, judge
from halfdoor.config.defaults import scripted_config
from halfdoor.config.load import Loaded, source_of
from halfdoor.config.load import load as read
from halfdoor.errors import SetupError
from halfdoor.wiring import DIALECTS, house

BODY_LIMIT_BYTES: Final = 64 * 1024 * 1024


def compare(
    file: Annotated[Path, typer.Argument(help="Cases, TOML: docs/reference/policy-tests.md.")],
    config: ConfigOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Compare what would be decided about each request of a file with what is expected.

    Calls nobody and writes nothing. Without a configuration, two scripted models stand in, one on
    the device and one in the cloud. Exit 0: all cases pass. Exit 1: one does not.
    """
    source = source_of(file)
    listed = cases(source, tuple(sorted(DIALECTS)))
    loaded, stand_in = _loaded(config, project)
    place = house(loaded)
    judged = []
    for index, case in enumerate(listed):
        dialect, body = body_of(case, _body_file(case, file, source.place("case", index)))
        judged.append(judge(case, source.place("case", index), dialect, body, place))
    if json:
        say_json([{"passed": not one.failures} | msgspec.to_builtins(one) for one in judged])
    else:
        _show(judged, stand_in=stand_in)
    if any(one.failures for one in judged):
        raise typer.Exit(ERROR)


def _loaded(config: Path | None, project: Path | None) -> tuple[Loaded, bool]:
    """No engine is looked for: the same file must come to the same on every machine."""
    loaded = read(config, project_dir(project), os.environ)
    if loaded.config.source:
        return loaded, False
    return msgspec.structs.replace(loaded, config=scripted_config()), True


def _body_file(case: Case, cases_file: Path, where: str) -> bytes | None:
    if case.body_file is None:
        return None
    path = cases_file.parent / case.body_file
    hint = "`body_file` is relative to the file of cases"
    try:
        if not path.is_file() or path.stat().st_size > BODY_LIMIT_BYTES:
            said = f"`{case.body_file}` is no regular file of at most 64 MiB"
            raise SetupError(said, hint=hint, where=where)
        return path.read_bytes()
    except OSError as error:
        said = f"`{case.body_file}` cannot be read: {error.strerror}"
        raise SetupError(said, hint=hint, where=where) from None


def _show(judged: list[Judged], *, stand_in: bool) -> None:
    screen = console()
    for one in judged:
        if not one.failures:
            screen.print(f"ok    {printable(one.name)}")
            continue
        screen.print(f"FAIL  {printable(one.name)} ({one.where})")
        for failure in one.failures:
            screen.print(f"      {printable(failure)}")
    failed = sum(1 for one in judged if one.failures)
    beside = " (scripted models: there is no configuration)" if stand_in else ""
    screen.print(f"{len(judged) - failed:,} passed, {failed:,} failed{beside}")
