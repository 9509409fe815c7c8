"""Claude Code's deny rules as globs of rules. Pure.

`permissions.deny` of `.claude/settings.json` holds `Tool` or `Tool(what)`. For tools that read and
write files, `what` is a pattern in git's language: `//x` from the root of the file system, `~/x`
from home, `/x` and `./x` from the project, anything else as in a `.gitignore`.
"""

import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from typing import Any, Final

from halfdoor.cli.policy.ignores import LINES_LIMIT, Drafted, Unsaid, drafted

_RULE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)(?:\((.*)\))?", re.DOTALL)
_READS: Final = frozenset({"Read", "Grep", "Glob", "LS", "NotebookRead"})
_WRITES: Final = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
_WRITE_NOTE: Final = "it denies writing; remove this rule if its text may leave"
# Commands that print files; of those in the second set the first word is no file.
_PRINTS: Final = frozenset(
    ("cat", "bat", "head", "tail", "less", "more", "nl", "tac", "strings", "xxd", "od", "hexdump",
     "base64", "cp", "mv", "scp", "rsync", "diff", "cut", "sort", "uniq", "source", "open", "vim",
     "vi", "nano", "type", "gc")
)  # fmt: skip
_SEARCHES: Final = frozenset(("grep", "rg", "egrep", "fgrep", "ag", "sed", "awk", "jq"))
_ENDS: Final = frozenset(("|", "||", "&", "&&", ";", ">", ">>", "<"))


def read_denials(name: str, text: str) -> Iterator[Drafted | Unsaid]:
    """Each deny rule. Raises ValueError when the text is no JSON object of settings."""
    for said in _denied(text):
        where = f"{name}:{_line(text, said)}"
        if not isinstance(said, str):
            yield Unsaid(where, "", "is no text")
        else:
            yield from _expressed(said, where)


def _denied(text: str) -> list[Any]:
    try:
        settings = json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    permissions = settings.get("permissions", {}) if isinstance(settings, dict) else None
    denied = permissions.get("deny", []) if isinstance(permissions, dict) else None
    if not isinstance(denied, list):
        raise ValueError("`permissions.deny` is no list")  # noqa: TRY004  one kind for the caller
    if len(denied) > LINES_LIMIT:
        raise ValueError(f"`permissions.deny` has more than {LINES_LIMIT:,} rules")
    return denied


def _line(text: str, said: object) -> int:
    """Where a rule stands: of its text as JSON writes it, else of the list."""
    at = text.find(json.dumps(said, ensure_ascii=False))
    at = at if at >= 0 else max(text.find('"deny"'), 0)
    return text.count("\n", 0, at) + 1


def _expressed(said: str, where: str) -> Iterator[Drafted | Unsaid]:
    found = _RULE.fullmatch(said.strip())
    tool, what = (found[1], (found[2] or "").strip()) if found else ("", "")
    if tool in _READS or tool in _WRITES:
        note = _WRITE_NOTE if tool in _WRITES else ""
        yield _noted(_file(what or _ALL, where, said), note)
    elif tool == "Bash":
        yield from _command(what, where, said)
    else:
        yield Unsaid(where, said, "denies a tool or an address, which is no file")


_ALL: Final = "**"


def _file(what: str, where: str, said: str) -> Drafted | Unsaid:
    """A path as deny rules write it."""
    for start in ("//", "~/", "./"):
        if what.startswith(start):
            return drafted("/" + what.removeprefix(start), where, said)
    return drafted(what, where, said)


def _noted(one: Drafted | Unsaid, note: str) -> Drafted | Unsaid:
    if not note or isinstance(one, Unsaid):
        return one
    return Drafted(one.glob, one.where, one.said, "; ".join(filter(None, (note, one.note))))


def _command(what: str, where: str, said: str) -> Iterator[Drafted | Unsaid]:
    """`cat secrets/*`: the files that a command would print."""
    words = _words(what.removesuffix(":*"))
    name = posixpath.basename(words[0]) if words else ""
    if name not in _PRINTS and name not in _SEARCHES:
        yield Unsaid(where, said, "denies a command that prints no file; rules speak of text")
        return
    given = [word for word in words[1:] if not word.startswith("-") and not word.isdigit()]
    files = [word for word in given[name in _SEARCHES :] if any(c.isalnum() for c in word)]
    for file in files:
        yield _file(file, where, said)
    if not files:
        yield Unsaid(where, said, "denies a command whatever the file; no rule can say that")


def _words(command: str) -> list[str]:
    """Up to the first pipe or redirection; what is quoted wrongly is taken as it is."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    end = next((at for at, word in enumerate(words) if word in _ENDS), len(words))
    return words[:end]
