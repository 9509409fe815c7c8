import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.config.places import line_of, places

MIXED = """# a comment = "not a key"
[server]
listen = "127.0.0.1:4114"  # [not a table]

[[backends]]
name = "one"
[backends.timeouts]
idle_s = 3
[[models]]
name = "m"
usd_per_million_tokens = { input = 1, output = 2 }
[[backends]]
name = \"\"\"
[[models]]
name = "inside a string"
\"\"\"
list = [
  "a", # ]
  ["b", LONG'c
[x]LONG],
]
"quoted key" . deep = 1
[[backends]]
url = 'x'
""".replace("LONG", "'''")


def test_interleaved_tables_keep_their_lines():
    found = places(MIXED)
    assert found["server", "listen"] == 3
    assert found["backends", 0] == 5
    assert found["backends", 0, "timeouts", "idle_s"] == 8
    assert found["models", 0, "usd_per_million_tokens"] == 11
    assert found["backends", 1, "name"] == 13
    assert found["backends", 1, "quoted key", "deep"] == 22
    assert found["backends", 2, "url"] == 24


def test_what_has_no_line_takes_the_line_of_its_table():
    found = places(MIXED)
    assert line_of(found, ("backends", 2, "zone")) == 23
    assert line_of(found, ("models", 0, "usd_per_million_tokens", "inptu")) == 11
    assert line_of(found, ("nowhere",)) == 1


def test_text_that_is_not_toml_gives_what_is_known():
    assert places("a = 1\n= = =\n") == {("a",): 1}


def paths(value, path=()):
    """Every path of a parsed document that must have a place of its own."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield (*path, key)
            yield from paths(below, (*path, key))


KEYS = st.from_regex(r"[a-z_-]{1,6}", fullmatch=True)
STRINGS = st.text(alphabet="ab\"#[]{}=,\n\\'", max_size=8)


def written(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, st.lists(STRINGS, min_size=1, max_size=3), max_size=5))
def test_each_key_is_found_on_the_line_where_it_was_written(document):
    lines: list[str] = []
    expected = {}
    for key, texts in document.items():
        expected[key,] = len(lines) + 1
        lines += f"{key} = [ # ]\n".splitlines() + [f"  {written(t)}," for t in texts] + ["]", ""]
    text = "\n".join(lines)
    assert set(paths(tomllib.loads(text))) == set(expected)
    assert places(text) == expected
