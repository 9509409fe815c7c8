"""What is known of one secret's written form."""

from msgspec import Struct


class Format(Struct, frozen=True):
    r"""One written form. A form is a fact about a vendor; patterns, examples and words are our own.

    id: stable, in labels and in the log. source: where the form is documented.
    pattern: RE2 syntax over bytes. Without a group `key` it is the key itself and is found behind
        anything but a letter or digit (escapes such as `\n` and `%20` end words too); with a
        group `key` it is taken as it stands, and names the context that the key needs.
    positives, negatives: made up; every one runs in the tests, the positives also at start-up.
        Keys are glued from halves so that this file holds no whole one.
    caseless: letters match in both cases.
    floor: least Shannon entropy of the key, bits a character; 0 for forms that prose cannot have.
    check: name of a judge in `reading/plausible.py`, "" for none.
    confidence: the share of findings that are right (see `canon.labels.Label`).
    """

    id: str
    pattern: str
    source: str
    positives: tuple[str, ...]
    negatives: tuple[str, ...]
    caseless: bool = False
    floor: float = 0.0
    check: str = ""
    confidence: float = 0.95
