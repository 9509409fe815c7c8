"""`halfdoor disconnect TOOL`: a tool's settings as they were before `connect`."""

from halfdoor.cli import connecting
from halfdoor.cli.connect import DryOption, ScopeOption, ToolArgument
from halfdoor.cli.options import ConfigOption, JsonOption, console, say_json, settings
from halfdoor.config.connect import steps


def disconnect(
    tool: ToolArgument,
    dry_run: DryOption = False,
    project: ScopeOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Take back what `connect` wrote into a tool's settings, and nothing else.

    What you have changed there since stays; what cannot be undone for that reason is named.
    """
    known, place = connecting.known_tool(tool)
    state = settings(config).state_dir
    file, below = connecting.where(place, project)
    step = steps.disconnecting(known, file, below, state)
    if not json:
        connecting.show(console(), step)
    if not dry_run:
        steps.done(step, state)
    if json:
        say_json(connecting.document(step, written=not dry_run and not step.idle))
    elif step.idle:
        console().print(f"{known.title} has nothing of `connect`; nothing was changed")
    elif dry_run:
        console().print("nothing was written")
    else:
        console().print(f"{known.title} is no longer connected; start it anew")
