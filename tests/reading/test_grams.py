import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.reading.grams import ENOUGH, LEAST_WORDS, WIDTH, of_source, shingles, words

CODE = "def settle(invoices):\n    total = sum(i.cents for i in invoices)\n    return total - reserve(total)\n"
PROSE = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"


def common(one, other):
    return len(set(shingles([one])) & set(shingles([other])))


def test_the_hash_is_the_same_in_every_process_and_version():
    # Stored shingles of yesterday must be those of today: a Python that changes this is found here.
    assert list(shingles(["a b c d e f g h"])) == [5426998113624165588]
    assert hash((1, 2, 3, 4, 5, 6, 7, 8)) == -8771086460510222663


def test_white_space_punctuation_case_and_markup_count_for_nothing():
    dressed = "> " + PROSE.upper().replace(" three ", ' **"three"**,\n> \t') + "!"
    assert set(shingles([dressed])) == set(shingles([PROSE]))


@pytest.mark.parametrize("mark", ["//", "///", "#", "--", "*", "/*", ";;", "%"])
def test_comment_marks_count_for_nothing(mark):
    lines = "".join(f"{mark} {line}\n" for line in PROSE.split(" seven "))
    assert set(shingles([lines])) == set(shingles([PROSE.replace(" seven ", " ")]))


def test_line_numbers_and_file_names_before_lines_count_for_nothing():
    plain = set(shingles([CODE]))
    lines = CODE.splitlines()
    for mark in ("{n:6}\t{line}", "{n:6}→{line}", "src/pay.py:{n}:{line}", "{n}|{line}"):
        told = "\n".join(mark.format(n=n, line=line) for n, line in enumerate(lines, 98))
        assert set(shingles([told])) == plain, mark


def test_a_path_is_a_word_or_two():
    assert words("see /home/u/app/src/app/handlers/views/index.py now") == [
        b"see",
        b"/home/u/app/src/app/handlers/views/index",
        b"py",
        b"now",
    ]


def test_a_script_without_spaces_is_read_by_character():
    text = "支払いの端数は常に切り上げられ、残りは準備金に入る。"
    assert common(text, f"同僚は言った {text[3:16]}") >= ENOUGH


def test_unseen_characters_and_other_spellings_hide_nothing():
    hidden = PROSE.replace("five", "fi\u200bve").replace("nine", "n\uff49ne")
    assert set(shingles([hidden])) == set(shingles([PROSE]))


def test_ten_words_in_a_row_are_enough_and_nine_are_not():
    first = PROSE.split()
    assert common(PROSE, " ".join(first[3:13])) == ENOUGH
    assert common(PROSE, " ".join(first[3:12])) < ENOUGH


def test_short_texts_are_no_sources():
    assert not of_source([" ".join(PROSE.split()[: LEAST_WORDS - 1])])
    assert len(of_source([PROSE])) == LEAST_WORDS - WIDTH + 1


@given(st.text(), st.text())
def test_any_text_has_words_and_no_more_shingles_than_words(one, other):
    assert len(shingles([one, other])) <= max(len(words(f"{one}\n{other}")) - WIDTH + 1, 0)


@given(st.text(alphabet="ab \n1:\t→é一", max_size=60), st.text(alphabet="cd \n", max_size=20))
def test_what_stands_around_a_text_hides_none_of_its_shingles(inner, outer):
    assert set(shingles([inner])) <= set(shingles([f"{outer}\n{inner}\n{outer}"]))
