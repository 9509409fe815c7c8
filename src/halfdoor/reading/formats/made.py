"""Made-up keys: the right letters in the right number, and never a literal in a file.

Scanners that guard repositories therefore find no key here, and no key can be a live one.
"""

from typing import Final

DIGITS: Final = "0123456789"
HEX: Final = "0123456789abcdef"
UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
A32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
A36: Final = LOWER + DIGITS
U36: Final = UPPER + DIGITS
A62: Final = UPPER + LOWER + DIGITS
A64: Final = A62 + "+/"
URL64: Final = A62 + "-_"


def made(alphabet: str, size: int) -> str:
    """`size` letters that look drawn by chance and are the same every time."""
    state = size * 2_654_435_761 + len(alphabet)
    letters = []
    for _ in range(size):
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        letters.append(alphabet[(state >> 33) % len(alphabet)])
    return "".join(letters)


def uuid() -> str:
    """A made-up UUID."""
    digits = made(HEX, 32)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
