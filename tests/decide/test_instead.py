from halfdoor.canon.record import Attempt
from halfdoor.decide.instead import instead_of
from tests.record.samples import decided, outcome

SONNET = Attempt("sonnet", "anthropic", "cloud", "status", 529, 9, 9, 9)
QWEN = Attempt("qwen", "ollama", "device", "answered", 200, 9, 9, 9)


def told(aside, *attempts):
    ended = outcome(attempts=attempts, model=attempts[-1].model)
    return instead_of(decided(instead_of=aside), ended)


def test_the_first_choice_answers_instead_of_nobody():
    assert told((), QWEN) == ()


def test_who_was_never_asked_and_who_failed_are_told_with_why():
    found = told(("opus: budget team",), SONNET, QWEN)
    assert found == ("opus: budget team", "sonnet: 529")


def test_who_was_put_aside_and_asked_all_the_same_is_told_by_what_came_of_it():
    assert told(("sonnet: 429",), SONNET, QWEN) == ("sonnet: 529",)
    assert told(("qwen: 3 waiting",), SONNET, QWEN) == ("sonnet: 529",)
