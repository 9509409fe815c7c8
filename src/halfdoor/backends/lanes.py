"""Who waits for an engine, session by session. Pure: no clock, no tasks.

Each session has a lane, and the lanes take turns: one tool that asks for fifty things does not keep
another waiting for all of them. Inside a lane the first comes first.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator


class Waiter:
    """One that waits. model: what it wants to be answered by. exchange: its id.

    held_s: since when another was let past, because this one's model is not loaded; None if never.
    """

    __slots__ = ("exchange", "held_s", "lane", "model")

    def __init__(self, lane: str, model: str, exchange: str = "") -> None:
        self.lane = lane
        self.model = model
        self.exchange = exchange
        self.held_s: float | None = None


class Lanes:
    """All that wait, in the order in which they will be served."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[str, dict[Waiter, None]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Waiter]:
        """As they will be served if nobody comes or goes, and every model is loaded."""
        lanes = [iter(tuple(lane)) for lane in self._lanes.values()]
        while lanes:
            left = []
            for lane in lanes:
                waiter = next(lane, None)
                if waiter is not None:
                    yield waiter
                    left.append(lane)
            lanes = left

    def add(self, waiter: Waiter) -> None:
        """Stand behind the others of its lane; a new lane stands behind the other lanes."""
        self._lanes.setdefault(waiter.lane, {})[waiter] = None
        self._count += 1

    def remove(self, waiter: Waiter) -> None:
        """Leave; nothing for one that does not wait."""
        lane = self._lanes.get(waiter.lane)
        if lane is None or waiter not in lane:
            return
        del lane[waiter]
        self._count -= 1
        if not lane:
            del self._lanes[waiter.lane]

    def take(self, fits: Callable[[Waiter], bool], now_s: float) -> Waiter | None:
        """Whose turn it is of those that fit; their lane is then the last one.

        now_s: noted at those that do not fit and come earlier.
        """
        for waiter in self._in_turn():
            if fits(waiter):
                self.remove(waiter)
                if waiter.lane in self._lanes:
                    self._lanes.move_to_end(waiter.lane)
                return waiter
            if waiter.held_s is None:
                waiter.held_s = now_s
        return None

    def longest_held(self) -> Waiter | None:
        """The one that was passed first."""
        held = [each for lane in self._lanes.values() for each in lane if each.held_s is not None]
        return min(held, key=lambda each: each.held_s or 0.0, default=None)

    def place(self, waiter: Waiter) -> int:
        """How many are served up to this one, itself counted: 1 for the next; 0 if it waits not."""
        lane = self._lanes.get(waiter.lane, {})
        if waiter not in lane:
            return 0
        round_ = next(at for at, each in enumerate(lane) if each is waiter)
        place, ahead = 0, 1
        for name, other in self._lanes.items():
            place += min(len(other), round_ + ahead)
            if name == waiter.lane:
                ahead = 0  # lanes behind it have had one turn less
        return place

    def _in_turn(self) -> Iterator[Waiter]:
        for lane in self._lanes.values():
            yield from lane
