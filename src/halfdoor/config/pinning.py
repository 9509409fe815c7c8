"""A repository or a folder, made local-only: what must be added to the text of a configuration."""

import json
from typing import Final

from msgspec import Struct

from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Rule
from halfdoor.canon.scene import Repository
from halfdoor.config.model import Config

_LIMIT: Final = 100


class Wanted(Struct, frozen=True):
    """What a person wants held. A glob (of a folder in a checkout) or a root, never both.

    name: for the repository; may be changed where it is taken, unless `given`.
    """

    ceiling: Zone
    glob: str = ""
    root: str = ""
    branch: str = ""
    name: str = ""
    given: bool = False


class Addition(Struct, frozen=True):
    """text: TOML to append, "" when it is held already, by the rule at `source`."""

    label: str
    text: str
    source: str = ""


def addition(config: Config, wanted: Wanted, same: tuple[str, ...] = ()) -> Addition | None:
    """What to append to the configuration's text; None when a given name means another place.

    same: other spellings of the root, as `~/…`, by which it may be declared already.
    """
    if wanted.glob:
        return _held(config, f"path:{wanted.glob}", wanted.ceiling, "")
    found = next(
        (
            each
            for each in config.repositories
            if each.root in {wanted.root, *same} and each.branch == wanted.branch
        ),
        None,
    )
    if found is not None and (not wanted.given or found.name == wanted.name):
        return _held(config, f"repo:{found.name}", wanted.ceiling, "")
    taken = {each.name for each in config.repositories}
    if wanted.given and wanted.name in taken:
        return None
    name = _free(wanted.name, taken)
    declared = _repository(Repository(name, wanted.root, wanted.branch))
    return _held(config, f"repo:{name}", wanted.ceiling, declared)


def _held(config: Config, label: str, ceiling: Zone, before: str) -> Addition:
    holding = [rule for rule in config.rules if rule.label == label and rule.ceiling <= ceiling]
    if holding:
        return Addition(label, before, holding[0].source)
    return Addition(label, f"{before}{_rule(config.rules, label, ceiling)}")


def _repository(each: Repository) -> str:
    lines = ["[[repositories]]", f"name = {_text(each.name)}", f"root = {_text(each.root)}"]
    if each.branch:
        lines.append(f"branch = {_text(each.branch)}")
    return "\n".join(lines) + "\n\n"


def _rule(rules: tuple[Rule, ...], label: str, ceiling: Zone) -> str:
    """A rule's name is its label unless that is taken, or cannot travel in a header."""
    taken = {rule.name for rule in rules}
    plain = label if label.isascii() else "pinned"
    name = _free(plain, taken)
    lines = ["[[rules]]", f"label = {_text(label)}", f"ceiling = {_text(ceiling.name.lower())}"]
    if name != label:
        lines.insert(1, f"name = {_text(name)}")
    return "\n".join(lines) + "\n"


def _free(name: str, taken: set[str]) -> str:
    numbered = (f"{name}-{number}" for number in range(2, _LIMIT))
    return next((each for each in (name, *numbered) if each not in taken), name)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
