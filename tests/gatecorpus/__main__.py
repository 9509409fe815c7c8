"""`make gate-corpus`: docs/reference/check-rates.md, on standard output."""

import random
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Final

from halfdoor.canon.checks import Result, Status
from halfdoor.flow.ports import Runner
from halfdoor.runner.programs import beside
from halfdoor.verify.base import Check
from halfdoor.verify.tests import ProjectTests
from tests.gatecorpus.broken import Broken, broken, edit_of
from tests.gatecorpus.good import TESTED, Function, known_good
from tests.gatecorpus.judging import (
    broken_subject,
    edit_subject,
    failed,
    good_subject,
    judged,
    laid,
    quick,
    runner,
    slow,
)
from tests.gatecorpus.table import Counts, table
from tests.gatecorpus.tested import pairs, repository

SEED: Final = 20261121
GOOD: Final = "good"
ANY: Final = "any of the quick checks"
# Of good pieces, and of each kind of broken ones: a tool of its own is slow.
SAMPLES: Final = {"types": 30, "bandit": 60, "semgrep": 15, "examples": 20}
MUTANTS_OF_EACH_MODULE: Final = 4

INTRO: Final = """\
# What each check finds, and how often it is wrong

Made by `make gate-corpus` ({python}, ruff {ruff}{tools}). **Good** are {good} functions of the running
standard library, by many hands over thirty years; each is judged as a change that writes its body
where only its head stood. **Broken** are {broken} versions of them, made by a program: this measures what the
checks can see, not how often a model makes such a mistake. Nothing of either is in the repository.
Shares have their 95 % Wilson interval. A piece that a check skipped, or had nothing to judge in, is
not counted for it.
"""


_FALSE: Final = """
These were, each counted once for a line: {}. Most of `security` are in modules that are there to do
what it warns of (`shelve`, `pdb`, `ftplib`); most of `lint` are variables that nobody reads.
"""


class Corpus:
    """Everything judged, counted."""

    def __init__(self, performing: Runner, share: float = 1.0) -> None:
        self.counts = Counts()
        self.weaknesses = Counts()
        self.false: Counter[tuple[str, str]] = Counter()
        self._runner = performing
        self._quick = quick()
        self._slow = {name: check for name, check in slow().items() if _there(name)}
        self._share = share
        self.good = known_good(SEED)[: round(len(known_good(SEED)) * share) or 1]
        self.broken = list(broken(self.good, SEED, share))

    def run(self) -> None:
        """Judge all; three at a time, for most of it is waiting."""
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(self._good, self.good))
            list(pool.map(self._good_edit, enumerate(self.good[: round(100 * self._share)])))
            list(pool.map(self._broken, self.broken))
            for name, check in self._slow.items():
                list(pool.map(lambda each, c=check: self._slowly(c, *each), self._sample(name)))
            list(pool.map(self._tested, self._pairs()))

    def _good(self, function: Function) -> None:
        self._count(GOOD, judged(self._quick, good_subject(function), self._runner))

    def _good_edit(self, numbered: tuple[int, Function]) -> None:
        number, function = numbered
        edit = edit_of(function, random.Random(number), spoilt=False)
        assert edit is not None
        checks = tuple(each for each in self._quick if each.name == "applies")
        self._count(
            GOOD, judged(checks, edit_subject(function, edit.edit), self._runner), any_=False
        )

    def _broken(self, each: Broken) -> None:
        results = judged(self._quick, broken_subject(each), self._runner)
        self._count(each.kind, results)
        if each.kind == "insecure rewrites":
            self._weakness(each, results)

    def _sample(self, name: str) -> Iterator[tuple[str, Function, Broken | None]]:
        """What a slow check judges: good pieces, and of each kind as many as it may be of use for."""
        size = round(SAMPLES[name] * self._share) or 1
        good = [each for each in self.good if name != "examples" or ">>>" in each.text]
        yield from ((GOOD, each, None) for each in good[:size])
        kinds = {each.kind for each in self.broken if not each.edit}
        for kind in sorted(kinds & _OF_USE[name]):
            own = [each for each in self.broken if each.kind == kind]
            if name == "examples":
                own = [each for each in own if ">>>" in each.function.text]
            yield from ((kind, each.function, each) for each in own[:size])

    def _slowly(self, check: Check, kind: str, function: Function, each: Broken | None) -> None:
        subject = good_subject(function) if each is None else broken_subject(each)
        with laid(subject, sys.executable) as on_disk:
            results = judged((check,), on_disk, self._runner)
        self._count(kind, results, any_=False)
        if each is not None and kind == "insecure rewrites":
            self._weakness(each, results)

    def _pairs(self) -> list[tuple[str, str, str]]:
        each = round(MUTANTS_OF_EACH_MODULE * self._share) or 1
        return list(pairs(TESTED if self._share == 1 else TESTED[-2:], each, SEED))

    def _tested(self, pair: tuple[str, str, str]) -> None:
        module, right, wrong = pair
        check = ProjectTests(asked=True, timeout_s=60.0)
        for kind, after in ((GOOD, right), ("operator mutants", wrong)):
            with repository(module, after, sys.executable) as subject:
                self._count(kind, judged((check,), subject, self._runner), any_=False)

    def _count(self, kind: str, results: tuple[Result, ...], *, any_: bool = True) -> None:
        for each in results:
            if kind == GOOD:
                self.false.update((each.check, finding.code) for finding in each.findings)
            if each.status is not Status.NOT_APPLICABLE:
                skipped = each.status is Status.SKIPPED
                self.counts.add(kind, each.check, found=failed(each), skipped=skipped)
        if any_:
            self.counts.add(kind, ANY, found=any(map(failed, results)))

    def _weakness(self, each: Broken, results: tuple[Result, ...]) -> None:
        for result in results:
            if result.check in _INSECURITY and result.status is not Status.SKIPPED:
                self.weaknesses.add(each.detail, result.check, found=failed(result))


_INSECURITY: Final = ("security", "bandit", "semgrep")
_CODE: Final = frozenset({"operator mutants", "wrong names", "wrong attributes"})
_OF_USE: Final = {
    "types": _CODE | {"invented imports", "invented submodules", "insecure rewrites"},
    "bandit": frozenset({"insecure rewrites"}),
    "semgrep": frozenset({"insecure rewrites"}),
    "examples": _CODE,
}


def _there(name: str) -> bool:
    tool = {"types": "ty"}.get(name, name)
    return name == "examples" or bool(beside(tool))


def page(corpus: Corpus) -> Iterator[str]:
    """The page's lines."""
    tools = "".join(f", {tool}" for tool in ("ty", "bandit", "semgrep") if beside(tool))
    yield INTRO.format(
        python=f"Python {sys.version.split()[0]}", ruff=version("ruff"), tools=tools,
        good=len(corpus.good), broken=len(corpus.broken),
    )  # fmt: skip
    counts = corpus.counts
    kinds = list(dict.fromkeys(each.kind for each in corpus.broken))
    yield "## Good code that a check finds fault with\n"
    good = ((f"`{check}`" if check != ANY else check, counts.share(GOOD, check), str(counts.skipped[GOOD, check])) for check in counts.checks([GOOD]))  # fmt: skip
    yield from table(("check", "false findings", "skipped"), good)
    yield _FALSE.format(
        ", ".join(f"`{check}` {code} {n}" for (check, code), n in sorted(corpus.false.items()))
    )
    yield "## Broken code that a check finds\n"
    rows = (row for kind in kinds for row in _found(counts, kind))
    yield from table(("broken by", "check", "found"), rows)
    yield "\n## Insecure rewrites, by weakness\n"
    yield from table(("weakness", *_INSECURITY), _weak(corpus.weaknesses))


def _found(counts: Counts, kind: str) -> Iterator[tuple[str, ...]]:
    for check in counts.checks([kind]):
        # The rest found nothing of this kind, and were not meant to.
        if counts.found[kind, check] or check == ANY:
            yield kind, f"`{check}`" if check != ANY else check, counts.share(kind, check)


def _weak(weaknesses: Counts) -> Iterator[tuple[str, ...]]:
    names = sorted({name for name, _ in weaknesses.tried}, key=lambda name: int(name[4:]))
    for name in names:
        counted = ((weaknesses.found[name, check], weaknesses.tried[name, check]) for check in _INSECURITY)  # fmt: skip
        yield name, *(f"{found} of {tried}" if tried else "-" for found, tried in counted)


def main() -> None:
    """Judge all, print the page."""
    with runner() as performing:
        corpus = Corpus(performing)
        corpus.run()
    sys.stdout.write("\n".join(page(corpus)) + "\n")


if __name__ == "__main__":
    main()
