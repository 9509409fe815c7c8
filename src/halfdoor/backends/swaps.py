"""Which models an engine has loaded, as far as this process can tell. Pure.

An engine that is asked for a model that it has not loaded may put out the one that it has: the new
one takes half a minute to load, and what the old one was answering is lost or slow. What the engine
said is joined with what was asked of it since: who begins is loaded from then on. What was loaded
together once has room together, so one of it may be loaded beside the others.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

_LATEST: Final = ":latest"
# Of sets of models that were loaded together so many are remembered, the newest.
_MOST: Final = 16


class Models:
    """What an engine has loaded; nothing is known of one that never swaps or does not say."""

    def __init__(self) -> None:
        self._loaded: frozenset[str] | None = None
        self._together: dict[frozenset[str], None] = {}
        self._busy: Counter[str] = Counter()
        self._swapped_s = float("-inf")
        self._loading = ""

    @property
    def busy(self) -> tuple[str, ...]:
        """Those that answer now."""
        return tuple(self._busy)

    @property
    def ready(self) -> frozenset[str] | None:
        """Those that can answer without another being put out; None where all can."""
        if self._loaded is None or not self._busy:
            return self._loaded
        busy = self._busy.keys()
        return self._loaded.union(*(each for each in self._together if busy <= each))

    def tell(self, loaded: Iterable[str] | None, asked_s: float) -> None:
        """What the engine said. asked_s: when it was asked.

        What is older than a swap is void, and what was said while its model was still being loaded.
        """
        if loaded is None:
            self._loaded = None
            return
        said = _names(loaded)
        still_loading = self._loading in self._busy and self._loading not in said
        if asked_s > self._swapped_s and not still_loading:
            self._loaded = said | _names(self._busy)
            self._remember(said)

    def here(self, model: str) -> bool:
        """Can it answer without another being put out?"""
        return (ready := self.ready) is None or model in ready

    def free(self, model: str) -> bool:
        """May it be loaded without putting out one that answers?"""
        return self.here(model) or all(each == model for each in self._busy)

    def begin(self, model: str, now_s: float) -> None:
        """It answers from now on."""
        if self._loaded is not None and model not in self._loaded:
            # Whatever else was loaded may be gone; the engine tells when it is asked again.
            kept = self._loaded if self.here(model) and self._busy else _names(self._busy)
            self._loaded = kept | _names((model,))
            self._swapped_s, self._loading = now_s, model
        self._busy[model] += 1

    def end(self, model: str) -> None:
        """One of its answers is over."""
        self._busy[model] -= 1
        if not self._busy[model]:
            del self._busy[model]

    def _remember(self, said: frozenset[str]) -> None:
        self._together.pop(said, None)
        self._together[said] = None
        if len(self._together) > _MOST:
            del self._together[next(iter(self._together))]


def _names(models: Iterable[str]) -> frozenset[str]:
    """Ids, with and without the tag that Ollama adds."""
    plain = {each.removesuffix(_LATEST) for each in models}
    return frozenset(plain | {f"{each}{_LATEST}" for each in plain})
