"""`halfdoor demo`: what halfdoor does, in a minute, without keys, engines or a network."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from halfdoor.backends import guard
from halfdoor.cli.demo.page import show
from halfdoor.cli.demo.play import play
from halfdoor.cli.demo.story import tell
from halfdoor.cli.options import JsonOption, console, say_json
from halfdoor.errors import SetupError


def demo(json: JsonOption = False) -> None:
    """Show in a minute what halfdoor does: ten exchanges, each decision, a proven log.

    The gateway and its log are real, and so is HTTP; the models are pretended. It needs no
    key, no engine and no network, and leaves nothing behind. Exit 1 if a promise broke.
    """
    guard.install()
    with _passing_folder() as folder:
        story = tell(play(folder), folder)
    if json:
        say_json(story)
    else:
        show(console(), story)
    if story.failures:
        raise typer.Exit(1)


@contextmanager
def _passing_folder() -> Iterator[Path]:
    """A folder that is gone afterwards; SIGTERM ends what happens in it as Ctrl-C does."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.signal(each, signal.default_int_handler) for each in signals}
    try:
        folder = _temporary()
        try:
            yield Path(folder.name)
        finally:
            # Nothing may leave half of it behind.
            for each in signals:
                signal.signal(each, signal.SIG_IGN)
            folder.cleanup()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _temporary() -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(prefix="halfdoor-demo-")
    except OSError as error:
        raise SetupError(
            f"no temporary folder can be made: {error.strerror}",
            hint="set TMPDIR to a folder that you may write to",
        ) from None
