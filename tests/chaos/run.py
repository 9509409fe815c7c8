"""One chaos run: a gateway, its backends, its tools, a schedule of faults, and what must hold."""

import asyncio
import random
import signal
import struct
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos import hosted
from tests.chaos.agents import Agent, Diary, agents
from tests.chaos.evidence import Found, judged
from tests.chaos.schedule import Fault
from tests.chaos.sky import Sky
from tests.helpers.disk import SmallDisk
from tests.helpers.ports import free_port
from tests.helpers.serving import Serving

# After the last fault every session must be able to go on within this.
CALM_S: Final = 20.0
# Files that a gateway opens when it first needs them.
OPENED_LATER: Final = 6


@dataclass
class Result:
    """found: what must not be. The rest is counted."""

    found: list[str] = field(default_factory=list)
    faults: int = 0
    evidence: Found = field(default_factory=Found)


class Chaos:
    """folder: for the gateway's home. each: tools of each kind. program: what hosts the gateway."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        faults: Sequence[Fault],
        *,
        each: int = 2,
        program: Path = Path(hosted.__file__),
    ) -> None:
        self._folder = folder
        self._seed = seed
        self._faults = faults
        self._each = each
        self._program = program
        self._diary = Diary()
        self._killed: set[int] = set()
        self._people: list[Agent] = []
        self._clock = folder / "clock"
        self._full = False
        self._offset_ms = 0

    async def run(self) -> Result:
        """All of it; what is found is told, not raised."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._set_clock(0)
        async with AsyncExitStack() as stack:
            self._disk = await asyncio.to_thread(
                stack.enter_context, SmallDisk(self._folder / "disk")
            )
            self._sky = await asyncio.to_thread(stack.enter_context, Sky(self._seed))
            self._gateway = await asyncio.to_thread(self._made)
            stack.push_async_callback(asyncio.to_thread, self._gateway.kill)
            await asyncio.to_thread(self._gateway.start)
            return await self._lived()

    async def _lived(self) -> Result:
        result = Result(faults=len(self._faults))
        before = await self._held()
        over = asyncio.Event()
        chance = random.Random(self._seed)
        people = self._people = agents(self._gateway.url, self._diary, chance, self._each)
        working = [asyncio.create_task(each.work(over)) for each in people]
        try:
            await self._play()
            self._must_live("after the last fault")
            over.set()
            await asyncio.gather(*working)
            result.found += await self._calm(people)
        except AssertionError as error:
            result.found.append(str(error))
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            for each in people:
                await each.close()
        result.found += await self._ended(before)
        said = await asyncio.to_thread(self._gateway.said.read_text)
        if "Traceback" in said or "in an exchange" in said:
            result.found.append(f"the gateway said: {said[-1500:]}")
        result.evidence = await asyncio.to_thread(
            judged, self._gateway.state, self._diary, self._sky, self._killed
        )
        result.found += result.evidence.faults
        return result

    async def _ended(self, before: tuple[int, int]) -> list[str]:
        found = await self._left(before)
        try:
            await self._end(signal.SIGTERM, "at the end")
        except AssertionError as error:
            found.append(str(error))
        return found

    # --- the faults ---

    async def _play(self) -> None:
        """Fault after fault, at its time or as soon as the one before has been done."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        ending: list[asyncio.Task[None]] = []
        try:
            for fault in self._faults:
                await asyncio.sleep(max(0.0, begun + fault.at_s - loop.time()))
                await self._begin(fault)
                if fault.for_s:
                    ending.append(asyncio.create_task(self._end_later(fault)))
        finally:  # a backend comes back before the sky closes, also when a fault was one too many
            await asyncio.gather(*ending)

    async def _begin(self, fault: Fault) -> None:
        self._must_live(f"before fault {fault.number} ({fault.kind})")
        match fault.kind:
            case "weather" | "dead":
                await asyncio.to_thread(self._sky.begins, fault.whom, fault.way)
            case "clock":
                self._set_clock(self._offset_ms + int(fault.way))
            case "disk":
                await self._fill(full=True)
            case "restart":
                await self._fill(full=False)
                await self._again(signal.SIGTERM, fault)
            case "kill":
                await self._fill(full=False)
                self._note_killed()
                await self._again(signal.SIGKILL, fault)
                self._note_killed()

    def _note_killed(self) -> None:
        """An answer's last byte comes before its outcome: a turn that is just over counts, too."""
        for each in self._people:
            self._killed.update(each.recent)

    async def _end_later(self, fault: Fault) -> None:
        await asyncio.sleep(fault.for_s)
        if fault.kind == "disk":
            await self._fill(full=False)
        else:
            await asyncio.to_thread(self._sky.ends, fault.whom, fault.way)

    async def _fill(self, *, full: bool) -> None:
        if full != self._full:
            self._full = full
            change = self._disk.fill if full else self._disk.free
            await asyncio.to_thread(change, self._gateway.pid)

    async def _again(self, how: signal.Signals, fault: Fault) -> None:
        self._diary.stops += 1
        await self._end(how, f"fault {fault.number} ({fault.kind})")
        await asyncio.to_thread(self._gateway.start)
        self._diary.starts += 1

    def _must_live(self, step: str) -> None:
        assert self._gateway.lives, f"seed {self._seed}, {step}: halfdoor had ended by itself"

    async def _end(self, how: signal.Signals, step: str) -> None:
        code = await asyncio.to_thread(self._gateway.end, how)
        wanted = 0 if how is signal.SIGTERM else -how
        told = f"seed {self._seed}, {step}: halfdoor ended with {code} at {how.name}, not {wanted}"
        assert code == wanted, told

    def _set_clock(self, offset_ms: int) -> None:
        self._offset_ms = offset_ms
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write(struct.pack("q", offset_ms))

    # --- the gateway ---

    def _made(self) -> Serving:
        state = self._folder / "disk" / "state"
        server = {"listen": f"127.0.0.1:{free_port()}", "state_dir": str(state), "ping_s": 0.5}
        program = ("-P", str(self._program), str(self._clock))
        tables = {**self._sky.tables(), "server": server}
        return Serving(self._folder / "home", tables, state, program=program)

    async def _held(self) -> tuple[int, int]:
        """Open descriptors and tasks of the gateway; connections to backends are not counted."""
        descriptors = await asyncio.to_thread(_descriptors, self._gateway.pid)
        told = self._clock.with_name("clock.tasks")
        told.unlink(missing_ok=True)
        self._gateway.send(signal.SIGUSR1)
        for _ in range(200):
            if told.exists():
                return descriptors - self._sky.connections(), int(told.read_text())
            await asyncio.sleep(0.01)
        return descriptors, -1

    # --- what must hold while it runs, and after ---

    async def _calm(self, people: list[Agent]) -> list[str]:
        """The weather is fair: every session goes on, also those that a fault left in mid-loop."""
        try:
            async with asyncio.timeout(CALM_S):
                done = await asyncio.gather(*(each.ask() for each in people))
        except TimeoutError:
            return [f"sessions did not go on within {CALM_S} s"]
        bricked = [turn for turn in self._diary.turns.values() if turn.failed][-len(people) :]
        return [] if all(done) else [f"a session is bricked: {bricked[-1].failed}"]

    async def _left(self, before: tuple[int, int]) -> list[str]:
        """Nothing that a request held is held on. Who has ended holds nothing; `_end` tells how."""
        now = before
        for _ in range(40):
            if not self._gateway.lives:
                return []
            now = await self._held()
            if now[0] <= before[0] + OPENED_LATER and now[1] <= before[1]:
                return []
            await asyncio.sleep(0.05)
        return [f"descriptors and tasks were {before} and are {now}"]


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
