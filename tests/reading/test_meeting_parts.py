import json

import pytest

from halfdoor.reading.passages import passage

ONE, OTHER = "access = first-half", "second-half\nregion = eu"


def message(*parts):
    return json.dumps({"role": "user", "content": list(parts)}).encode()


def texts(*parts):
    return passage(message(*parts), "messages[0]", False).texts


def part(text, kind="text"):
    return {"type": kind, "text": text}


@pytest.mark.parametrize("kind", ["text", "input_text", "output_text"])
def test_where_two_parts_meet_they_are_read_as_one(kind):
    found = texts(part("before", kind), part(ONE, kind), part(OTHER, kind))
    assert any("first-halfsecond-half" in text for text in found)


def test_parts_of_a_result_inside_a_message_meet_too():
    result = {"type": "tool_result", "tool_use_id": "t", "content": [part(ONE), part(OTHER)]}
    assert any("first-halfsecond-half" in text for text in texts(result))


def test_parts_with_something_between_them_do_not_meet():
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ""}}
    assert not any("first-halfsecond-half" in text for text in texts(part(ONE), image, part(OTHER)))


def test_of_long_parts_only_the_ends_that_meet_are_read_again():
    found = texts(part("a" * 5000 + " x"), part("y " + "b" * 5000))
    assert max(len(text) for text in found if "xy" in text) == 2048
