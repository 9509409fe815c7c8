"""Files of data: is it JSON, or TOML?"""

import json
import re
import tomllib
from typing import Final, NoReturn

from halfdoor.verify.commented import allows_comments, bare
from halfdoor.verify.grammars import Fault

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")
_NOTEBOOK: Final = ".ipynb"


def is_data(path: str) -> bool:
    """Is it read here? JSON with comments is, wherever its programs are known to read them."""
    return path.endswith((".toml", ".json", ".jsonc", ".code-workspace", _NOTEBOOK))


def fault(path: str, text: str) -> Fault | None:
    """The first place where it is none, None where it is."""
    return _toml(text) if path.endswith(".toml") else _json(path, text)


def stays_commented(path: str, before: str, after: str) -> bool:
    """Was it JSON with comments, and is it still? Then its programs read that, by whatever name."""
    if path.endswith(".toml") or not fault(path, before):
        return False
    return all(_json(path, bare(each)) is None for each in (before, after))


def stray(data: bytes) -> Fault | None:
    """The first byte that is no UTF-8, None where all is: both must be."""
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        said = f"byte 0x{data[error.start]:02x} is no UTF-8"
        return Fault(data.count(b"\n", 0, start) + 1, error.start - start + 1, said)
    return None


def _toml(text: str) -> Fault | None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        line, column = (found[1], found[2]) if found and found[1] else (text.count("\n") + 1, 1)
        return Fault(int(line), int(column), _PLACE.sub("", str(error)))
    except RecursionError:
        return Fault(1, 1, "it is nested too deep")
    return None


def _json(path: str, text: str) -> Fault | None:
    said = bare(text) if allows_comments(path) else text
    # A notebook's outputs hold what its programs gave, and Jupyter writes and reads NaN.
    known = None if path.endswith(_NOTEBOOK) else _unknown
    try:
        json.loads(said, parse_constant=known)
    except json.JSONDecodeError as error:
        return Fault(error.lineno, error.colno, error.msg)
    except _Constant as error:
        found = re.search(rf"(?<![\"\w]){re.escape(str(error))}", text)
        start = found.start() if found else 0
        line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
        return Fault(line, column, f"`{error}` is no JSON")
    except RecursionError:
        return Fault(1, 1, "it is nested too deep")
    return None


class _Constant(Exception):  # noqa: N818  a word that Python reads and JSON has not
    pass


def _unknown(name: str) -> NoReturn:
    raise _Constant(name)
