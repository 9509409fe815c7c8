import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.errors import SetupError
from halfdoor.reading.engine import Engine
from halfdoor.reading.formats.made import A62, HEX, URL64, made
from halfdoor.reading.secret_formats import FORMATS, Format

ENGINE = Engine(FORMATS)
SMALL = (Format("digits", "id-[0-9]{8}", "test", ("id-12345678",), ()),)
KEY = "ghp_" + made(A62, 36)


def test_offsets_are_of_characters_not_bytes():
    text = f"größe 📦 {KEY} ende"
    (hit,) = ENGINE.scan(text)
    assert text[hit.start : hit.end] == KEY


def test_offsets_hold_behind_lone_surrogates():
    text = "\ud800 " + KEY
    (hit,) = ENGINE.scan(text)
    assert text[hit.start : hit.end] == KEY


def test_two_keys_with_one_letter_between_them_are_both_found():
    assert len(ENGINE.scan(f"{KEY} {KEY}")) == 2


def test_re2_alone_finds_the_same_and_says_that_it_is_slow():
    slow = Engine(FORMATS, native=False)
    assert "hyperscan is missing" in slow.warning
    assert ENGINE.warning == ""
    assert slow.dump() == b""
    text = "\n".join(text for form in FORMATS for text in form.positives)
    assert slow.scan(text) == ENGINE.scan(text)


def test_a_saved_engine_finds_the_same():
    again = Engine.load(ENGINE.dump(), FORMATS)
    text = "\n".join(text for form in FORMATS for text in form.positives)
    assert again.scan(text) == ENGINE.scan(text)


def test_patterns_saved_for_another_table_are_refused():
    with pytest.raises(SetupError, match="another table"):
        Engine.load(ENGINE.dump(), SMALL)


def test_damaged_patterns_are_refused():
    saved = bytearray(Engine(SMALL).dump())
    saved[-1] ^= 0xFF
    with pytest.raises(SetupError, match="damaged"):
        Engine.load(bytes(saved), SMALL)


def test_another_table_is_another_identity():
    assert Engine(SMALL).identity != ENGINE.identity


def test_a_format_with_an_unknown_judge_stops_start_up():
    with pytest.raises(SetupError, match="`x` names a judge `nobody`"):
        Engine((Format("x", "a", "test", (), (), check="nobody"),))


def test_a_pattern_that_does_not_compile_stops_start_up():
    with pytest.raises(SetupError, match="does not compile"):
        Engine((Format("x", "(?P<key>a{3,1})", "test", (), ()),))


@pytest.mark.parametrize("filler", ["x" * 36, "X" * 36, "0" * 36, "*" * 36])
def test_a_key_of_filler_is_an_example_not_a_key(filler):
    assert ENGINE.scan("ghp_" + filler) == []


def test_a_documented_checksum_raises_confidence_and_its_lack_never_drops():
    import zlib

    body = made(A62, 30)
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    value, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        check = digits[digit] + check
    (right,) = ENGINE.scan(f"ghp_{body}{check}")
    (wrong,) = ENGINE.scan(KEY)
    assert right.confidence == 1.0
    assert 0.9 <= wrong.confidence < 1.0


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=80), st.text(max_size=80), st.sampled_from([f.positives[0] for f in FORMATS])
)
def test_text_around_never_hides_a_finding(before, after, key):
    alone = {hit.format_id for hit in ENGINE.scan(key)}
    assert alone <= {hit.format_id for hit in ENGINE.scan(f"{before}\n{key}\n{after}")}


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_can_be_scanned_and_hits_lie_inside_it(text):
    for hit in ENGINE.scan(text + KEY):
        assert 0 <= hit.start < hit.end <= len(text) + len(KEY)


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ('password = "Winter' + '2024!"', "assigned-password"),
        ("db_password: 9fK" + "x2mQ81zL", "assigned-secret-bare"),
        ("psql postgres://app:" + "Sup3rGeheim@db/prod", "url-credentials"),
        ("AKIA" + "IOSFODNN7" + "EXAMPLE", "aws-access-key-id"),
        (f"curl -H 'Authorization: Bearer {made(URL64, 32)}' https://h/", "authorization-bearer"),
        (f'{{"DD_API_KEY": "{made(HEX, 32)}"}}', "datadog-key"),
    ],
)
def test_secrets_as_people_write_them(line, form):
    assert form in {hit.format_id for hit in ENGINE.scan(line)}


@pytest.mark.parametrize(
    "line",
    [
        "token = self.tokens[i].value2",
        'password = getpass.getpass("Password 1: ")',
        'API_KEY = os.environ["API_KEY_2"]',
        "def login(password: str2, token: bytes32) -> None:",
        'key = "sha256"',
        "secret = secrets.token_hex(16)",
        "https://docs.python.org/3/library/urllib.html",
        "git@github.com:acme/app.git",
        "sha256:" + "0123456789abcdef" * 4,
        "token_type_ids=tokenizer2_output",
        "max_tokens: 64000",
    ],
)
def test_code_that_speaks_of_secrets_holds_none(line):
    assert ENGINE.scan(line) == []


@pytest.mark.parametrize("form", ["anthropic-api-key", "openai-api-key", "slack-token", "jwt"])
@pytest.mark.parametrize("behind", ["-" * 12, "_" * 10, "-here", "_here-please", "xxxxxxxxxx"])
def test_what_is_written_right_behind_a_key_does_not_make_it_filler(form, behind):
    (table,) = (f for f in FORMATS if f.id == form)
    found = {hit.format_id for hit in ENGINE.scan(f"use {table.positives[0]}{behind}")}
    assert form in found


@pytest.mark.parametrize("key", ["sk-ant-api03-your-key-here", "sk-proj-" + "x" * 60 + "-here"])
def test_a_template_with_a_vendors_beginning_is_still_a_template(key):
    assert ENGINE.scan(key) == []


def test_many_findings_among_other_letters_are_placed_in_one_pass():
    text = "ä" + f"{KEY} ö\n" * 20_000
    hits = ENGINE.scan(text)
    assert len(hits) == 20_000
    assert text[hits[-1].start : hits[-1].end] == KEY
