"""Everything decided about a request before its first byte: pure, and where `explain` stops."""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.decision import Target, Unfit, Verdict
from halfdoor.canon.labels import Label
from halfdoor.canon.money import FREE
from halfdoor.canon.request import Actor, Kind, Request
from halfdoor.canon.scene import Scene
from halfdoor.decide.budgets import BUDGET, Afforded, Due, afford, longest, told
from halfdoor.decide.names import Candidates
from halfdoor.decide.plans import PLAN, Covered, halted, under_plans
from halfdoor.decide.policy import decide
from halfdoor.decide.route import busy, unwell
from halfdoor.decide.staying import Stayed, stayed
from halfdoor.decide.windows import Fitted, fitted
from halfdoor.detect.survey import Found
from halfdoor.flow import tries
from halfdoor.flow.choosing import Choice, allowed, choose, ordered, worded
from halfdoor.flow.house import House
from halfdoor.reading.tokens import Prompt, Size

_FILES = "files"
# Places of labels that say where files really are.
PLACED = frozenset({"paths", "project"})
# What stands in an exclusion instead of a label where money is the reason.
MONEY = frozenset({BUDGET, PLAN})


class Weighed(Struct, frozen=True):
    """All that was decided about one request.

    dues: what a call costs at most, by target, where budgets or plans are in force. budget: which
        budgets are nearly used up, in words. plans: how full is the plan of each target, in words.
    held: its stream reaches the caller complete or not at all.
    stayed: whether its session stays with the model that has its prompt.
    tries: calls that its turn may make at models that fail it. tired: it has made them.
    wanted: who would be asked in which order if all were well, idle and paid for; () where nobody
        was put aside. tried: who was asked already and failed it, each with how.
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
    wanted: tuple[Target, ...] = ()
    tried: tuple[tuple[str, str], ...] = ()

    def instead_of(self, target: Target) -> tuple[tuple[str, str], ...]:
        """Models that would have been asked before this one, each with why it did not answer."""
        names = [each.name for each in self.wanted]
        before = self.wanted[: names.index(target.name)] if target.name in names else self.wanted
        aside = {each.name: why for each in before if (why := self._aside(each))}
        return tuple((aside | dict(self.tried)).items())

    def _aside(self, target: Target) -> str:
        """Why a permitted target was put behind others or left out, "" if it was not."""
        name = target.name
        for held in self.verdict.excluded:
            if held.target == name and held.label in MONEY:
                return f"{held.label} {held.rule}"
        if any(unfit.target == name for unfit in self.unfit):
            return "too long"
        if how := unwell(target, self.scene):
            return how.said
        return "failed this turn" if name in self.scene.failed else busy(target, self.scene)

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
    may = worded(decide(allowed(who, choice), labels, house.book), choice)
    covered, afforded = _afforded(may, request, actor, choice, house)
    verdict = afforded.verdict
    fits = fitted(request, ordered(verdict, choice, house), scene.windows, choice.prompt)
    looping = bool(choice.latched)
    stays = stayed(fits.targets, choice.situation, choice.name, looping=looping)
    targets, verdict = halted(stays.targets, covered, verdict)
    if request.kind is Kind.COUNT:
        targets = _counting(request, targets)
    left = tries.left(targets, scene)
    first = next((target.name for target in (*left, *verdict.permitted)), "")
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
        told(afforded.dues.get(first), house.budgets, scene.spending),
        request.stream and (request.hold or actor.tool in house.hold_for),
        fits.unfit,
        fits.of,
        covered.told,
        tries.limit(targets),
        bool(targets) and not left,
        _wanted(may, verdict, fits, choice, house),
    )


def _wanted(
    may: Verdict, verdict: Verdict, fits: Fitted, choice: Choice, house: House
) -> tuple[Target, ...]:
    """See `Weighed.wanted`. may: the verdict before money was counted."""
    scene = choice.situation.scene
    unpaid = {held.target: held.label for held in verdict.excluded if held.label in MONEY}
    aside = scene.unwell or scene.failed or fits.unfit or unpaid
    if not aside and not any(busy(target, scene) for target in fits.targets):
        return ()
    paid = {target.name: target for target in verdict.permitted}
    wanted = tuple(
        replace(target, price=FREE)
        if unpaid.get(target.name) == PLAN
        else paid.get(target.name, target)
        for target in may.permitted
    )
    calm = replace(choice.situation, scene=replace(scene, unwell={}, queues={}))
    return ordered(replace(may, permitted=wanted), replace(choice, situation=calm), house)


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
