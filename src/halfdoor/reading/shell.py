"""Which files a shell command names. A reader, not a parser: it takes what looks like a path."""

import posixpath
import re
from collections.abc import Iterator
from typing import Final

import re2

from halfdoor.reading.variables import expanded

# Each alternative begins differently, so that this is linear without RE2, and quicker.
_PIECE: Final = re.compile(
    r"""(?:[^\s"'|&;<>()`$\\]|"(?:[^"\\]|\\.)*"|'[^']*'|\\.)+|[|&;()`\n]|[<>]+"""
)
_DEPTH: Final = 3
# In a quoted word, what makes it a command or code.
_SYNTAX: Final = frozenset(" \t\n()|&;<>`,")
# A word without any of these is a path only where files are expected.
_TELLING: Final = frozenset("/\\.=:{")
_ASSIGNED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_BRACES: Final = re2.compile(r"\{([^{}]*,[^{}]*)\}")
# A script of sed's or awk's that only looks for text, or puts other text in its place.
_SCRIPT: Final = re2.compile(
    r"(?:[0-9,$]*[sy](?:/[^/]*/[^/]*/|\|[^|]*\|[^|]*\||#[^#]*#[^#]*#)[gpiI0-9]*;? *)+"
    r"|/[^/]*/(?: *\{ *print[^\"<>|]*\}|[dpq])?"
)
_WHERE: Final = re.compile(r"localhost:[0-9]|\[::1\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}[:/]")
_TRAILING: Final = re.compile(r"(?:\\[nrt])+$")
_ALTERNATIVES: Final = 64
# `=` within one word, as in `a=b=c`.
_ASSIGNMENTS: Final = 8
_FOLDER_CHARS: Final = 1024
_FILE_OPTIONS: Final = frozenset({"-f", "--file", "-path", "-literalpath", "-filepath"})
# The next word is the folder in which this one command works.
_FOLDER_OPTIONS: Final = frozenset(
    {"-C", "--directory", "--prefix", "--cwd", "--chdir", "--work-tree", "--project", "--dir"}
)

# Programs whose plain words are files and folders too (`cat Makefile`, `cd payments`), wherever
# they stand: `sudo cat Makefile`, `git diff payments`.
_FILE_PROGRAMS: Final = frozenset(
    ("add-content", "ag", "ack", "archive", "awk", "base64", "bat", "batcat", "black", "blame",
     "bzcat", "cat", "cat-file", "cmp", "code", "column", "comm", "copy", "copy-item", "cp", "cut",
     "diff", "difft", "dir", "du", "ed", "egrep", "emacs", "ex", "exa", "expand", "eza", "fd",
     "fdfind", "fgrep", "file", "find", "fold", "format-hex", "gawk", "gc", "gci",
     "get-childitem", "get-content", "get-item", "grep", "gunzip", "gzip", "head", "hexdump",
     "import-csv", "invoke-item", "join", "jq", "less", "ln", "log", "ls", "ls-files", "ls-tree",
     "lsd", "md5sum", "mdcat", "more", "move-item", "mv", "mypy", "nano", "nl", "od", "open",
     "out-file", "paste", "patch", "rev", "rg", "rm",
     "robocopy", "rsync", "ruff", "scp", "sdiff", "sed", "select-string", "set-content", "sg",
     "sha1sum", "sha256sum", "shasum", "show", "sls", "sort", "source", "split", "stat", "strings",
     "tac", "tail", "tar", "tee", "tokei", "touch", "tree", "type", "unexpand", "uniq", "unzip",
     "vi", "view", "vim", "vimdiff", "wc", "xcopy", "xxd", "xz", "xzcat", "yq", "zcat", "zip",
     "zless")
)  # fmt: skip
# Programs whose first plain word is what to look for or to do, unless an option said that already.
_PATTERN_FIRST: Final = frozenset(
    ("ack", "ag", "awk", "egrep", "fgrep", "gawk", "grep", "jq", "rg", "sed", "select-string",
     "sls", "yq")
)  # fmt: skip
_PATTERN_GIVEN: Final = ("--regexp", "--file", "--expression", "--from-file")
# Words that are programs of git's only, and its options that look for text.
_GIT_TEXTS: Final = frozenset(("--grep", "-S", "-G", "--author", "-m", "--message"))
_GIT_PROGRAMS: Final = frozenset(
    ("archive", "blame", "cat-file", "log", "ls-files", "ls-tree", "show")
)
_MOVERS: Final = frozenset(("cd", "chdir", "pushd", "set-location", "sl", "push-location"))
# What may stand before a program in its own command.
_WRAPPERS: Final = frozenset(
    ("!", "bash", "builtin", "command", "do", "doas", "docker", "echo", "else", "env", "eval",
     "exec", "export", "git", "if", "nice", "nohup", "poetry", "run", "sh", "sudo", "then", "time",
     "timeout", "until", "uv", "watch", "while", "xargs", "zsh", "{")
)  # fmt: skip
# Programs that print names of files, or text under the names of its files.
_LISTERS: Final = frozenset(
    ("ack", "ag", "dir", "du", "egrep", "exa", "eza", "fd", "fdfind", "fgrep", "file", "find",
     "gci", "get-childitem", "git", "glob", "grep", "hg", "jj", "locate", "ls", "lsd", "md5sum",
     "rg", "ripgrep", "rsync", "select-string", "sha256sum", "sls", "stat", "svn", "tar", "tree",
     "unzip", "wc", "zipinfo")
)  # fmt: skip


class Command:
    """What a command names, as it was read.

    words: what may be paths, as written, without quotes; each that is relative also joined with
        the folder that the command went to before. folders: where it went, as written, in order.
    lists: its output may be names of files, or text under such names.
    """

    def __init__(self, text: str) -> None:
        self._words: dict[str, None] = {}
        self.folders: list[str] = []
        self.lists = False
        self._here = ""
        if not text.isascii():  # half a surrogate pair, as a cut stream leaves it, is no letter
            text = text.encode("utf-8", "replace").decode()
        for reading in (text, *expanded(text)):
            self._here, self.folders = "", []
            self._read(reading, _DEPTH)

    @property
    def words(self) -> tuple[str, ...]:
        """Each once, in the order in which they were found."""
        return tuple(self._words)

    def _read(self, text: str, depth: int) -> None:
        """Reads one text; a quoted word that holds more than a name is read as one of its own.

        (`bash -lc "cat x"`, `python -c "open('x')"`.) What is quoted, and what stands in a
        here-document, is often prose: a program's name counts there only where a command begins.
        """
        prose = depth < _DEPTH
        simple = _Simple(prose)
        for piece in _PIECE.findall(text):
            if piece[0] in "|&;()`\n":
                prose = prose or (simple.document and piece == "\n")
                document = simple.document and piece != "\n"
                simple = _Simple(prose)
                simple.document = document
            elif piece[0] in "<>":
                simple.document = simple.document or "<<" in piece
                simple.open_ended = simple.open_ended or "<<" not in piece
            else:
                self._word(piece, simple, depth)

    def _word(self, piece: str, simple: "_Simple", depth: int) -> None:
        word = piece.replace('"', "").replace("'", "")
        quoted = len(word) != len(piece)
        assigned = "=" in word and _ASSIGNED.match(word) is not None
        if simple.pattern_next and "/" in word and _SCRIPT.fullmatch(word):
            simple.pattern_next = False
            return
        plain = simple.expects_file() or assigned
        for reading in _readings(word):
            if depth and (quoted or reading is not word) and not _SYNTAX.isdisjoint(reading):
                here = self._here
                self._read(reading, depth - 1)
                self._here = here  # a shell inside this one goes nowhere for it
            if plain or not _TELLING.isdisjoint(reading):
                self._take(_paths(reading, plain=plain), simple)
            elif (self._here or simple.folder) and simple.begun:
                self._take(iter((reading,)), simple, named=False)
        self._follow(word, simple, depth, assigned=assigned)

    def _take(self, paths: Iterator[str], simple: "_Simple", *, named: bool = True) -> None:
        for path in paths:
            if named:
                self._words[path] = None
            folder = joined(self._here, simple.folder)
            if folder and not is_absolute(path) and (named or _SYNTAX.isdisjoint(path)):
                self._words[joined(folder, path)] = None

    def _follow(self, word: str, simple: "_Simple", depth: int, *, assigned: bool) -> None:
        """What a word tells about those behind it."""
        if simple.moving and not word.startswith("-"):
            if depth == _DEPTH:
                self.folders.append(word)
            self._here = joined(self._here, word)[-_FOLDER_CHARS:]
            simple.moving = False
        option, equals, value = word.partition("=")
        if simple.folder_next:
            simple.folder = joined(simple.folder, word)
        elif equals and option in _FOLDER_OPTIONS:
            self._take(iter((value,)), simple)
            simple.folder = value
        elif word.startswith("-C") and len(word) > 2:
            self._take(iter((word[2:],)), simple)
            simple.folder = word[2:]
        simple.pass_pattern(word)
        program = word.rpartition("/")[2].rpartition("\\")[2].lower().removesuffix(".exe")
        if simple.runs(program):
            if not simple.open_ended and program in _PATTERN_FIRST:
                simple.pattern_next = True
            simple.moving = simple.moving or program in _MOVERS
            simple.open_ended = simple.open_ended or simple.moving or program in _FILE_PROGRAMS
        simple.go_on(word, program, assigned=assigned)
        self.lists = self.lists or program in _LISTERS


class _Simple:
    """One simple command: what its words so far tell about the next.

    prose: it may be a sentence. document: a here-document begins on the next line.
    open_ended: plain words count as files from here on; pattern_next: but for the next of them.
    moving: the next plain word is where the shell goes. folder: where this command works, as an
    option said.
    """

    def __init__(self, prose: bool) -> None:
        self._prose = prose
        self._leading = True
        self._git = False
        self.begun = self.open_ended = self.moving = self.document = False
        self.folder_next = self._file_next = self._text_next = self.pattern_next = False
        self.folder = ""

    def expects_file(self) -> bool:
        told = self.folder_next or self._file_next
        text = self.pattern_next or self._text_next
        return told or (self.begun and self.open_ended and not text)

    def pass_pattern(self, word: str) -> None:
        """A pattern stands before all files; in short options, `e` and `f` may have given it."""
        short = word[:1] == "-" and word[:2] != "--"
        given = word.startswith(_PATTERN_GIVEN) or (short and not {*"ef"}.isdisjoint(word))
        valued = self.folder_next or self._file_next
        if given or (word[:1] != "-" and not valued):
            self.pattern_next = False

    def runs(self, program: str) -> bool:
        """May this word be the program of the command?"""
        if not self._prose:
            return True
        return self._leading and (self._git or program not in _GIT_PROGRAMS)

    def go_on(self, word: str, program: str, *, assigned: bool) -> None:
        self.begun = self.begun or not assigned
        self.open_ended = self.open_ended or word == "--"
        self._git = self._git or program == "git"
        wrapper = assigned or self.folder_next or program in _WRAPPERS or word[:1] == "-"
        self._leading = self._leading and (wrapper or word.isdigit())
        self.folder_next = word in _FOLDER_OPTIONS
        self._file_next = word.lower() in _FILE_OPTIONS
        self._text_next = self._git and word in _GIT_TEXTS


def joined(folder: str, path: str) -> str:
    """A path inside a folder, `..` resolved; the path alone where it is absolute."""
    if not folder or is_absolute(path):
        return path
    found = posixpath.normpath(f"{folder}/{path}".replace("\\", "/"))
    return "" if found == "." else found


def is_absolute(path: str) -> bool:
    """From a root, a home or a drive, or not a file's name at all: nothing can stand before it."""
    drive = path[1:2] == ":" and path[:1].isalpha()
    return path[:1] in {"/", "~", "\\", "-"} or drive or "://" in path


def looks_like_path(word: str) -> bool:
    """A separator, or a name with an extension. URLs and addresses are none, `file:` is."""
    if "://" in word:
        return word.startswith("file://")
    if _WHERE.match(word):
        return False
    if "/" in word or "\\" in word:
        return True
    name, dot, extension = word.rpartition(".")
    return bool(dot and extension.isalnum() and len(extension) <= 10 and not name.isdigit())


def _readings(word: str) -> tuple[str, ...]:
    r"""A backslash escapes what follows (`pay\ments`), or is Windows' own (`payments\x`)."""
    if "\\" not in word:
        return (word,)
    return (word.replace("\\", ""), _TRAILING.sub("", word))


def _paths(word: str, *, plain: bool) -> Iterator[str]:
    if "\n" in word:
        return
    for name in _braced(word) if "{" in word else (word,):
        yield from _names(name, plain=plain)


def _names(word: str, *, plain: bool, left: int = _ASSIGNMENTS) -> Iterator[str]:
    before, assigned, value = word.partition("=")
    if _WHERE.match(word):
        return
    if word.startswith("-"):
        if assigned and left:
            yield from _names(value, plain=False, left=left - 1)
        elif "/" in word and not word.startswith("--"):  # -fpayments/x, -xfpayments/x
            yield from (word[at:] for at in range(2, 5) if "/" in word[at:])
        return
    if looks_like_path(word) or (plain and word):
        yield word
    if assigned and left and "/" not in before:  # NAME=path, if=path
        yield from _names(value, plain=plain, left=left - 1)
    if word[:1] == "@":  # curl's
        yield word[1:]
    head, colon, tail = word.partition(":")
    if colon and not tail.startswith("//"):  # REV:path, host:path, path:line
        yield from (part for part in (head, tail) if looks_like_path(part) or (plain and part))


def _braced(word: str) -> Iterator[str]:
    """`{a,b}/x` as `a/x` and `b/x`; a word with too many alternatives stays as it is."""
    waiting, left = [word], _ALTERNATIVES
    while waiting:
        word = waiting.pop()
        found = _BRACES.search(word)
        if found is None or left <= 0:
            yield word
            continue
        start, end = found.span()
        names = found.group(1).split(",")
        left -= len(names)
        waiting += [word[:start] + name + word[end:] for name in names]
