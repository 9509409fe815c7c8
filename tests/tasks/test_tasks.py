"""The labelled requests are enough and varied, and the page says what is read of them."""

from collections import Counter

from halfdoor.canon.asks import Agent, Task
from tests.tasks.shapes import CLIENTS
from tests.tasks.table import PAGE, SETS, labelled, page, right

ALL = [sent for name in SETS for sent in labelled(name)]
ENOUGH = {"open": 0.9, "held_out": 0.8}


def test_there_are_requests_of_every_client_task_and_agent_and_each_stands_once():
    assert len(ALL) >= 200
    assert len({sent.id for sent in ALL}) == len(ALL)
    assert {sent.task for sent in ALL} == set(Task)
    assert {sent.agent for sent in ALL} == set(Agent)
    assert {sent.shape.partition("-")[0] for sent in ALL} == set(CLIENTS)


def test_no_request_that_is_held_out_is_among_the_open_ones():
    told = Counter((sent.shape, sent.ask) for sent in labelled("open"))
    assert not [s.id for s in labelled("held_out") if s.ask and told[s.shape, s.ask]]


def test_the_page_says_what_is_read():
    assert PAGE.read_text(encoding="utf-8") == page(), "hint: make tasks"


def test_most_is_read_as_it_is_labelled():
    for name, share in ENOUGH.items():
        assert min(right(name)) >= share * len(labelled(name)), name
