"""What the project's own interpreter finds, asked in the sandbox."""

from collections.abc import Generator, Iterable
from typing import Final

import msgspec

from halfdoor.canon.checks import Ran, Result, Run
from halfdoor.verify.base import skipped, unrun

# Of a package it looks where its modules lie: none is run, but `.pth` files are. true: there;
# false: its package is there without it; null: nothing of it is there.
_LOOK: Final = """
import importlib.machinery as m, importlib.util as u, json, sys

def turns(spec):
    try:
        with open(spec.origin, "rb") as f:
            said = f.read()
    except (OSError, TypeError):
        return True
    marks = (b"sys.modules", b"__path__", b"meta_path")
    return not spec.origin.endswith(".py") or any(mark in said for mark in marks)

def there(name):
    at, *rest = name.split(".")
    spec = u.find_spec(at)
    if spec is None:
        return None
    for step in rest:
        if name in sys.modules or turns(spec):
            return True
        if spec.submodule_search_locations is None:
            return False
        at += "." + step
        spec = m.PathFinder.find_spec(at, spec.submodule_search_locations)
        if spec is None:
            return False
    return True

print(json.dumps({n: there(n) for n in sys.argv[1:]}))
"""
_SAID: Final = msgspec.json.Decoder(dict[str, bool | None])

# By module: see `_LOOK`.
Answers = dict[str, bool | None]


def asked(check: str, python: str, modules: Iterable[str]) -> Generator[Run, Ran, Answers | Result]:
    """What it says of these modules; () of none. `skipped` when it cannot say."""
    names = sorted(set(modules))
    if not names:
        return {}
    argv = (python, "-I", "-c", _LOOK, *names)
    ran = yield Run(argv, "which modules the project's interpreter finds", timeout_s=10.0)
    if trouble := unrun(check, ran, "the project's interpreter"):
        return skipped(check, f"{', '.join(names)} not looked for: {trouble.saw}")
    try:
        return _SAID.decode(ran.stdout)
    except msgspec.DecodeError:
        return skipped(check, f"the project's interpreter ended with {ran.code}")
