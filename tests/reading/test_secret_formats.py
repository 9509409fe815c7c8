import inspect
import json
import shlex
import urllib.parse

import pytest

from halfdoor.errors import SetupError
from halfdoor.reading.engine import Engine
from halfdoor.reading.formats import clouds, forges, general, models, services
from halfdoor.reading.secret_formats import FORMATS, Format, secret_engine, verify_table

ENGINE = Engine(FORMATS)
POSITIVES = [(f.id, text) for f in FORMATS for text in f.positives]
NEGATIVES = [(f.id, text) for f in FORMATS for text in f.negatives]
# Forms that are the key itself: they must be found wherever a key can stand.
BARE = [
    (f.id, text)
    for f in FORMATS
    for text in f.positives[:1]
    if "(?P<key>" not in f.pattern and not f.pattern.endswith("$)") and "\n" not in text
]


def found(text):
    return {hit.format_id for hit in ENGINE.scan(text)}


def test_the_table_is_large_and_its_ids_are_unique():
    assert len(FORMATS) >= 140
    assert len({f.id for f in FORMATS}) == len(FORMATS)
    assert all(f.positives and f.negatives and f.source for f in FORMATS)


@pytest.mark.parametrize(("form", "text"), POSITIVES)
def test_every_positive_is_found(form, text):
    assert form in found(text)


@pytest.mark.parametrize(("form", "text"), NEGATIVES)
def test_every_negative_is_left_alone(form, text):
    assert form not in found(text)


@pytest.mark.parametrize(("form", "text"), POSITIVES)
def test_a_key_is_found_in_the_middle_of_a_long_text(form, text):
    assert form in found("x = 1\n" * 400 + text + "\ny = 2" * 400)


WRAPPINGS = {
    "assignment": 'x = "{}"'.format,
    "json": lambda key: json.dumps({"k": f"line\n{key}\nline"}),
    "json in json": lambda key: json.dumps(json.dumps({"k": f"\t{key}"})),
    "shell": lambda key: f"export X={shlex.quote(key)}; run",
    "url": lambda key: "https://host/p?a=1&t=" + key,
    "percent": lambda key: "q=" + urllib.parse.quote(" ") + key,
    "lines": "a\n{}\nb".format,
    "windows lines": "a\r\n{}\r\nb".format,
    "brackets": "<{}>".format,
    "markdown": "use `{}` here".format,
    "prose": "the key is {}.".format,
    "snake": "OLD_{}".format,
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_bare_key_is_found_however_it_is_written(wrapping):
    missed = [form for form, key in BARE if form not in found(WRAPPINGS[wrapping](key))]
    assert missed == []


def test_no_source_file_of_the_table_holds_a_key():
    for module in (clouds, forges, general, models, services):
        tight = [hit for hit in ENGINE.scan(inspect.getsource(module)) if hit.confidence > 0.9]
        assert tight == []


def test_verifying_the_table_passes_with_the_real_table():
    verify_table(ENGINE)


def test_what_the_examples_needed_is_given_back_and_made_again_when_a_form_occurs():
    verify_table(ENGINE)
    assert ENGINE._located == [None] * len(FORMATS)
    form = FORMATS[0]
    assert form.id in {hit.format_id for hit in ENGINE.scan(form.positives[0])}
    assert 0 < sum(made is not None for made in ENGINE._located) < 10


def test_verifying_the_table_names_a_format_that_misses_its_example():
    broken = Format("broken", "abc[0-9]{9}", "nowhere", ("abd123456789",), ())
    with pytest.raises(SetupError, match="`broken` misses its own example"):
        verify_table(Engine((broken,)))


def test_an_engine_from_saved_patterns_is_proven_too():
    assert secret_engine(ENGINE.dump()).scan(POSITIVES[0][1]) == ENGINE.scan(POSITIVES[0][1])
    with pytest.raises(SetupError):
        secret_engine(b"another table")
