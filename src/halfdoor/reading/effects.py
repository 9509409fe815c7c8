"""Which files a tool call touches, and which files a text says it comes from.

Calls are read by the table of tools (`reading.tools`), what it does not know by the names of
arguments; commands by their words, patches and listings by their marks. What is taken for a path
wrongly only makes a path rule stricter.
"""

import json
import posixpath
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Final, Protocol
from urllib.parse import unquote

from msgspec import Struct

from halfdoor.reading import listings, said
from halfdoor.reading.shell import Command, is_absolute, joined, looks_like_path
from halfdoor.reading.tools import BY_NAME, FOLDERS, Kind, Role, kind_of, plain

_MENTION_CHARS: Final = 4096
# Folders that a call names, each tried before its relative paths.
_FOLDERS: Final = 4
_JOINED: Final = 512


class Touch(Struct, frozen=True):
    """What one call touches.

    paths: normalised, each once; a relative one also as it lies in the folder that the call names.
    folders: where a command leaves its shell, as written. lists: lines of its result may be names
    of files. runs: it works where earlier commands went. resumes: see `tools.Tool`.
    """

    paths: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    lists: bool = True
    runs: bool = False
    resumes: bool = False

    def relative(self) -> tuple[str, ...]:
        """The paths that another folder may stand before."""
        return tuple(path for path in self.paths if not is_absolute(path))


def touch(name: str, arguments: dict[str, object]) -> Touch:
    """What a call does to files, read from its arguments; nothing is asked of any disk.

    name: the tool's, as the model wrote it. arguments: decoded; a call whose arguments are free
    text (a patch) has them as `input`.
    """
    kind = kind_of(name)
    call = _Call(kind)
    call.read(arguments, "")
    return Touch(
        paths=call.named(),
        folders=tuple(call.moves),
        lists=kind.lists or call.lists or (kind.runs and not call.commands),
        runs=kind.runs,
        resumes=kind.resumes,
    )


def paths_of(name: str, arguments: dict[str, object]) -> tuple[str, ...]:
    """The paths that a call names, see `touch`."""
    return touch(name, arguments).paths


def paths_in_result(text: str) -> tuple[str, ...]:
    """The paths that a text itself says its lines come from, see `said`; each once, normalised."""
    return _each_once(said.paths_said(text))


class Telling(Protocol):
    """Knows which pieces of a text may name a file that matters."""

    def telling(self, text: str) -> bool:
        """May this text name one? Quick, and never False for a text that does.

        A shell pattern may mean such a file without telling.
        """

    def telling_lines(self, text: str) -> Iterator[tuple[str, str]]:
        """The lines that may be such names, each with the line after it."""


def paths_listed(texts: Iterable[str], about: Telling) -> tuple[str, ...]:
    """The files that a listing names, in lines of their own, as a tree, or as nested objects.

    about: what it does not tell of is not looked at.
    """
    whole = "\n".join(texts)
    if not about.telling(whole):
        return ()
    found = [*listings.in_lines(about.telling_lines(whole))]
    if listings.is_tree(whole):
        found += listings.in_tree(whole)
    for text in texts:
        found += listings.in_json(text)
    return _each_once(found)


def inside(folder: str, path: str) -> str:
    """A relative path as it lies in a folder, normalised; "" for the place above all."""
    return normalise(joined(folder, path))


def normalise(path: str) -> str:
    """Slashes forward, `.` and `..` resolved, no `file://`; "" for what names no file."""
    path = path.strip().strip("\"'`,;")
    if path.startswith("file://"):
        path = unquote(path.removeprefix("file://"))
    path = path.replace("\\", "/")
    path = posixpath.normpath(path).replace("//", "/") if path else ""
    return "" if path in {".", "/", "..", "/dev/null"} or "\n" in path else path


def winding(path: str) -> bool:
    """Does `..` follow a name? If that is a link, only the file system knows where it leads."""
    steps = path.replace("\\", "/").split("/")
    return any(up == ".." and step not in {"", ".", ".."} for step, up in pairwise(steps))


class _Call:
    """Walks the arguments of one call and notes what they name."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._paths: list[str] = []
        self._folders: list[str] = []
        self.moves: list[str] = []
        self.commands = False
        self.lists = False
        self._written = False

    def named(self) -> tuple[str, ...]:
        """All paths, and the relative ones inside each folder that the call works in."""
        named = _each_once(self._paths)
        relative = [path for path in named if not is_absolute(path)]
        folders = [folder for folder in map(normalise, self._folders) if folder]
        lying = (inside(folder, path) for folder in folders[:_FOLDERS] for path in relative)
        return _each_once((*named, *islice(lying, _JOINED)))

    def read(self, value: object, key: str) -> None:
        """key: the plain name under which the value stands."""
        if isinstance(value, str):
            self._text(value, key)
        elif isinstance(value, dict | list):
            written = self._written
            self._written = written or Role.CONTENT in self._kind.roles.get(key, ())
            if isinstance(value, dict):
                self._object(value)
            else:
                self._list(value, key)
            self._written = written

    def _list(self, value: list[object], key: str) -> None:
        words = [item for item in value if isinstance(item, str)]
        if len(words) == len(value) and Role.COMMAND in self._roles(key):
            self._argv(words)
        else:
            for item in value:
                self.read(item, key)

    def _object(self, value: dict[str, object]) -> None:
        for inner, item in value.items():
            self.read(item, plain(inner))
        program, rest = value.get("command"), value.get("args")
        if isinstance(program, str) and isinstance(rest, list):
            self._argv([program, *(str(word) for word in rest)])
        tool = value.get("tool_name", value.get("tool"))
        if isinstance(tool, str):
            self._passed_on(tool, value)

    def _passed_on(self, tool: str, value: dict[str, object]) -> None:
        """A call inside a call: `use_mcp_tool`, `batch`."""
        inner = value.get("arguments", value.get("parameters"))
        if isinstance(inner, str):
            try:
                inner = json.loads(inner)
            except (ValueError, RecursionError):
                return
        if isinstance(inner, dict) and "tool_name" not in inner and "tool" not in inner:
            found = touch(tool, inner)
            self._paths += found.paths
            self.lists = self.lists or found.lists

    def _roles(self, key: str) -> frozenset[Role]:
        by_name = BY_NAME.get(key)
        roles = self._kind.roles.get(key, frozenset())
        return roles | {by_name} if by_name else roles

    def _text(self, text: str, key: str) -> None:
        roles = self._roles(key)
        if Role.PATH in roles:
            lines = text.split("\n")
            self._paths += lines
            if key in self._kind.folders or key in FOLDERS:
                self._folders += lines
        if Role.COMMAND in roles:
            self._command(text)
        elif Role.PATCH in roles:
            self._paths += paths_in_result(text)
        elif not roles and not self._written and len(text) <= _MENTION_CHARS:
            self._paths += (w for w in text.split() if "/" in w and looks_like_path(w))

    def _argv(self, argv: list[str]) -> None:
        """A command as a list: quoted again, so that `["bash", "-lc", "cat x"]` is as written."""
        self._command(
            " ".join("'" + word.replace("'", '"') + "'" for word in argv), "\n".join(argv)
        )

    def _command(self, text: str, said: str = "") -> None:
        self.commands = True
        command = Command(text)
        self._paths += command.words
        self._paths += paths_in_result(said or text)
        self.moves += command.folders
        self.lists = self.lists or command.lists


def _each_once(paths: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in paths:
        found[normalise(path)] = None
        if "/.." in path and winding(path):
            found[path.strip()] = None
    found.pop("", None)
    return tuple(found)
