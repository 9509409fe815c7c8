from halfdoor.reading.tokens import PICTURE_TOKENS, estimated


def test_text_counts_by_its_bytes():
    assert estimated(b"") == 1
    assert estimated(b"x = 1\n" * 350) == 600


def test_a_picture_costs_the_same_whatever_its_bytes():
    assert estimated(b'"' + b"iVBORw0K" * 10_000 + b'"') == PICTURE_TOKENS + 1
