"""The paths that a text itself says its lines come from: diffs, patches, `path:12:`, tags, fences.

Aider has no tools: its file blocks, and its SEARCH/REPLACE blocks, are read here like all others.
"""

from collections.abc import Iterator
from typing import Final

import re2

from halfdoor.reading.shell import Command, looks_like_path

_BYTES: Final = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1

# What says it wherever it stands in a line.
_ANYWHERE: Final = (
    rb"lines [0-9]+ to [0-9]+ from ([^\r\n:]+)"
    rb"|\"(?:file_path|filePath|notebook_path)\"\s*:\s*\"((?:[^\"\\\n]|\\.)+)\""
    rb"|<(?:path|file_path|filepath|filename|source)>\s*([^<\r\n]+)</"
    rb"|<(?:file|document|file_content|final_file_content)\s+(?:path|name)=\"([^\"\n]+)\""
    # What models that fill in the middle are told to stand above each file.
    rb"|<\|?file_sep\|?>([^\r\n<]+)"
    rb"|<filename>([^\r\n<]+)\r?\n"
    rb"|<(?:command|bash-input)>\s*(?P<tag>[^<]+)</"
)
_IN_LINES: Final = re2.compile(_ANYWHERE, _BYTES)
_SAID: Final = re2.compile(
    rb"(?m)^(?:"
    rb"diff --git \"?a/([^\n\"]+?)\"? \"?b/([^\n\"]+?)\"?\r?$"
    rb"|(?:\+\+\+|---) \"?(?:[ab]/)?([^\t\r\n\"]+)"
    rb"|\*\*\* (?:(?:Update|Add|Delete) File|Move to): ([^\r\n]+)"
    rb"|(?:Index:|(?:rename|copy) (?:from|to)) ([^\r\n]+)"
    rb"|==> ([^\r\n]+) <=="
    # What grep writes before its lines, with numbers and without, and above them.
    rb"|(?P<found>[^\s:\"'<>|*?]+|[A-Za-z]:[^\s:\"'<>|*?]+):[0-9]+[:-]"
    rb"|(?P<bare>[^\s:\"'<>|*?()={},;]*/[^\s:\"'<>|*?()={},;]+):"
    rb"|([^\s:\"'<>|*?()={},;]*/[^\s:\"'<>|*?()={},;]+)-[0-9]+-"
    rb"|([^\s:\"'<>|*?]+)\r?\n[0-9]+[:-]"
    rb"|[ \t]*File \"([^\"\n]+)\", line [0-9]"
    # What tools write above a file that they put into a message; see also `_above`.
    rb"|[ \t]*(?P<fence>```+|<<<<<<< SEARCH)(?:[A-Za-z0-9+#-]*[ :])?([^\s`]*)"
    rb"|(?:#+|//|--|;) *(?:(?:[Ff]ile|[Pp]ath): *)?([^\s:#]+)\r?$"
    rb"|\+{5} ([^\r\n]+)"
    rb"|[Ff]ile(?:name|path)?: +([^\r\n]+)"
    rb"|Contents of ([^\r\n(:]+)"
    rb"|Note: ([^\r\n]+?) was modified"
    rb"|\[[a-z_]+ for '(?P<for>[^\n]+?)'\]"
    rb"|I ran this command:\s+(?P<ran>[^\n]+)"
    rb")"
    rb"|" + _ANYWHERE,
    _BYTES,
)
_PATH_BYTES: Final = 1024
_MARKUP: Final = "`*:#()[]<>\"'"
# No tool writes a pattern where it names a file.
_WILD: Final = frozenset("*?")
_FENCE: Final = _SAID.groupindex[b"fence"] - 1
# Groups that hold a command: Cline's and Codex' tags and lines, Claude Code's, Aider's.
_COMMANDS: Final = tuple(_SAID.groupindex[name] - 1 for name in (b"for", b"ran", b"tag"))
# Groups that stand at the head of many lines together.
_HEADS: Final = tuple(_SAID.groupindex[name] - 1 for name in (b"found", b"bare"))
_COMMAND_BYTES: Final = 4096


def paths_said(text: str) -> Iterator[str]:
    """Paths as written, in order, maybe more than once."""
    data = text.encode("utf-8", "surrogatepass")
    at = 0
    while (match := _SAID.search(data, at)) is not None:
        at = max(match.end(), match.start() + 1)
        groups = match.groups()
        yield from _paths(groups)
        if groups[_FENCE]:
            yield from filter(_is_said, (_above(data, match.start()),))
        for command in (groups[place] for place in _COMMANDS if groups[place]):
            yield from Command(command[:_COMMAND_BYTES].decode("utf-8", "replace")).words
        for head in (groups[place] for place in _HEADS if groups[place]):
            begun, at = at, _run_end(data, head + b":", at)
            if at > begun:
                for inner in _IN_LINES.finditer(data[begun:at]):
                    yield from _paths(inner.groups())


def _paths(groups: tuple[bytes | None, ...]) -> Iterator[str]:
    for group in groups:
        if group and len(group) <= _PATH_BYTES:
            path = group.decode("utf-8", "replace")
            if _is_said(path):
                yield path


def _is_said(path: str) -> bool:
    return looks_like_path(path) and _WILD.isdisjoint(path)


def _run_end(data: bytes, head: bytes, at: int) -> int:
    """Where the lines end that all begin like this one: a search names one file for each hit."""
    after = data.find(b"\n", at) + 1
    if not after or not data.startswith(head, after):
        return at
    while data.startswith(head, after):
        after = data.find(b"\n", after) + 1
        if not after:
            return len(data)
    return after


def _above(data: bytes, at: int) -> str:
    """The last word of the line above a block: the file name that Aider, people, models write."""
    before = data[max(0, at - _PATH_BYTES) : at].decode("utf-8", "replace").rstrip()
    return before.rpartition("\n")[2].rpartition(" ")[2].strip(_MARKUP)
