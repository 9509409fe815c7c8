"""Everything the pure core may know about now."""

from collections.abc import Mapping

from msgspec import Struct

from halfdoor.canon.labels import Label, Zone
from halfdoor.canon.money import Spending


class Repository(Struct, frozen=True):
    """A checkout that rules may speak of as `repo:<name>`.

    root: its folder, absolute or from `~/`. branch: a glob over the branch that is checked out,
    "" for any.
    """

    name: str
    root: str
    branch: str = ""


class Placed(Struct, frozen=True):
    """Where the paths that a request names lead.

    real: absolute real paths, where they are not what was named. repositories: names of those that
    the project's root, or any named path, lies in.
    whole: False when some path could not be followed; then it may lead anywhere.
    """

    real: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    whole: bool = True


class Unwell(Struct, frozen=True):
    """A model, or a backend as a whole, that failed a moment ago.

    said: how (`429`, `timeout` …). for_ms: so long others are asked instead.
    """

    said: str
    for_ms: int


class Depth(Struct, frozen=True):
    """An engine's queue as it stands. running, waiting: requests of this process.

    slots: answers at once; None where neither the configuration nor the engine says.
    overflow: from so many that wait, others go first; None where nobody goes elsewhere for it.
    others: requests that the engine had from others, and behind: requests that waited inside of it,
        when it was last asked; 0 where it does not say.
    loaded: ids of the models that can answer without another being put out; None where the engine
        never swaps, or does not say.
    busy: ids of the models that it answers with now.
    """

    slots: int | None
    running: int
    waiting: int
    overflow: int | None = None
    others: int = 0
    behind: int = 0
    loaded: frozenset[str] | None = None
    busy: tuple[str, ...] = ()

    @property
    def waits(self) -> int:
        """How many wait, here and in the engine."""
        return self.waiting + self.behind

    @property
    def overflows(self) -> bool:
        """Do as many wait as should?"""
        full = self.slots is not None and self.running + self.others >= self.slots
        return self.overflow is not None and (
            (full or self.behind > 0) and self.waits >= self.overflow
        )

    def swaps(self, model_id: str) -> bool:
        """Would this model have to wait for another one that answers now?"""
        if self.loaded is None or model_id in self.loaded:
            return False
        return any(each != model_id for each in self.busy)


class Place(Struct, frozen=True):
    """Where somebody stands who waits: 1 is next, `of` wait in all."""

    position: int
    of: int


class Pin(Struct, frozen=True, array_like=True):
    """Who answered a session last, and by which route the ask went there ("" for none).

    tokens: of the request, estimated here: no backend's count moves a session. 0 unknown.
    came: the route by which the session came to this model. home: the model that it only visits
    this one from, "" for none. moved: it has moved once of its own will. See `decide/staying.py`.
    """

    model: str
    route: str
    at_ms: int
    tokens: int = 0
    came: str = ""
    home: str = ""
    moved: bool = False


class Scene(Struct, frozen=True):
    """Given once per exchange, in answer to `Begin`.

    id: the exchange's id, sortable by time: `hd_` and 26 lower-case Crockford base-32 digits.
    now_ms: Unix time in milliseconds. draw: one random number in [0, 1).
    remembered: labels that travel with text seen before, or with the session (promise 5).
    session: short name of the session whose floor is among them, "" if there is none.
    latched: the card that made the calls or thinking this request returns to, "" if none.
    widened: where models were found that are wider than their claim, by backend and model id; a
        backend as a whole under the id "".
    windows: tokens of one request as engines have their models loaded, by backend and model id; by
        the id `*` for an engine that has one model under every name.
    origins: vendor that made each known thinking signature, by the signature's print.
    unwell: what just failed, by backend and model id; a backend as a whole under the id "".
    queues: of the backends that have one.
    spending: of the purses that `Begin` names.
    failed: models that failed this very turn a moment ago, one for each call.
    pin: who answered this agent's part of the session last, None if nobody is known.
    real, repositories, traced: see `Placed`, where `traced` is `whole`.
    """

    id: str
    now_ms: int
    draw: float = 0.0
    remembered: tuple[Label, ...] = ()
    latched: str = ""
    origins: dict[bytes, str] = {}
    widened: dict[tuple[str, str], Zone] = {}
    real: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    traced: bool = True
    session: str = ""
    spending: Spending = Spending()
    unwell: Mapping[tuple[str, str], Unwell] = {}
    queues: Mapping[str, Depth] = {}
    windows: Mapping[tuple[str, str], int] = {}
    pin: Pin | None = None
    failed: tuple[str, ...] = ()
