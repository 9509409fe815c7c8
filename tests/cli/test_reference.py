from pathlib import Path

from rich.markup import render

from halfdoor.cli import COMMANDS
from halfdoor.cli.reference import page

PAGE = Path(__file__).parents[2] / "docs/reference/cli.md"


def test_the_page_is_the_commands():
    assert PAGE.read_text() == page(), (
        "hint: python -m halfdoor.cli.reference > docs/reference/cli.md"
    )


def test_every_command_has_its_section():
    assert all(f"## `halfdoor {name}" in page() for name in COMMANDS)


def test_what_only_halfdoor_says_to_itself_is_on_no_page():
    assert "--worker`" not in page()


def test_no_help_has_brackets_that_the_terminal_takes_for_markup():
    """`gate --help` said "Settings are `` of `.halfdoor.toml`"."""
    said = [line for line in page().splitlines() if not line.startswith("#")]
    assert [line for line in said if render(line).plain != line.replace("\\|", "|")] == []
