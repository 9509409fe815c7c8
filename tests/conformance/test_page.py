"""The page of conformance says what is so, and everything that it says was measured."""

import pytest

from tests.conformance import small
from tests.conformance.__main__ import PAGE
from tests.conformance.matrix import FEATURES, Cell, judged, keys, measure
from tests.conformance.page import page
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import gateway


@pytest.fixture
async def found(loopback):
    return await measure()


async def test_the_page_is_what_is_measured_and_nothing_fails(found):
    beside = await small.measure()
    told = [*found.items(), *beside.items()]
    assert [(key, how) for key, how in told if how.startswith("no")] == []
    assert list(found) == list(keys())
    assert len(found) == 4 * 4 * 9 * 2
    assert PAGE.read_text(encoding="utf-8") == page(found, beside), "hint: make conformance"


async def test_a_cell_that_does_not_hold_says_no(monkeypatch):
    async def fails(cell):
        raise ValueError("as it should not")

    async def lacks(cell):
        return False

    monkeypatch.setitem(FEATURES, "text", fails)
    monkeypatch.setitem(FEATURES, "tools", lacks)
    cell = Cell(gateway(backends=[], models=[]), FakeModel(), "ollama", "ollama", "whole")
    assert await judged(cell, "text") == "no: as it should not"
    assert await judged(cell, "tools") == "no"


def test_a_pair_whose_forms_differ_tells_both():
    found = dict.fromkeys(keys(), "yes")
    found["ollama", "ollama", "text", "streamed"] = "degraded: order"
    assert "| streamed: degraded: order; whole: yes | yes |" in page(
        found, dict.fromkeys(small.keys(), "refused")
    )
