"""A small fixed sample of what `make gate-corpus` measures holds its bounds."""

import random

import pytest

from halfdoor.backends import guard
from halfdoor.runner.sandbox import Sandbox
from tests.gatecorpus.broken import KINDS, Broken, broken, edit_of
from tests.gatecorpus.good import known_good
from tests.gatecorpus.insecure import REWRITES
from tests.gatecorpus.judging import (
    broken_subject,
    edit_subject,
    failed,
    good_subject,
    judged,
    quick,
)

SEED = 7


@pytest.fixture(scope="module")
def performing():
    with guard.process_test_permit():
        yield Sandbox(guard.start_permit)


@pytest.fixture(scope="module")
def good():
    return known_good(SEED)


def finders(subject, performing):
    """Names of the quick checks that find something."""
    return {each.check for each in judged(quick(), subject, performing) if failed(each)}


def test_the_corpus_is_as_large_as_promised(good):
    assert len(good) >= 300
    assert sum(KINDS.values()) >= 900
    assert len({weakness for weakness, _, _ in REWRITES}) >= 15


def test_the_same_seed_makes_the_same_corpus(good):
    assert known_good(SEED) == good
    assert list(broken(good[:9], SEED, 0.02)) == list(broken(good[:9], SEED, 0.02))


def test_good_code_is_not_refused_by_checks_that_ask_for_no_taste(good, performing):
    found = set().union(*(finders(good_subject(each), performing) for each in good[:15]))
    assert found <= {"security", "lint"}


def test_good_edits_apply(good, performing):
    for number, each in enumerate(good[:20]):
        edit = edit_of(each, random.Random(number), spoilt=False)
        assert edit is not None
        assert finders(edit_subject(each, edit.edit), performing) == set(), edit.edit


# Of its kind, the least share that these checks find together; the page has the measured ones.
LEAST = {
    "cut-offs": ({"complete", "syntax"}, 0.9),
    "wrong names": ({"lint"}, 0.9),
    "invented imports": ({"imports"}, 0.9),
    "insecure rewrites": ({"security"}, 0.5),
    "planted keys": ({"secrets"}, 0.9),
    "edits that do not apply": ({"applies"}, 1.0),
}


@pytest.fixture(scope="module")
def samples(good):
    """Some of each kind."""
    made: dict[str, list[Broken]] = {}
    for each in broken(good, SEED, 0.08):
        made.setdefault(each.kind, []).append(each)
    return made


@pytest.mark.parametrize("kind", LEAST)
def test_what_is_broken_is_found_by_the_check_that_is_for_it(kind, samples, performing):
    meant, least = LEAST[kind]
    found = [bool(meant & finders(broken_subject(each), performing)) for each in samples[kind]]
    assert sum(found) >= least * len(found), f"{sum(found)} of {len(found)}"
