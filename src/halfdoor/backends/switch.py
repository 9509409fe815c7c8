"""The switch between online and offline, in a gateway that runs: it goes one way only.

`halfdoor offline on` makes a file, and every process of the gateway looks for it with each request:
no signal, no restart, no port. What removes the file is noticed by nobody before the next start.
"""

import asyncio
from pathlib import Path
from typing import Final

from halfdoor.backends import guard
from halfdoor.canon.rules import Rule
from halfdoor.config.offline import COMMAND, flag, flagged, offline_rule

# A process that serves nothing at the moment looks this often.
LOOK_S: Final = 0.25


class Switch:
    """One process's view of the flag in the state directory.

    said: who said offline at the start, "" if nobody did; the house has the rule then already.
    """

    def __init__(self, state_dir: Path, said: str = "") -> None:
        self._place = str(flag(state_dir))
        self._rules: tuple[Rule, ...] = ()
        self.offline = bool(said)
        if said:
            guard.go_offline()

    def rules(self) -> tuple[Rule, ...]:
        """What is added to the rules for a request that comes now; the guard is shut with it.

        INVARIANT: once offline, offline until the process ends: loosening is for a restart.
        """
        if not self.offline and (guard.is_offline() or flagged(self._place)):
            self.offline = True
            self._rules = (offline_rule(COMMAND),)
            guard.go_offline()
        return self._rules

    async def watch(self) -> None:
        """Look again and again, so that an idle process cannot miss a flag that is removed."""
        while not self.offline:
            self.rules()
            await asyncio.sleep(LOOK_S)
