"""What a backend asks for before it is asked again."""

from typing import Final

# A vendor may say that an account has its next token in hours; another look costs one request.
LONGEST_MS: Final = 300_000


def asked_for_ms(headers: tuple[tuple[str, str], ...]) -> int:
    """What `retry-after` asks for, in whole seconds; a date or nonsense is nothing."""
    asked = next((value for name, value in headers if name.lower() == "retry-after"), "")
    seconds = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    return min(seconds * 1000, LONGEST_MS)
