"""What is known of a coding tool: how it is pointed here, for a process or for good.

Texts may hold placeholders: ROOT (scheme, host, port and, for a connected tool, its mark), TOKEN
(a session's token), MODEL (the name it asks for), ENV (the variable that holds its token), CONTEXT
(a window in tokens, a number), FILE (one that lives as long as the process) and STATUS (the command
that tells in a line who answers).
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

ROOT: Final = "{root}"
TOKEN: Final = "{token}"  # noqa: S105  a placeholder
MODEL: Final = "{model}"
ENV: Final = "{env}"
CONTEXT: Final = "{context}"
FILE: Final = "{file}"
STATUS: Final = "{status}"
UNUSED: Final = "unused"
# One more element of a list, in a setting's way.
APPEND: Final = "[]"
# What a tool is told where nothing is known, and it must be told something.
SMALL_TOKENS: Final = 32_768

Form = Literal["json", "toml", "yaml"]
# open: no token is asked for. token: one is, and a variable holds it. context: the window is known.
# status: the person's own settings, not a project's.
When = Literal["always", "open", "token", "context", "status"]
Value = str | int | bool | list[Any] | dict[str, Any]


class Variable(Struct, frozen=True):
    """One variable of a tool's environment. value may hold ROOT and TOKEN."""

    name: str
    value: str
    why: str


class Setting(Struct, frozen=True):
    """One setting in a tool's own file. at: the keys that lead to it; the last may be APPEND.

    yields: what stands there already stays (JSON only).
    """

    at: tuple[str, ...]
    value: Value
    why: str
    when: When = "always"
    yields: bool = False


class Place(Struct, frozen=True):
    """Where a tool keeps its settings, and what goes there.

    files: below the user's home; the first that exists, else the first. project: the same below a
    project, "" when the tool has none. fresh: what a new file begins with. no_env: said where a
    token is needed, because the tool's file cannot name a variable.
    """

    form: Form
    files: tuple[str, ...]
    settings: tuple[Setting, ...]
    project: str = ""
    fresh: str = ""
    no_env: str = ""


class Turns(Struct, frozen=True):
    """How a tool's own session files (JSON lines) tell of its turns.

    files: globs below the user's home. said: a part of the line of an answer, which has a
    `timestamp` in RFC 3339. not_said: a part of lines that look so and are none.
    """

    files: tuple[str, ...]
    said: str
    not_said: str = "\0"


class Tool(Struct, frozen=True):
    """A coding tool. name: also what the log calls it, however its requests came.

    command: the program. install: how to get it. left_alone: variables that advice elsewhere sets,
    and why none is set here. arguments: before the person's own. file: text of the file that FILE
    among the arguments names. place: None where `connect` cannot write. asks: a name that it asks
    for whatever it is told, "" when it asks for what it is told only. takes: its option for
    settings of one process, as JSON.
    """

    name: str
    command: str
    variables: tuple[Variable, ...]
    install: str
    left_alone: tuple[Variable, ...] = ()
    arguments: tuple[str, ...] = ()
    file: str = ""
    place: Place | None = None
    turns: Turns | None = None
    title: str = ""
    asks: str = ""
    takes: str = ""


class Wish(Struct, frozen=True):
    """What a tool is to be told. env: "" where no token is asked for; context: 0 if not known.

    status: a command line, "" where none is to be set.
    """

    root: str
    model: str = "auto"
    env: str = ""
    context: int = 0
    keyed: bool = True
    status: str = ""

    def words(self) -> dict[str, str]:
        """What the placeholders stand for."""
        words = {ROOT: self.root, MODEL: self.model, ENV: self.env, TOKEN: UNUSED}
        return words | {STATUS: self.status}


def wished(place: Place, wish: Wish) -> tuple[Setting, ...]:
    """The settings that apply, filled in.

    keyed False: the tool keeps its vendor's key, so none of the key's settings is touched.
    """
    holds = {
        "always": True,
        "open": wish.keyed and not wish.env,
        "token": wish.keyed and bool(wish.env),
        "context": wish.context > 0,
        "status": bool(wish.status),
    }
    return tuple(
        Setting(
            tuple(filled(key, wish.words()) for key in setting.at),
            _whole(setting.value, wish),
            setting.why,
            yields=setting.yields,
        )
        for setting in place.settings
        if holds[setting.when]
    )


def filled(text: str, words: Mapping[str, str]) -> str:
    """A text with its placeholders replaced."""
    for placeholder, word in words.items():
        text = text.replace(placeholder, word)
    return text


def _whole(value: Any, wish: Wish) -> Any:
    match value:
        case str() if value == CONTEXT:
            return wish.context or SMALL_TOKENS
        case str():
            return filled(value, wish.words())
        case list():
            return [_whole(each, wish) for each in value]
        case dict():
            return {key: _whole(each, wish) for key, each in value.items()}
        case _:
            return value
