"""How many tokens a request has, about, when nobody is asked who knows."""

import re
from typing import Final

# Of a coding tool's body as it stands, brackets and escapes included. Vendors' tokenizers take 3.3
# to 4.2 bytes a token for code and English; a little too many tokens is the safer error.
BYTES_A_TOKEN: Final = 3.5
# A picture costs by its size in pixels, not by its bytes: this is one of middling size.
PICTURE_TOKENS: Final = 1500

_PICTURE: Final = re.compile(rb"[A-Za-z0-9+/=]{4096,}")


def estimated(body: bytes) -> int:
    """Tokens of a request's body, at least 1; base64 counts as pictures."""
    pictures = [found.end() - found.start() for found in _PICTURE.finditer(body)]
    text = len(body) - sum(pictures)
    return max(1, round(text / BYTES_A_TOKEN)) + len(pictures) * PICTURE_TOKENS
