"""Everything decided about a request before its first byte: pure, and where `explain` stops."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from halfdoor.canon.decision import Target, Unfit, Verdict
from halfdoor.canon.labels import Label
from halfdoor.canon.request import Actor, Kind, Request
from halfdoor.canon.scene import Scene
from halfdoor.decide.budgets import Afforded, Due, afford, longest
from halfdoor.decide.names import Candidates
from halfdoor.decide.plans import Covered, halted, under_plans
from halfdoor.decide.policy import decide
from halfdoor.decide.route import busy, unwell
from halfdoor.decide.staying import Stayed, stayed
from halfdoor.decide.windows import fitted
from halfdoor.detect.survey import Found
from halfdoor.flow import tries
from halfdoor.flow.choosing import Choice, allowed, choose, ordered, worded
from halfdoor.flow.house import House
from halfdoor.reading.tokens import Prompt, Size

_FILES = "files"
# Places of labels that say where files really are.
PLACED = frozenset({"paths", "project"})


class Weighed(Struct, frozen=True):
    """All that was decided about one request.

    dues: what a call costs at most, by target, where budgets or plans are in force. budget: which
        budgets are nearly used up, in words. plans: how full is the plan of each target, in words.
    held: its stream reaches the caller complete or not at all.
    stayed: whether its session stays with the model that has its prompt.
    tries: calls that its turn may make at models that fail it. tired: it has made them.
    unfit: permitted targets whose window it does not fit. of: how much there is of it, None where
    it is no prompt.
    """

    request: Request
    actor: Actor
    scene: Scene
    found: Found
    labels: tuple[Label, ...]
    candidates: Candidates
    verdict: Verdict
    targets: tuple[Target, ...]
    choice: Choice
    stayed: Stayed = Stayed(())
    dues: Mapping[str, Due] = {}
    budget: str = ""
    held: bool = False
    unfit: tuple[Unfit, ...] = ()
    of: Size | None = None
    plans: Mapping[str, str] = {}
    tries: int = tries.AT_LEAST
    tired: bool = False

    @property
    def passed_over(self) -> tuple[tuple[str, str], ...]:
        """Targets that come last because they have just failed, each with how it did.

        None where all have: then nobody was put before them.
        """
        if not self.scene.unwell:
            return ()
        found = [(t.name, how.said) for t in self.targets if (how := unwell(t, self.scene))]
        return tuple(found) if len(found) < len(self.targets) else ()

    @property
    def overflowed(self) -> tuple[tuple[str, str], ...]:
        """Targets that come after others because of what waits for them, each with how much."""
        if not self.scene.queues:
            return ()
        told = [(target.name, busy(target, self.scene)) for target in self.targets]
        free = next((at for at, (_, how) in enumerate(told) if not how), len(told))
        return tuple((name, how) for name, how in told[free:] if how)


def weigh(request: Request, actor: Actor, found: Found, scene: Scene, house: House) -> Weighed:
    """Labels, verdict and plan of one request. Raises ClientError for an unknown model."""
    labels = (*found.labels, *scene.remembered, *_placed(actor, found, scene, house))
    own = request.dialect if request.of_chat else ""
    who = house.names.candidates(request.model, request.kind, own)
    who = house.names.widened(who, scene.widened)
    prompt = Prompt(house.scales, request.session, found.size)
    choice = choose(request, actor, found, scene, who, house, prompt)
    verdict = worded(decide(allowed(who, choice), labels, house.book), choice)
    covered, afforded = _afforded(verdict, request, actor, choice, house)
    verdict = afforded.verdict
    fits = fitted(request, ordered(verdict, choice, house), scene.windows, choice.prompt)
    looping = bool(choice.latched)
    stays = stayed(fits.targets, choice.situation, choice.name, looping=looping)
    targets, verdict = halted(stays.targets, covered, verdict)
    if request.kind is Kind.COUNT:
        targets = _counting(request, targets)
    left = tries.left(targets, scene)
    return Weighed(
        request,
        actor,
        scene,
        found,
        labels,
        who,
        verdict,
        left,
        choice,
        stays,
        afforded.dues,
        afforded.told,
        request.stream and (request.hold or actor.tool in house.hold_for),
        fits.unfit,
        fits.of,
        covered.told,
        tries.limit(targets),
        bool(targets) and not left,
    )


def _afforded(
    verdict: Verdict,
    request: Request,
    actor: Actor,
    choice: Choice,
    house: House,
) -> tuple[Covered, Afforded]:
    """What plans pay for, and what budgets can. Counting tokens costs nothing anywhere."""
    free = request.kind is Kind.COUNT or not verdict.permitted
    if free or not (house.budgets or house.plans):
        return Covered(verdict), Afforded(verdict, {})
    spending, tokens = choice.situation.scene.spending, choice.prompt.most
    covered = Covered(verdict)
    if house.plans:
        takes = {t.name: tokens(t.name) + longest(request, t) for t in verdict.permitted}
        covered = under_plans(verdict, house.plans, spending.plans, takes)
    afforded = afford(
        covered.verdict,
        request,
        actor,
        house.budgets,
        spending,
        tokens,
        house.plans,
        covered.halting,
    )
    return covered, afforded


def _counting(request: Request, targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Whom to ask for a count: who would be asked first, if that one counts in this dialect."""
    return tuple(target for target in targets[:1] if target.dialect == request.dialect)


def _placed(actor: Actor, found: Found, scene: Scene, house: House) -> Iterator[Label]:
    """Labels of where files really are, whatever they are called."""
    if not house.book.places:
        return
    real = tuple(_from(path, actor.root) for path in scene.real)
    led = house.paths.matching(real)
    rooted = house.paths.rooted((*found.paths, *scene.real), actor.root)
    for glob in dict.fromkeys((*led, *rooted)):
        yield Label(f"path:{glob}", "paths", _FILES)
    for name in scene.repositories:
        if f"repo:{name}" in house.book.labels:
            yield Label(f"repo:{name}", "project", _FILES)
    if not scene.traced:
        # INVARIANT: a path that could not be followed may lead anywhere.
        yield Label("scan-failed", "paths", _FILES, "untraced")


def _from(path: str, root: str) -> str:
    """What lies in the project is named from its root: no rule is about the folders above it."""
    return path.removeprefix(f"{root}/") if root else path
