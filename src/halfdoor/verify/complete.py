"""Is the file whole? Models leave parts out ("rest of the code unchanged") and are cut off."""

import re
from collections.abc import Iterator
from typing import Final

from halfdoor.canon.checks import Change, Finding, Result, Subject
from halfdoor.verify.base import judged
from halfdoor.verify.fresh import lines_of, per_file, text
from halfdoor.verify.languages import Language, language_of

NAME: Final = "complete"

_CODE: Final = (
    r"(?:code|file|class|function|method|module|implementation|script|logic|component|config"
    r"|functions|methods|imports|tests|definitions|fields|properties|routes|handlers|content)"
)
_STAYS: Final = (
    r"(?:remains?|stays?|is|are|goes|go|here|unchanged|the|same|as|before|above|omitted|continues?"
    r"|follows?|for|brevity|like|identical|not|shown|in|original)"
)
_WHICH: Final = r"(?:existing|previous|original|other|remaining|current|same)"
# A whole comment that says so, without its marks and dots.
_LEFT_OUT: Final = re.compile(
    rf"(?:(?:and )?(?:the )?(?:rest|remainder) of (?:the |your |this |my )?(?:{_WHICH} )?{_CODE}"
    rf"(?: {_STAYS})*"
    rf"|(?:keep |include |insert |add )?(?:the |your |all )*{_WHICH} (?:\w+ )?{_CODE}"
    rf"(?: {_STAYS})+"
    rf"|{_CODE}(?: (?:above|below))? (?:remains?|stays?)? ?(?:unchanged|the same)(?: {_STAYS})*"
    rf"|(?:{_CODE} )?omitted for brevity"
    rf"|(?:add |put |insert |write )?your (?:own )?(?:{_CODE}|implementation) (?:goes )?here"
    rf"|(?:the )?(?:actual |real )?(?:implementation|logic|code) (?:goes |would go )here"
    rf"|(?:remaining|other) {_CODE}"
    rf"|rest (?:unchanged|omitted|remains the same|as before|of the code)"
    rf"|(?:same as before|unchanged|no changes? (?:here|below|needed))"
    r")"
)
# Behind dots, fewer words are enough: `# ... existing code ...`, `// … same as before …`.
_DOTTED: Final = re.compile(
    rf"\b(?:existing|previous|original|remaining|rest|unchanged|omitted|snip(?:ped)?|truncated"
    rf"|(?:same|more|other) {_CODE}|same as before)\b"
)
_DOTS: Final = re.compile(r"\.{3,}|…")
_SUSPECT: Final = re.compile(
    r"(?i)\.\.\.|…|rest of|remain|unchanged|omitted|goes here|code here|existing|previous|original"
    r"|implementation here|would go here|same as before|no change"
)
_DOTS_FIRST: Final = re.compile(r"[#/*<>!\-;({\[\s]+(?:\.{3,}|…)")
_MARKS: Final = re.compile(r"^[\s#/*<>!\-;({\[]+|[\s*/>\-.;:!)}\]…]+$")
_CONFLICT: Final = re.compile(r"^(?:<{7} \S|>{7} \S|={7}$)")
_FENCE: Final = re.compile(r"^\s*(?:```|~~~)\w*\s*$")


class Complete:
    """Nothing left out, nothing cut off, no conflict and no fence left in the text."""

    name = NAME
    reads: tuple[str, ...] = ()

    def judge(self, subject: Subject) -> Result:
        """Looks at every changed text file whose language it knows by name."""
        known = [
            each
            for each in subject.changes
            if language_of(each.path) and b"\0" not in (each.after or b"")[:8192]
        ]
        result = per_file(NAME, known, _found)
        cut = tuple(finding for each in known for finding in _cut(each))
        return judged(NAME, (*result.findings, *cut), result.saw) if cut else result


def _found(path: str, text: str) -> Iterator[Finding]:
    language = language_of(path)
    assert language is not None
    lines = lines_of(text)
    conflict = any(line.startswith("<<<<<<< ") for line in lines)
    for number, line in enumerate(lines, 1):
        if conflict and _CONFLICT.match(line):
            yield _finding(path, number, "conflict", "a conflict marker is left", "resolve it")
        elif _SUSPECT.search(line) and _elides(line, language):
            said = f"a comment stands for code that is left out: `{line.strip()[:80]}`"
            yield _finding(path, number, "elided", said, "write the code in full")
    yield from _fences(path, lines)


def _elides(line: str, language: Language) -> bool:
    """Is the line a comment and nothing else, and does it say that code is left out?"""
    bare = line.strip()
    if bare.startswith("{/*"):  # a comment among JSX
        bare = bare[1:]
    if not bare.startswith(language.comments or ("\0",)):
        return False
    said = " ".join(_DOTS.sub(" ", _MARKS.sub("", bare)).lower().replace(",", " ").split())
    said = said.strip("()[] ")
    if _DOTS_FIRST.match(bare) and _DOTTED.search(said) and len(said.split()) <= 8:
        return True
    return bool(_LEFT_OUT.fullmatch(said))


def _fences(path: str, lines: list[str]) -> Iterator[Finding]:
    """A Markdown fence that came along with the answer: the first or the last line that says."""
    said = [number for number, line in enumerate(lines, 1) if line.strip()]
    for number in dict.fromkeys(said[:1] + said[-1:]):
        if _FENCE.match(lines[number - 1]):
            hint = "take the fence out: it is no part of the file"
            yield _finding(path, number, "fence", "a Markdown fence stands in the file", hint)


def _cut(change: Change) -> Iterator[Finding]:
    """A rewrite that stops in the middle of a line which went on before."""
    before, after = text(change.before), text(change.after)
    if not before.endswith("\n") or not after or after.endswith("\n"):
        return
    last = after.rpartition("\n")[2]
    if not last.strip() or last in lines_of(before):
        return
    if any(line.startswith(last) for line in lines_of(before)):
        number = after.count("\n") + 1
        said = f"the file ends in the middle of a line: `{last.strip()[:80]}`"
        yield _finding(change.path, number, "cut", said, "write the file to its end")


def _finding(path: str, line: int, code: str, message: str, hint: str) -> Finding:
    return Finding(NAME, path, line, 1, code, message, hint)
