"""Ordinary work beside ruled folders stays unlabelled: a label would keep the whole session home."""

import pytest

from halfdoor.detect.paths import PathDetector
from halfdoor.detect.survey import Surveyor
from halfdoor.reading.prints import Prints
from tests.detect.bodies import assistant, call, messages, request, result, text, user
from tests.detect.harmless_calls import CALLS, FALSE_ALARMS, SAID

RULES = ("payments/**", "**/*.pem", "infra/secrets/**")


def labels(*turns):
    made = Surveyor((PathDetector(RULES),), Prints(b"k" * 32))
    return [(label.name, label.place) for label in made.survey(request(messages(*turns))).labels]


def turns(n, calls=CALLS):
    tool, arguments, answer = calls[n]
    made = {"type": "tool_use", "id": f"t{n}", "name": tool, "input": arguments}
    return assistant(made), user(result(answer, f"t{n}"))


def test_there_are_enough_of_them():
    assert len(CALLS) >= 200
    assert len({str(made) for made in CALLS}) == len(CALLS)


@pytest.mark.parametrize("n", range(len(CALLS)), ids=lambda n: f"{CALLS[n][0]} {n}")
def test_a_harmless_call_and_its_result_carry_no_label(n):
    assert labels(*turns(n)) == [], CALLS[n]


@pytest.mark.parametrize("n", range(len(FALSE_ALARMS)))
def test_a_known_false_alarm_is_one_still(n):
    """When one of these is mended, it moves to the others and the docs lose a line."""
    assert labels(*turns(n, FALSE_ALARMS)) != []


@pytest.mark.parametrize("said", SAID)
def test_what_people_and_models_say_about_a_folder_is_not_what_is_in_it(said):
    assert labels(user(text(said)), assistant(text(said))) == []


def test_all_of_them_in_one_session_carry_none():
    session = [turn for n in range(len(CALLS)) for turn in turns(n)]
    assert labels(*session) == []


def test_the_same_session_with_one_that_is_not_harmless_does():
    session = [turn for n in range(len(CALLS)) for turn in turns(n)]
    opened = (assistant(call("Bash", "x", command="cat payments/a")), user(result("a", "x")))
    assert {name for name, _ in labels(*session, *opened)} == {"path:payments/**"}
