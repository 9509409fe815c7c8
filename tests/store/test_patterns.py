import hashlib
import re

import hyperscan

from halfdoor.reading.engine import Engine
from halfdoor.reading.secret_formats import FORMATS, secret_engine
from halfdoor.store.keys import LogKeys
from halfdoor.store.patterns import PATTERNS, kept_engine

KEY = "AKIA" + "Q3XRLNPD" + "7WJ2ZKTE"


def blind(engine: Engine) -> bytes:
    """Saved patterns that know the first letters of every example's key, and nothing else."""
    expressions, ids = [], []
    for index, form in enumerate(FORMATS):
        for example in form.positives:
            hit = next(hit for hit in engine.scan(example) if hit.format_id == form.id)
            words = re.findall(r"[A-Za-z0-9]+", example[hit.start : hit.end])
            expressions.append(max(words, key=len)[:20].encode())
            ids.append(index)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = [hyperscan.HS_FLAG_SINGLEMATCH] * len(ids)
    database.compile(expressions=expressions, ids=ids, flags=flags)
    saved = bytes(hyperscan.dumpb(database))
    return (
        engine.dump().partition(b"\n")[0]
        + b"\n"
        + engine.identity.encode()
        + b"\n"
        + (hashlib.sha256(saved).digest() + saved)
    )


def test_saved_patterns_that_know_the_examples_and_nothing_else_do_not_blind_the_engine(tmp_path):
    keys = LogKeys.load_or_create(tmp_path)
    forged = blind(kept_engine(tmp_path, keys))
    assert secret_engine(forged).scan(KEY) == []  # the forgery is good: it passes every example
    for saved in (forged, b"0" * 64 + b"\n" + forged):
        (tmp_path / PATTERNS).write_bytes(saved)
        assert kept_engine(tmp_path, keys).scan(KEY)


def test_saved_patterns_are_used_again_and_only_their_owner_reads_them(tmp_path):
    keys = LogKeys.load_or_create(tmp_path)
    kept_engine(tmp_path, keys)
    saved = (tmp_path / PATTERNS).stat()
    assert saved.st_mode & 0o777 == 0o600
    assert kept_engine(tmp_path, keys).scan(KEY)
    assert (tmp_path / PATTERNS).stat().st_mtime_ns == saved.st_mtime_ns
