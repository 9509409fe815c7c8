"""Which files the rules restrict in a project, and whether their index is up to date."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from halfdoor.config.load import Loaded, rules_in_force
from halfdoor.errors import SetupError
from halfdoor.store.index import Restricted, is_stale, load
from halfdoor.store.keys import LogKeys

_PATH: Final = "path:"


def restricted(loaded: Loaded, folder: Path) -> Restricted:
    """What the rules in force restrict below the project's root.

    Raises SetupError where a whole home or disk would be read.
    """
    root = _root(loaded, folder)
    if root in {Path(root.anchor), Path.home().resolve()}:
        raise SetupError(
            "is no project", where=str(root), hint="run it in a project, or give `--project DIR`"
        )
    labels = (rule.label for rule in rules_in_force(loaded))
    globs = tuple(dict.fromkeys(name[len(_PATH) :] for name in labels if name.startswith(_PATH)))
    return Restricted(str(root), globs)


def warnings(
    loaded: Loaded, folder: Path, going: Callable[[], bool] = lambda: True
) -> Iterator[str]:
    """What `serve` says of its indexes, a sentence each. Looks at every file: takes its time.

    folder: where `.halfdoor.toml` was sought. going: once it says no, there is no more to say.
    """
    here = _root(loaded, folder)
    for built in load(loaded.state_dir, LogKeys.load_or_create(loaded.state_dir).prints_key):
        root = Path(built.what.root)
        if not root.is_dir():
            continue  # a project that is gone; its text is known all the same
        if is_stale(built, restricted(loaded, folder) if root == here else None, going):
            yield f"{root}: its index is stale; run `halfdoor policy index` there"


def _root(loaded: Loaded, folder: Path) -> Path:
    if loaded.project:
        return Path(loaded.project).resolve().parent
    here = folder.resolve()
    return next((at for at in (here, *here.parents) if (at / ".git").exists()), here)
