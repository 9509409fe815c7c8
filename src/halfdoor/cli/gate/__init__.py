"""`halfdoor gate`: the ladder of checks over what changed.

Nothing is imported before it is needed: a commit hook has a third of a second.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from halfdoor.cli.flags import ConfigOption, JsonOption
from halfdoor.errors import SetupError

FAILED: Final = 3
NOT_JUDGED: Final = 4

app = typer.Typer(invoke_without_command=True)


@app.callback()
def gate(
    context: typer.Context,
    staged: Annotated[
        bool, typer.Option(help="Judge what is staged, not the working tree.")
    ] = False,
    diff: Annotated[
        str, typer.Option(metavar="BASE..HEAD", help="Judge what HEAD brought since BASE.")
    ] = "",
    stdin: Annotated[
        bool,
        typer.Option("--stdin", help="Judge an edit on standard input: a diff, a patch, blocks."),
    ] = False,
    json: JsonOption = False,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write SARIF 2.1.0; `-` is standard output.")
    ] = None,
    github: Annotated[bool, typer.Option(help="Print annotations as GitHub reads them.")] = False,
    index: Annotated[
        bool, typer.Option("--index", help="Ask the package index of your own file about names.")
    ] = False,
    unsafe_local: Annotated[
        bool, typer.Option("--unsafe-local", help="Where no sandbox works, run the project's code.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Check what changed, before it is committed or merged.

    Judges the working tree, untracked files too, beside HEAD. Only what the change brought is
    told. Settings are the table `gate` of `.halfdoor.toml` as the base revision has it, over your
    own. Exit 0: passed. Exit 3: failed. Exit 4: something that should have been judged was not.
    Exit 1: nothing was judged: no checkout, no such revision, broken settings, a file that cannot
    be written. Exit 2: nothing was judged: the command is not spelt right. Only 0 is a pass.
    """
    if context.invoked_subcommand:
        return
    if sum((staged, bool(diff), stdin)) > 1:
        raise typer.BadParameter("give one of --staged, --diff and --stdin")
    from halfdoor.cli.gate.ending import ending_well  # noqa: PLC0415  see above
    from halfdoor.cli.gate.judging import Asked, judge  # noqa: PLC0415  the same
    from halfdoor.cli.gate.telling import tell, unbegun  # noqa: PLC0415  the same

    asked = Asked(staged, diff, stdin, index, unsafe_local, config)
    try:
        with ending_well():
            told = judge(asked)
    except SetupError as error:
        # A file of an earlier run must not be taken for this one's.
        unbegun(error, sarif)
        raise
    tell(told, json=json, sarif=sarif, github=github)
    if told.verdict in CODES:
        raise typer.Exit(CODES[told.verdict])


@app.command()
def badge(
    report: Annotated[
        str, typer.Argument(help="A file that `halfdoor gate --json` wrote; `-` is standard input.")
    ],
    config: ConfigOption = None,
) -> None:
    """Draw what a report of `gate --json` says, as SVG on standard output."""
    from halfdoor.cli.gate.badge import drawn  # noqa: PLC0415  see above

    if config:
        from halfdoor.config.load import load_user  # noqa: PLC0415  the same

        load_user(config)  # nothing in it matters here, but a broken file is worth hearing of
    typer.echo(drawn(report))


@app.command()
def sync(
    files: Annotated[
        list[Path], typer.Argument(help="`all.zip` of an ecosystem, from osv.dev; one or several.")
    ],
    config: ConfigOption = None,
) -> None:
    """Take in advisories of OSV, by which `vulnerable` judges new pins. Fetches nothing itself."""
    from halfdoor.cli.gate.local import taken_in  # noqa: PLC0415  see above

    for said in taken_in(files, config):
        typer.echo(said)


CODES: Final = {"failed": FAILED, "skipped": NOT_JUDGED}
