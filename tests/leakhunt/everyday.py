"""Three hundred and more harmless requests of every kind: at most three may be held back."""

import random
from itertools import islice
from typing import Final

from tests.leakhunt import harmless
from tests.leakhunt.canaries import Canary
from tests.leakhunt.ground import Ground, ask_for, variants
from tests.leakhunt.search import Finder
from tests.leakhunt.tally import Leak, Tally

REQUESTS: Final = 400
MOST_HELD: Final = 3


async def hunt(ground: Ground, planted: tuple[Canary, ...], tally: Tally, *, seed: int = 1) -> None:
    """Each must be answered by the cloud; what is held is told with its kind and label."""
    chance = random.Random(seed)
    finder = Finder({canary.name: canary.needle for canary in planted})
    forms = list(variants())
    ground.cloud.take()
    for number, (kind, text) in enumerate(islice(harmless.texts(chance), REQUESTS)):
        dialect, stream, asked = forms[number % len(forms)]
        ask = ask_for(dialect, asked, stream=stream)
        ask.headers["x-claude-code-session-id"] = harmless.session(chance)
        harmless.fill(ask, text, chance)
        answer = await ground.send(ask)
        came = ground.cloud.take()
        tally.bytes_searched += len(came)
        tally.everyday[kind] += 1
        if answer.zone != "cloud" or not came:
            rule = answer.headers.get("x-halfdoor-rule", "none")
            tally.everyday_held.append(f"{kind}, {dialect}: {answer.status}, rule {rule}")
        tally.leaks += [Leak(f"around {kind}", trace.needle) for trace in finder.find(came)]
        ground.reset()
