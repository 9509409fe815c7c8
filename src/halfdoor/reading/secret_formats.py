"""The secret table: forms of keys, tokens and passwords, each with its source and examples."""

from typing import Final

from halfdoor.errors import SetupError
from halfdoor.reading.engine import Engine
from halfdoor.reading.formats.clouds import CLOUDS
from halfdoor.reading.formats.forges import FORGES
from halfdoor.reading.formats.format import Format
from halfdoor.reading.formats.general import GENERAL
from halfdoor.reading.formats.models import MODELS
from halfdoor.reading.formats.services import SERVICES

__all__ = ["FORMATS", "Format", "secret_engine", "verify_table"]

FORMATS: Final[tuple[Format, ...]] = (*CLOUDS, *FORGES, *MODELS, *SERVICES, *GENERAL)


def secret_engine(saved: bytes = b"") -> Engine:
    """An engine over the whole table, proven with its own examples.

    saved: what `Engine.dump` gave before; without it the table is compiled (0.3 s).
    Raises SetupError: `saved` is another table's or damaged, or an example is missed.
    """
    engine = Engine(FORMATS, compiled=saved)
    verify_table(engine)
    return engine


def verify_table(engine: Engine) -> None:
    """Run every positive example of the engine's table; belongs at start-up (about 45 ms).

    Raises SetupError naming the first format that the engine misses: the table, the saved
    patterns or the library below is broken, and what it guards would leave.
    """
    for form in engine.table:
        for example in form.positives:
            if all(hit.format_id != form.id for hit in engine.scan(example)):
                raise SetupError(
                    f"secret format `{form.id}` misses its own example",
                    hint="delete saved patterns and install again; requests are not safe to serve",
                )
        # Most of these never occur in service; together they would take 8 MB.
        engine.rest()
