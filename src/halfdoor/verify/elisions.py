"""What a comment says of code that is not there: "rest of the code unchanged", in many words.

Words decide, and for the words that people use as well, the place does (`complete.py`).
"""

import re
from enum import Enum
from string import whitespace
from typing import Final


class Weight(Enum):
    """How far the words alone prove that code was left out.

    SURE: only who leaves code out says so. PLACE: where code is missing, for people say it of code
    that follows, too.
    """

    NONE = 0
    PLACE = 1
    SURE = 2


# No longer comment says that code is left out and nothing else.
_LONGEST: Final = 160
_MARKS: Final = "#/*<>!-=~;:.…(){}[]\"'`" + whitespace
_CODE: Final = (
    r"(?:code|file|class|classes|functions?|methods?|module|implementations?|script|logic|component"
    r"|imports|definitions|contents?|body|docstring)"
)
_PART: Final = (
    r"(?:tests?|cases|fields|properties|routes|handlers|config|configuration|options|entries|items"
    r"|settings|rules|keys|columns|endpoints|parameters|arguments|attributes|constants|steps|checks)"
)
_ANY: Final = rf"(?:{_CODE}|{_PART})"
_WHICH: Final = r"(?:existing|previous|original|other|remaining|current|same)"
_THE: Final = r"(?:all |the |your |this |my |our )*"
# How it is said to have stayed, and what may stand around that.
_SAME: Final = (
    r"(?:unchanged|the same|same|identical|untouched|intact|omitted|not shown|for brevity"
    r"|(?:exactly )?as (?:before|is|it was|they (?:are|were))|like before"
    rf"|(?:as )?in (?:the |your )?original(?: {_CODE})?)"
)
_STAYS: Final = r"(?:remains?|stays?|is|are|goes|go|here|above|below|continues?|follows?|exactly)"
_KEPT: Final = rf"(?: {_STAYS})*(?: {_SAME})+(?: {_STAYS})*"
_VERB: Final = (
    r"(?:and |then )?(?:keep|include|insert|add|put|copy|paste|continue|implement|fill in|write)"
    r"(?: with)? "
)

_SURE: Final = re.compile(
    rf"(?:and )?(?:{_VERB})?{_THE}(?:rest|remainder) of {_THE}(?:{_WHICH} )?{_CODE}"
    rf"(?: {_STAYS}| {_SAME})*"
    rf"|(?:and )?(?:{_VERB})?{_THE}(?:rest|remainder)(?: of {_THE}{_ANY})?{_KEPT}"
    rf"|(?:and )?(?:{_VERB})?{_THE}{_WHICH} (?:\w+ )?{_ANY}{_KEPT}"
    rf"|{_VERB}{_THE}(?:rest|{_WHICH})(?: \w+)? (?:here|below)"
    rf"|todo {_VERB}{_THE}(?:rest|remaining \w+)(?: of {_THE}{_ANY})?(?: {_STAYS})*"
    rf"|{_THE}{_WHICH} {_CODE}(?: goes| go| is| are| stays| remains?)* here"
    rf"|(?:{_ANY} )?omitted for brevity"
    rf"|(?:add |put |insert |write )?your (?:own )?{_CODE} (?:goes )?here"
    rf"|(?:the )?(?:actual |real )?(?:implementation|logic|code) (?:goes |would go )here"
    rf"|{_THE}(?:remaining|existing|previous) code"
)
_PLACE: Final = re.compile(
    rf"unchanged|same as before|no changes? ?(?:here|below|needed|required)?"
    rf"|(?:and )?{_THE}(?:rest|remainder)(?: of {_THE}{_ANY})?|(?:and so on|etc|snip(?:ped)?)"
    rf"|{_THE}{_WHICH} (?:\w+ )?{_ANY}(?: {_STAYS})*|{_CODE}{_KEPT}"
)
# Between dots fewer words are enough: `# ... existing code ...`, `// … same as before …`.
_DOTTED: Final = re.compile(
    rf"\b(?:existing|previous|original|remaining|rest|unchanged|omitted|snip(?:ped)?|truncated"
    rf"|(?:same|more|other) {_ANY}|same as before)\b"
)
_GOES_ON: Final = ("and ", "but ", "or ", "so ", "then ")
_DOTS: Final = re.compile(r"\.{3,}|…")
_ONLY_DOTS: Final = re.compile(r"(?:#|//|--|/\*|<!--) ?(?:\.\.\.|…)\s*+(?:\*/|-->)?")
_BEGINS: Final = re.compile(r"[#/*<>!\-;({\[\s\"']*+(?:\.{3,}|…)")
_ENDS: Final = re.compile(r"(?:\.{3,}|…)[*/>\-)}\]\s\"']*+$")
_SPEAKS: Final = re.compile(
    r"(?i)\.\.\.|…|rest\b|remain|unchanged|omitted|\bhere|existing|previous|original|\bother\b"
    r"|same|no change|\betc\b|and so on|\bsnip"
)


def weigh(comment: str) -> Weight:
    """What a whole comment proves. comment: one line of it, with its marks."""
    if len(comment) > _LONGEST or not _SPEAKS.search(comment):
        return Weight.NONE
    if _ONLY_DOTS.fullmatch(comment):
        return Weight.PLACE
    said = _words(comment)
    if _SURE.fullmatch(said) or between_dots(comment):
        return Weight.SURE
    return Weight.PLACE if _PLACE.fullmatch(said) else Weight.NONE


def between_dots(text: str, *, both: bool = False) -> bool:
    """Do dots stand before a few words that say so? both: behind them, too, and no other words."""
    if len(text) > _LONGEST:
        return False
    said = _words(text)
    begins, ends = bool(_BEGINS.match(text)), bool(_ENDS.search(text))
    if both:
        return begins and ends and bool(_SURE.fullmatch(said) or _PLACE.fullmatch(said))
    most = 0 if not begins else 8 if ends else 4
    return (
        len(said.split()) <= most and not said.startswith(_GOES_ON) and bool(_DOTTED.search(said))
    )


def _words(text: str) -> str:
    bare = _DOTS.sub(" ", text.strip(_MARKS)).lower()
    return " ".join(bare.translate(_APART).split())


_APART: Final = str.maketrans(dict.fromkeys(",:;()[]", " "))
