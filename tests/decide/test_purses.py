import pytest

from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Budget
from halfdoor.canon.request import Actor
from halfdoor.config.tables.budgets import BudgetMatch
from halfdoor.decide.purses import answering, asking, counts, key
from halfdoor.store.books import Key
from halfdoor.store.opening import names_of

ANN = asking(Actor("ann-laptop", "codex", "shop", person="ann", team="web"))
SONNET = answering(Target("sonnet", "vendor", "claude-5", Zone.CLOUD, "d", "v"))
ALL = {**ANN, **SONNET}
LINE = Key(0, "sonnet", "vendor", "cloud", "ann-laptop", "codex", "shop")


def budget(**match):
    return Budget("b", 0, "day", match=tuple(match.items()))


def test_the_books_know_an_exchange_by_the_names_it_was_decided_by():
    assert names_of(LINE, {"ann-laptop": ("ann", "web")}) == ALL
    assert set(ALL) == set(BudgetMatch.__struct_fields__)


@pytest.mark.parametrize(("field", "name"), ALL.items())
def test_every_field_counts_what_it_names_and_nothing_else(field, name):
    assert counts(budget(**{field: name}), ALL)
    assert not counts(budget(**{field: "another"}), ALL)


def test_all_that_a_budget_matches_must_hold():
    assert counts(budget(person="ann", zone="cloud"), ALL)
    assert not counts(budget(person="ann", zone="device"), ALL)


def test_only_models_are_matched_by_a_glob():
    assert counts(budget(model="son*"), ALL)
    assert not counts(budget(person="a*"), ALL)


def test_a_name_that_is_not_known_yet_may_be_any():
    assert counts(budget(model="opus", team="web"), ANN)
    assert not counts(budget(model="opus", team="data"), ANN)


@pytest.mark.parametrize(("each", "whose"), [("", ""), ("person", "ann"), ("zone", None)])
def test_whose_limit_it_is_may_depend_on_who_answers(each, whose):
    assert key(Budget("b", 0, "day", each=each), ANN) == whose
    assert key(Budget("b", 0, "day", each="zone"), ALL) == "cloud"
