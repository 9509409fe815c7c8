"""Everything decided about a request before its first byte: pure, and where `explain` stops."""

from msgspec import Struct

from halfdoor.canon.decision import Target, Verdict
from halfdoor.canon.labels import Label
from halfdoor.canon.request import Actor, Kind, Request
from halfdoor.canon.scene import Scene
from halfdoor.decide.names import Candidates, candidates, widened
from halfdoor.decide.policy import decide
from halfdoor.decide.route import plan
from halfdoor.detect.survey import Found
from halfdoor.flow.house import House


class Weighed(Struct, frozen=True):
    """All that was decided about one request."""

    request: Request
    actor: Actor
    scene: Scene
    found: Found
    labels: tuple[Label, ...]
    candidates: Candidates
    verdict: Verdict
    targets: tuple[Target, ...]


def weigh(request: Request, actor: Actor, found: Found, scene: Scene, house: House) -> Weighed:
    """Labels, verdict and plan of one request. Raises ClientError for an unknown model."""
    labels = (*found.labels, *scene.remembered)
    who = candidates(request.model, house.cards, house.aliases, request.kind)
    who = widened(who, scene.widened) if scene.widened else who
    verdict = decide(who, labels, house.book)
    latched = scene.latched if found.returning else ""
    targets = plan(verdict, scene, house.strategy, latched=latched)
    if request.kind is Kind.COUNT:
        targets = _counting(request, targets)
    return Weighed(request, actor, scene, found, labels, who, verdict, targets)


def _counting(request: Request, targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Whom to ask for a count: who would be asked first, if that one counts in this dialect."""
    return tuple(target for target in targets[:1] if target.dialect == request.dialect)
