"""Which models an engine has loaded, as far as this process can tell. Pure.

An engine that is asked for a model that it has not loaded may put out the one that it has: the new
one takes half a minute to load, and what the old one was answering is lost or slow. What the engine
said is joined with what was asked of it since: who begins is loaded from then on.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

_LATEST: Final = ":latest"


class Models:
    """loaded: ids; None where the engine never swaps or does not say, and then all are."""

    def __init__(self) -> None:
        self.loaded: frozenset[str] | None = None
        self._busy: Counter[str] = Counter()
        self._swapped_s = float("-inf")
        self._loading = ""

    @property
    def busy(self) -> tuple[str, ...]:
        """Those that answer now."""
        return tuple(self._busy)

    def tell(self, loaded: Iterable[str] | None, asked_s: float) -> None:
        """What the engine said. asked_s: when it was asked.

        What is older than a swap is void, and what was said while its model was still being loaded.
        """
        if loaded is None:
            self.loaded = None
            return
        said = _names(loaded)
        still_loading = self._loading in self._busy and self._loading not in said
        if asked_s > self._swapped_s and not still_loading:
            self.loaded = said | _names(self._busy)

    def here(self, model: str) -> bool:
        """Is it loaded?"""
        return self.loaded is None or model in self.loaded

    def free(self, model: str) -> bool:
        """May it be loaded without putting out one that answers?"""
        return self.here(model) or all(each == model for each in self._busy)

    def begin(self, model: str, now_s: float) -> None:
        """It answers from now on."""
        self._busy[model] += 1
        if not self.here(model):
            # Whatever else was loaded may be gone; the engine tells when it is asked again.
            self.loaded = _names(self._busy)
            self._swapped_s, self._loading = now_s, model

    def end(self, model: str) -> None:
        """One of its answers is over."""
        self._busy[model] -= 1
        if not self._busy[model]:
            del self._busy[model]


def _names(models: Iterable[str]) -> frozenset[str]:
    """Ids, with and without the tag that Ollama adds."""
    plain = {each.removesuffix(_LATEST) for each in models}
    return frozenset(plain | {f"{each}{_LATEST}" for each in plain})
