"""Keys in every place, in every way: nothing of such a request may reach the cloud, its twin must."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.helpers.asks import written
from tests.leakhunt.canaries import Canary, keys
from tests.leakhunt.ground import Ground, ask_for, variants
from tests.leakhunt.places import PLACES, Place
from tests.leakhunt.search import Finder
from tests.leakhunt.tally import Leak, Tally
from tests.leakhunt.ways import DEPTH, WAYS, Way

# The twin of a key: as long as one, and as plain as can be.
PLAIN = "the parser keeps its state in one small object"


@dataclass(frozen=True, slots=True)
class Case:
    """One key in one place, dressed in one way."""

    canary: Canary
    place: Place
    way: Way
    dialect: str
    stream: bool
    asked: str

    def __str__(self) -> str:
        form = "streamed" if self.stream else "whole"
        asked = f"{self.dialect} {form} to {self.asked}"
        return f"{self.canary.name} in {self.place.name}, as {self.way.name}: {asked}"

    def ask(self, text: str):
        """The request with this text where the key goes."""
        ask = ask_for(self.dialect, self.asked, stream=self.stream)
        self.place.plant(ask, self.way.dress(text))
        return ask


def possible(case: Case) -> bool:
    """Is there such a request, and is it within what is promised to be read through?"""
    if case.dialect not in case.place.dialects or case.place.depth + case.way.depth > DEPTH:
        return False
    dressed = case.way.dress(case.canary.text)
    if case.way.name == "Markdown escapes" and "_" not in case.canary.text:
        return False
    return not case.place.flat or (dressed.isascii() and dressed.isprintable())


def cases(seed: int) -> Iterator[Case]:
    """Every possible case; the forms of keys take turns, so that each meets each place and way."""
    planted = keys(random.Random(seed))
    number = seed
    for place in PLACES:
        for way in WAYS:
            for dialect, stream, asked in variants():
                number += 1
                for turn in range(len(planted)):
                    canary = planted[(number + turn) % len(planted)]
                    case = Case(canary, place, way, dialect, stream, asked)
                    if possible(case):
                        yield case
                        break


async def hunt(ground: Ground, chosen: list[Case], tally: Tally) -> None:
    """Twin, key, twin, key …, and a last twin. Everything that comes to the cloud is searched."""
    finder = Finder({canary.name: canary.needle for canary in {case.canary for case in chosen}})
    ground.cloud.take()
    for case in chosen:
        await control(ground, case, finder, tally)
        await held(ground, case, finder, tally)
    if chosen:
        await control(ground, chosen[-1], finder, tally)


async def control(ground: Ground, case: Case, finder: Finder, tally: Tally) -> None:
    """The same request with plain words in the place of the key."""
    ask = case.ask(PLAIN) if case.place.twin else ask_for(case.dialect, case.asked, stream=False)
    answer = await ground.send(ask)
    came = ground.cloud.take()
    tally.controls += 1
    tally.bytes_searched += len(came)
    if answer.zone != "cloud" or not came:
        told = answer.body[:200].decode("utf-8", "replace")
        tally.held.append(f"the twin of {case}: {answer.status} {told}")
    for trace in finder.find(came):
        tally.leaks.append(Leak(f"around {case}", f"{trace.needle} by {trace.how}"))


async def held(ground: Ground, case: Case, finder: Finder, tally: Tally) -> None:
    """The key itself. It must be in the request, and not a byte may come to the cloud."""
    ask = case.ask(case.canary.text)
    lines = "".join(f"{name}: {value}\r\n" for name, value in ask.headers.items())
    sent = f"POST {ask.target('')} HTTP/1.1\r\n{lines}\r\n".encode() + written(ask)
    if case.canary.name not in {trace.needle for trace in finder.find(sent)}:
        tally.unplanted.append(str(case))
    await ground.send(ask)
    judge(ground, str(case), finder, tally, empty=not case.place.dropped)
    tally.tried["key", case.place.name, case.way.name, case.dialect] += 1


def judge(ground: Ground, case: str, finder: Finder, tally: Tally, *, empty: bool = True) -> None:
    """Not one byte may have come; or, unless `empty`, nothing of a canary."""
    came = ground.cloud.take()
    tally.bytes_searched += len(came)
    traces = [f"{trace.needle} by {trace.how or 'plain sight'}" for trace in finder.find(came)]
    if traces or (came and empty):
        tally.leaks.append(Leak(case, f"{len(came)} bytes; {traces}"))
    ground.reset()
