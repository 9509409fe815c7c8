import io

from rich.console import Console

from halfdoor.cli.options import folded

LONG = "ok   control: " + "a word " * 30


def test_a_long_line_is_broken_between_words_on_a_terminal_and_later_lines_are_set_in():
    screen = Console(file=io.StringIO(), force_terminal=True, width=80)
    first, *later = folded(LONG, screen, 5).splitlines()
    assert first.startswith("ok   control: a word")
    assert all(line.startswith("     ") and line.endswith("word") for line in later)
    assert max(map(len, (first, *later))) <= 80


def test_for_programs_a_line_stays_one_line():
    assert folded(LONG, Console(file=io.StringIO(), width=80), 5) == LONG
