"""What a Python file of the repository can import without asking anybody."""

from collections.abc import Iterable, Iterator
from posixpath import dirname
from re import compile as pattern
from typing import Final

from halfdoor.canon.checks import Subject
from halfdoor.verify.declared import declared, locked, normal
from halfdoor.verify.distributions import DISTRIBUTIONS, NAMESPACES
from halfdoor.verify.imported import Imported
from halfdoor.verify.standard import is_standard

# Made when a project is built, and ignored by git.
_MADE: Final = pattern(r"_pb2(?:_grpc)?$|^_?version$|^__version__$|^_generated|_ext$|^_\w*speedups")
_SUFFIXES: Final = (".py", ".pyi", ".pyx", ".so", ".c", ".cpp", ".rs", ".pyd")


class Around:
    """allowed: names that are there though nothing says so."""

    def __init__(self, subject: Subject, allowed: frozenset[str]) -> None:
        files = {**subject.files, **{c.path: c.after for c in subject.changes if c.after}}
        self.declared = declared(files)
        self._known = self.declared | locked(files)
        # What a distribution of a namespace begins with: `google` of `google-auth`.
        self._first = {name.partition("-")[0] for name in self._known if "-" in name}
        self._allowed = allowed
        self._paths = frozenset(subject.paths)
        self._folders = frozenset(_folders(subject.paths))
        self._roots = _roots(self._paths, self._folders)

    def knows(self, path: str, each: Imported) -> bool:
        """Is it there, as far as the repository can tell? Of others' packages, the package."""
        if each.guarded or (not each.module and each.level):
            return True
        if each.level or self._own(each.top, path):
            return self._whole(path, each)
        top = each.top
        if is_standard(top) or top in self._allowed:
            return True
        wanted = {normal(name) for name in DISTRIBUTIONS.get(top, (top,))} | {normal(top)}
        return bool(wanted & self._known) or (top in NAMESPACES and top in self._first)

    def owns(self, path: str, each: Imported) -> bool:
        """Is it, or would it be, a module of the repository itself?"""
        return bool(each.level) or self._own(each.top, path)

    def leaves_open(self, path: str, each: Imported) -> bool:
        """Is it a module inside somebody else's package, of which nothing here tells?"""
        foreign = "." in each.module and each.module not in self._allowed
        return foreign and not (each.guarded or each.top in self._allowed or self.owns(path, each))

    def _own(self, top: str, path: str) -> bool:
        beside = f"{dirname(path)}/" if dirname(path) else ""
        return top in self._roots or bool(self._at(beside + top))

    def _whole(self, path: str, each: Imported) -> bool:
        """Is the module there, down to its last name? Made ones are."""
        steps = each.module.replace(".", "/")
        if _MADE.search(each.module.rpartition(".")[2]):
            return True
        if each.level:
            above = dirname(path)
            for _ in range(each.level - 1):
                above = dirname(above)
            return bool(self._at(f"{above}/{steps}" if above else steps))
        starts = {*self._roots.get(each.top, ()), dirname(path)}
        held = [f"{start}/{each.top}" if start else each.top for start in starts]
        # A package that is put together elsewhere, or extends its own path, is not judged.
        packages = [at for at in held if f"{at}/__init__.py" in self._paths]
        if not packages:
            return True
        rest = each.module.partition(".")[2].replace(".", "/")
        return not rest or any(self._at(f"{at}/{rest}") for at in packages)

    def _at(self, module: str) -> bool:
        return module in self._folders or any(module + end in self._paths for end in _SUFFIXES)


def _folders(paths: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for path in paths:
        while (path := dirname(path)) and path not in seen:
            seen.add(path)
            yield path


def _roots(paths: frozenset[str], folders: frozenset[str]) -> dict[str, list[str]]:
    """Top-level modules of the repository: the folders, outside any package, that hold them."""
    roots: dict[str, list[str]] = {}
    modules = {path[: path.rindex(".")] for path in paths if path.endswith((".py", ".pyi"))}
    above = {folder for module in modules for folder in _folders([module])} & folders
    for module in modules | above:
        folder, name = dirname(module), module.rpartition("/")[2]
        if f"{folder}/__init__.py" not in paths and name.isidentifier():
            roots.setdefault(name, []).append(folder)
    return roots
