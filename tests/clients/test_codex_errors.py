"""One failing turn of Codex: how many requests it becomes, and what its user reads."""

import pytest

from tests.clients.conftest import tapped
from tests.clients.rows import Row
from tests.clients.rows_codex import ROWS, UNREACHABLE
from tests.helpers.gateway import model

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.happens)
def test_a_failing_turn_is_as_many_requests_as_the_page_says(line, codex, row: Row):
    there = line("openai_responses")
    there.fake.default = row.scene()
    ran = codex("hello", there.url)
    assert ran.code != 0
    assert row.shown in ran.said
    assert len(there.posts) == row.posts
    assert len(there.fake.seen) == (row.calls or row.posts)


def test_a_backend_that_is_not_there_is_one_request_and_names_itself(codex):
    far = {"name": "far", "dialect": "openai_responses", "url": "http://127.0.0.1:9/v1"}
    with tapped(
        backends=[{**far, "zone": "device"}], models=[model("far", "far", "real-model")]
    ) as tap:
        ran = codex("hello", tap.url)
    assert UNREACHABLE in ran.said
    assert [sent.status for sent in tap.posts("/v1/responses")] == [400]


@pytest.mark.parametrize("row", [row for row in ROWS if row.happens in {"500", "529"}], ids=str)
def test_a_failing_turn_stays_one_request_when_the_backend_speaks_chat(line, codex, row: Row):
    there = line("openai_chat")
    there.fake.default = row.scene()
    codex("hello", there.url)
    assert len(there.fake.seen) == 1
