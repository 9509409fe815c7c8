from pathlib import Path

import pytest

from halfdoor.config.model import ProjectTables, Tables
from halfdoor.config.reference import page
from halfdoor.config.shape import fields

PAGE = Path(__file__).parents[2] / "docs/reference/config.md"


def tables(kind):
    for field in fields(kind).values():
        if field.table:
            yield field.table
            yield from tables(field.table)


def test_the_page_is_the_model():
    assert PAGE.read_text() == page(), (
        "hint: python -m halfdoor.config.reference > docs/reference/config.md"
    )


@pytest.mark.parametrize("table", [*tables(Tables), *tables(ProjectTables)])
def test_every_key_is_explained(table):
    assert table.__doc__
    for field in (f for f in fields(table).values() if not f.table):
        assert field.description.endswith("."), field.name
