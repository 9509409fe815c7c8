"""Which files a tool call touches, and which files a text says it comes from.

A first table: arguments are known by their names, commands by their words, patches and listings
by their marks. What is taken for a path wrongly only makes a path rule stricter.
"""

import posixpath
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote

import re2

from halfdoor.reading.shell import looks_like_path, words

# Names of arguments, lower case without `_` and `-`: Claude Code, Codex, OpenCode, Cline, MCP.
_PATHS: Final = frozenset(
    ("path", "file", "filepath", "filename", "notebookpath", "targetfile", "absolutepath",
     "relativepath", "relativeworkspacepath", "paths", "files", "filepaths", "filenames", "uri",
     "directory", "dir", "dirpath", "folder", "cwd", "workdir", "workingdirectory", "source",
     "destination", "src", "dst", "oldpath", "newpath", "root", "include", "glob", "filepattern",
     "targetdirectories", "includepattern", "pathspec", "location")
)  # fmt: skip
_COMMANDS: Final = frozenset(("command", "cmd", "commands", "script", "commandline"))
_PATCHES: Final = frozenset(("input", "patch", "patchtext", "diff", "arguments"))
# What is written into a file is not where the file is.
_CONTENTS: Final = frozenset(
    ("content", "contents", "text", "filetext", "newstring", "oldstring", "newstr", "oldstr",
     "inserttext", "newsource", "codeedit", "replacement", "body")
)  # fmt: skip
# Tools that call a path something else.
_BY_TOOL: Final = {"glob": frozenset({"pattern"}), "searchfiles": frozenset({"pattern"})}
_MENTION_CHARS: Final = 4096

_BYTES: Final = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1

_SAID: Final = re2.compile(
    rb"(?m)^(?:"
    rb"diff --git \"?a/([^\n\"]+?)\"? \"?b/([^\n\"]+?)\"?\r?$"
    rb"|(?:\+\+\+|---) \"?(?:[ab]/)?([^\t\r\n\"]+)"
    rb"|\*\*\* (?:(?:Update|Add|Delete) File|Move to): ([^\r\n]+)"
    rb"|==> ([^\r\n]+) <=="
    # What grep writes before its lines, with numbers and without, and above them.
    rb"|([^\s:\"'<>|*?]+|[A-Za-z]:[^\s:\"'<>|*?]+):[0-9]+[:-]"
    rb"|([^\s:\"'<>|*?()={},;]*/[^\s:\"'<>|*?()={},;]+):"
    rb"|([^\s:\"'<>|*?]+)\r?\n[0-9]+[:-]"
    rb"|[ \t]*File \"([^\"\n]+)\", line [0-9]"
    # What tools write above a file that they put into a message.
    rb"|(?:#+ |\*\*|`|[Ff]ile(?:name|path)?: )*([^\s`*\":#]*[./][^\s`*\":#]*)[`*:]*\r?\n\n?```"
    rb"|```+(?:[A-Za-z0-9+#-]*[ :])?([^\s`]+)"
    rb"|(?:#+|//|--|;) *(?:[Ff]ile: *)?([^\s:#]+)\r?$"
    rb"|[Ff]ile(?:name|path)?: +([^\r\n]+)"
    rb"|Contents of ([^\r\n(:]+)"
    rb"|Note: ([^\r\n]+?) was modified"
    rb")"
    rb"|lines [0-9]+ to [0-9]+ from ([^\r\n:]+)"
    rb"|\"(?:file_path|filePath|notebook_path)\"\s*:\s*\"((?:[^\"\\\n]|\\.)+)\""
    rb"|<(?:path|file_path|filepath|filename|source)>\s*([^<\r\n]+)</"
    rb"|<(?:file|document|file_content|final_file_content)\s+(?:path|name)=\"([^\"\n]+)\"",
    _BYTES,
)
_PATH_BYTES: Final = 1024
# No tool writes a pattern where it names a file.
_WILD: Final = frozenset("*?")


def paths_of(name: str, arguments: dict[str, object]) -> tuple[str, ...]:
    """The paths that a call names, normalised, in order, each once.

    name: the tool's, as the model wrote it. arguments: decoded; a call whose arguments are free
    text (a patch) has them as `input`.
    """
    extra = _BY_TOOL.get(_plain(name), frozenset())
    return _each_once(_of(arguments, "", extra))


def paths_in_result(text: str) -> tuple[str, ...]:
    """The paths that a text itself says its lines come from: diffs, patches, `path:12:`, tags."""
    found = []
    for match in _SAID.finditer(text.encode("utf-8", "surrogatepass")):
        said = [group for group in match.groups() if group and len(group) <= _PATH_BYTES]
        found += [group.decode("utf-8", "replace") for group in said]
    return _each_once(
        path for path in dict.fromkeys(found) if looks_like_path(path) and _WILD.isdisjoint(path)
    )


def normalise(path: str) -> str:
    """Slashes forward, `.` and `..` resolved, no `file://`; "" for what names no file."""
    path = path.strip().strip("\"'`,;")
    if path.startswith("file://"):
        path = unquote(path.removeprefix("file://"))
    path = path.replace("\\", "/")
    path = posixpath.normpath(path).replace("//", "/") if path else ""
    return "" if path in {".", "/", "..", "/dev/null"} or "\n" in path else path


def _of(value: object, key: str, extra: frozenset[str]) -> Iterator[str]:
    """Walks the arguments; `key` is the plain name under which `value` stands."""
    if isinstance(value, str):
        yield from _in_text(value, key, extra)
    elif isinstance(value, dict):
        for inner, item in value.items():
            yield from _of(item, _plain(inner), extra)
    elif isinstance(value, list):
        if key in _COMMANDS and all(isinstance(item, str) for item in value):
            yield from _in_argv([str(item) for item in value])
        else:
            for item in value:
                yield from _of(item, key, extra)


def _in_text(text: str, key: str, extra: frozenset[str]) -> Iterator[str]:
    if key in _PATHS or key in extra:
        yield from text.split("\n")
    elif key in _COMMANDS:
        yield from words(text)
        yield from paths_in_result(text)
    elif key in _PATCHES:
        yield from paths_in_result(text)
    elif key not in _CONTENTS and len(text) <= _MENTION_CHARS:
        yield from (word for word in text.split() if "/" in word and looks_like_path(word))


def _in_argv(argv: list[str]) -> Iterator[str]:
    """A command as a list: quoted again, so that `["bash", "-lc", "cat x"]` is read as written."""
    yield from words(" ".join("'" + word.replace("'", '"') + "'" for word in argv))
    yield from paths_in_result("\n".join(argv))


def _plain(name: str) -> str:
    return name.rpartition("__")[2].replace("_", "").replace("-", "").lower()


def _each_once(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(path for path in dict.fromkeys(normalise(path) for path in paths) if path)
