"""The three kinds of files, behind one pair of hands: put settings in, take them out again."""

from collections.abc import Iterable
from typing import assert_never

from halfdoor.config.connect import lines, objects
from halfdoor.config.connect.change import Change
from halfdoor.config.tools.tool import Form, Place, Setting


def changed(form: Form, text: str, settings: Iterable[Setting]) -> tuple[str, tuple[Change, ...]]:
    """The text with the settings in it, and what was done. Raises Unfit, and says why."""
    match form:
        case "json":
            return objects.changed(text, settings)
        case "toml":
            return lines.toml_changed(text, settings)
        case "yaml":
            return lines.yaml_changed(text, settings)
        case _:
            assert_never(form)


def undone(form: Form, text: str, changes: Iterable[Change]) -> tuple[str, tuple[str, ...]]:
    """The text without the changes, and what somebody else has changed since and is left."""
    match form:
        case "json":
            return objects.undone(text, changes)
        case "toml":
            return lines.undone(text, changes, lines.toml_sound)
        case "yaml":
            return lines.undone(text, changes, lines.yaml_sound)
        case _:
            assert_never(form)


def by_hand(place: Place, settings: Iterable[Setting]) -> str:
    """What a person would add to the file, as a file of its own has it."""
    return changed(place.form, "", settings)[0]
