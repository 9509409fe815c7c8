import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.config.connect import objects
from halfdoor.config.connect.change import Unfit
from halfdoor.config.connect.jsonc import parsed, value
from halfdoor.config.tools.claude import CLAUDE
from halfdoor.config.tools.opencode import OPENCODE
from halfdoor.config.tools.tool import Setting, wished
from halfdoor.config.tools.vscode import VSCODE
from tests.config.connect.texts import KEYS, OBJECTS, SCALARS, WISH, json_texts, place

A = Setting(("env", "A"), "1", "")


def read(text):
    return value(text, parsed(text)) if text.strip() else None


def put(text, *settings):
    return objects.changed(text, settings or (A,))


@given(json_texts(), st.sampled_from([CLAUDE, OPENCODE]))
def test_what_is_put_in_is_there_and_all_else_stays(text, tool):
    try:
        after, _ = objects.changed(text, wished(place(tool), WISH))
    except Unfit:
        return
    expected = read(text)
    for setting in wished(place(tool), WISH):
        *above, last = setting.at
        inner = expected
        for key in above:
            inner = inner.setdefault(key, {})
        inner[last] = setting.value
    assert read(after) == expected


@given(json_texts(), st.sampled_from([CLAUDE, OPENCODE]))
def test_taken_out_again_nothing_of_it_is_left(text, tool):
    try:
        after, changes = objects.changed(text, wished(place(tool), WISH))
    except Unfit:
        return
    before, left = objects.undone(after, changes)
    assert (read(before), left) == (read(text), ())
    assert list(read(before)) == list(read(text))


@given(json_texts(), KEYS.filter(lambda key: key != "env"), SCALARS)
def test_what_a_person_changed_meanwhile_stays(text, key, said):
    try:
        after, changes = objects.changed(text, wished(place(CLAUDE), WISH))
    except Unfit:
        return
    after, _ = put(after, Setting((key,), said, ""))
    before, left = objects.undone(after, changes)
    assert (read(before), left) == ({**read(text), key: said}, ())


@given(json_texts(st.lists(OBJECTS, max_size=3)))
def test_an_item_of_a_list_comes_and_goes(text):
    settings = wished(place(VSCODE), WISH)
    after, changes = objects.changed(text, settings)
    assert read(after) == [*read(text), settings[0].value]
    assert read(objects.undone(after, changes)[0]) == read(text)


def test_a_value_that_somebody_changed_is_left_and_named():
    after, changes = put('{"env": {"A": "0"}}')
    assert objects.undone(after.replace('"1"', '"2"'), changes) == (
        '{"env": {"A": "2"}}',
        ("env.A",),
    )


def test_an_object_made_for_a_setting_stays_when_somebody_uses_it():
    after, changes = put("{}\n")
    more, _ = put(after, Setting(("env", "B"), "2", ""))
    assert read(objects.undone(more, changes)[0]) == {"env": {"B": "2"}}


def test_a_setting_that_is_there_already_is_no_change():
    assert put('{"env":{"A":"1"}}') == ('{"env":{"A":"1"}}', ())


def test_the_indent_and_the_comments_of_a_file_are_kept():
    text = '{\n\t// mine\n\t"x": 1, // one\n\t"env": {\n\t\t"B": "2" // two\n\t},\n}\n'
    after, changes = put(text)
    assert '\t\t"B": "2",\n\t\t"A": "1" // two\n' in after
    assert objects.undone(after, changes) == (text, ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "its root"),
        ('{"env": 3}', "`env` is no object"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ('{\n"a": }', "line 2"),
        ('{"a": 1} x', "line 1"),
        ("{", "line 1"),
        ('{"a": 01}', "line 1"),
        ("[" * 200, "line 1"),
        ("{/*", "line 1"),
    ],
)
def test_a_file_that_is_not_understood_is_refused(text, why):
    with pytest.raises(Unfit, match=why):
        put(text)


def test_an_empty_file_becomes_an_object():
    assert json.loads(put("\n")[0]) == {"env": {"A": "1"}}
