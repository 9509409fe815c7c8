"""What a backend counted of a prompt, beside what it was sent: it may have read only a part."""

from typing import Final

from halfdoor.canon.commands import Headers, Learnt
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.flow.house import House
from halfdoor.flow.weighing import Weighed
from halfdoor.reading.tokens import Size, cut_short

TRUNCATED: Final = "truncated"


class Counting:
    """The counts of one exchange."""

    def __init__(self, weighed: Weighed, house: House) -> None:
        self._weighed = weighed
        self._scales = house.scales

    @property
    def foreseen(self) -> int:
        """Tokens of the prompt for the first target, estimated; 0 where nobody is asked."""
        targets = self._weighed.targets
        return self._expected(targets[0]) if targets else 0

    def _expected(self, target: Target) -> int:
        weighed = self._weighed
        if weighed.of is None:
            return 0
        return self._scales.expected(target.name, weighed.request.session, weighed.of)

    def notice(self, target: Target, learnt: Learnt) -> Headers:
        """Headers for an answer whose first byte goes out now, with what is known of it by now."""
        if not self._short(target, learnt):
            return ()
        counted = learnt.usage.input_tokens if learnt.usage else 0
        said = f"{counted} of about {self._expected(target)} tokens were read"
        return (("x-halfdoor-truncated", said),)

    def settled(self, target: Target, learnt: Learnt) -> tuple[str, ...]:
        """The answer is over: what must be known of it. What was counted is learnt from.

        INVARIANT: a count of half a prompt teaches nothing, or the next would seem to fit.
        """
        if self._short(target, learnt):
            return (TRUNCATED,)
        weighed = self._weighed
        if learnt.usage is not None and weighed.of is not None:
            session, counted = weighed.request.session, learnt.usage.input_tokens
            self._scales.learn(target.name, session, weighed.of, counted)
        return ()

    def _short(self, target: Target, learnt: Learnt) -> bool:
        """Only engines cut off without a word; a vendor may leave out what it was asked to."""
        weighed = self._weighed
        if weighed.of is None or learnt.usage is None or target.zone is Zone.CLOUD:
            return False
        text = Size(weighed.of.text)  # a picture may cost an engine next to nothing
        expected = self._scales.expected(target.name, weighed.request.session, text)
        return cut_short(learnt.usage.input_tokens, expected, target.context_tokens)
