"""The modules of Python's standard library, down to their last name."""

import sys
from importlib.machinery import PathFinder
from typing import Final

from halfdoor.verify.distributions import NEWER_STANDARD, OTHER_STANDARD

NAMES: Final = sys.stdlib_module_names
# Often packed apart from Python, in parts.
_OPEN: Final = frozenset({"idlelib", "lib2to3", "distutils", "tkinter", "turtledemo"})


def is_standard(top: str) -> bool:
    """Is it a top-level module of any Python that we may meet?"""
    return top in NAMES or top in OTHER_STANDARD


def has(module: str) -> bool:
    """Is there such a module below a standard one? Packages that are not here are not judged.

    Nothing is imported: of a package it is only looked where its modules lie.
    """
    if "." not in module or module in sys.modules or module in NEWER_STANDARD:
        return True
    top, *rest = module.split(".")
    if top not in NAMES or top in _OPEN:
        return True
    spec = PathFinder.find_spec(top)
    if spec is None and top not in sys.builtin_module_names:
        return True
    at = top
    for step in rest:
        if spec is None or spec.submodule_search_locations is None:
            return False
        at = f"{at}.{step}"
        spec = PathFinder.find_spec(at, spec.submodule_search_locations)
        if spec is None:
            return False
    return True
