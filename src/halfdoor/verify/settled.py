"""Settings of tools that read a whole tree, as the revision has them whose `[gate]` holds.

Who brings a fault could bring the line that silences it, too: what a change says to the tools that
judge it holds once it is merged.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from halfdoor.canon.checks import Run, Subject


def settled(run: Run, subject: Subject, paths: Iterable[str]) -> Run:
    """The run over a tree in which these files are as `Subject.settings` has them, or gone."""
    paths = tuple(paths)
    files = {path: subject.settings[path] for path in paths if path in subject.settings}
    gone = tuple(path for path in paths if path not in files)
    return replace(run, files={**run.files, **files}, without=(*run.without, *gone))


def rewritten(subject: Subject, paths: Iterable[str]) -> str:
    """Words for a person, "" when the change leaves these files as settings have them."""
    left = {each.path: each.after for each in subject.changes}
    left |= {each.was: None for each in subject.changes if each.was}
    wrote = [path for path in paths if path in left and left[path] != subject.settings.get(path)]
    return f"by {', '.join(wrote)} as the base has it" if wrote else ""
