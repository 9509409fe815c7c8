"""What the hunt says at its end: what was tried, what was found, what is out of its scope."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from tests.leakhunt.everyday import MOST_HELD
from tests.leakhunt.fuzz import Found
from tests.leakhunt.status import WAITING
from tests.leakhunt.tally import Tally

OUT_OF_SCOPE: Final = (
    "encrypted text, and encodings other than base64, hex, percent, JSON and \\u escapes",
    "what is compressed inside text (gzip in base64), and encodings more than two deep",
    "a key cut over two messages, two system blocks or two requests",
    "paraphrase: what a model says of a text in words of its own",
    "pictures, sound and other files that only a vendor reads (`not-scanned`)",
    "base64 that is glued to other letters of its alphabet (`id_QUtJQ…`)",
    "traffic that a tool sends past its base URL (see `docs/reference/clients.md`)",
)
_SHOWN: Final = 12


def faults(tally: Tally, found: Found) -> list[str]:
    """Everything for which the hunt fails."""
    told = [f"LEAK {leak.case}: {leak.how}" for leak in tally.leaks]
    told += [f"LEAK in the fuzzer: {leak}" for leak in found.leaks]
    told += [f"UNRECORDED {case}" for case in found.unrecorded]
    told += [f"HELD BACK {case}" for case in (*tally.held, *found.held)]
    told += [f"PROVES NOTHING: no canary in {case}" for case in tally.unplanted]
    if len(tally.everyday_held) > MOST_HELD:
        told += [f"HELD BACK {case}" for case in tally.everyday_held]
    return told


def lines(tally: Tally, found: Found, seed: int, seconds: float) -> Iterator[str]:
    """The report, line by line."""
    yield f"Seed {seed}, {seconds:.0f} s."
    yield ""
    yield f"Over HTTP: {tally.requests:,} requests that must stay, {tally.controls:,} controls."
    for name, column in (("what", 0), ("place", 1), ("way", 2), ("dialect", 3)):
        yield from _counts(f"  by {name:<8}", tally.by(column))
    yield f"  searched   {tally.bytes_searched:,} bytes that came to the cloud"
    yield f"  leaks      {len(tally.leaks)}"
    yield f"  controls held back   {len(tally.held)}"
    everyday = sum(tally.everyday.values())
    yield f"  everyday requests    {everyday} of {len(tally.everyday)} kinds, held back "
    yield f"                       {len(tally.everyday_held)}: {tally.everyday_held or 'none'}"
    yield ""
    yield f"Fuzzer: {found.cases:,} requests, {found.sensitive:,} of them must stay."
    yield from _counts("  faults     ", dict(found.faults))
    yield from _counts("  answers    ", dict(sorted(found.answers.items())))
    yield f"  stayed     {found.stayed:,} were answered on the device, the rest by nobody"
    yield f"  leaks      {len(found.leaks)}"
    yield f"  unrecorded {len(found.unrecorded)}"
    yield f"  harmless requests that belong to the cloud {found.free:,}, held back {len(found.held)}"
    yield ""
    for name, reason in tally.skipped.items():
        yield f"skipped: {name}: {reason}"
    for feature, count in tally.waiting.items():
        yield f"not tried yet: {count} cases: {WAITING[feature]}"
    yield "Out of scope, and not tried:"
    yield from (f"  - {scope}" for scope in OUT_OF_SCOPE)


def _counts(title: str, counts: dict[str, int]) -> Iterator[str]:
    most = Counter(counts).most_common(_SHOWN)
    rest = len(counts) - len(most)
    told = ", ".join(f"{name} {count:,}" for name, count in most)
    yield f"{title} {told}" + (f", and {rest} more" if rest > 0 else "")
