"""Label `secret`: a text holds something in the form of a key, a token or a password."""

from halfdoor.canon.labels import Label
from halfdoor.reading.engine import Engine
from halfdoor.reading.leaves import SEAM
from halfdoor.reading.passages import Passage


class SecretDetector:
    """Scans all texts of a passage at once; one label for each form found in it."""

    name = "secrets"
    reads_paths = False

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.identity = engine.identity

    def find(self, passage: Passage) -> tuple[Label, ...]:
        """detail: the format's id. confidence: the best of its findings here."""
        best: dict[str, float] = {}
        for hit in self._engine.scan(SEAM.join(passage.texts)):
            best[hit.format_id] = max(hit.confidence, best.get(hit.format_id, 0.0))
        return tuple(
            Label("secret", passage.place, self.name, form, confidence)
            for form, confidence in best.items()
        )
