"""The model name that a tool asks for → the cards that may answer it."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.cards import Alias, Card, Terms
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Listed, Price
from halfdoor.canon.request import Kind
from halfdoor.errors import ClientError
from halfdoor.reading.addresses import sent_on

AUTO: Final = "auto"
AS_ASKED: Final = "*"
# Claude Code takes up only names that begin with `claude` or `anthropic`; measured, see
# docs/reference/clients.md. What follows is a card's own name, or `auto`.
DISCOVERED: Final = "claude-halfdoor-"
_LATEST: Final = ":latest"
# No name here is longer, and guessing takes the square of it.
_GUESSED_CHARS: Final = 200
# Tools ask for few names, again and again.
_NAMES_KEPT: Final = 256
_UNSTATED: Final = Price()


class Candidates(Struct, frozen=True):
    """Targets in order of preference, before any rule.

    known: the name as the log may show it: a card's, an alias's pattern, or `auto`.
    explicit: one model was asked for by its own name; nobody else may answer.
    """

    targets: tuple[Target, ...]
    known: str
    explicit: bool


def unlisted(_backend: str, _model_id: str) -> Listed:
    """No list at all."""
    return Listed()


class Names:
    """Who stands behind each name, with prices; a name that was asked for before is remembered.

    listed: a model in the public price lists, by backend and id.
    """

    def __init__(
        self,
        cards: Sequence[Card],
        aliases: Sequence[Alias],
        listed: Callable[[str, str], Listed] = unlisted,
    ) -> None:
        self._cards = cards
        self._aliases = aliases
        self._listed = listed
        self._known = lru_cache(maxsize=_NAMES_KEPT)(self._find)

    def candidates(self, asked: str, kind: Kind = Kind.CHAT, own: str = "") -> Candidates:
        """See `candidates`; raises what it raises."""
        find = self._known if len(asked) <= _GUESSED_CHARS else self._find
        return find(asked, kind, own)

    def widened(self, who: Candidates, found: Mapping[tuple[str, str], Zone]) -> Candidates:
        """See `widened`; what was stated of the place where they are not is asked of the lists."""
        return quoted(widened(who, found), self._listed) if found else who

    def _find(self, asked: str, kind: Kind, own: str) -> Candidates:
        return quoted(candidates(asked, self._cards, self._aliases, kind, own), self._listed)


def candidates(
    asked: str,
    cards: Sequence[Card],
    aliases: Sequence[Alias],
    kind: Kind = Kind.CHAT,
    own: str = "",
) -> Candidates:
    """Resolve a name: a card's own, then `auto`, then the first alias that matches, then an id.

    Before one of the first two may stand `DISCOVERED`.
    kind: what is asked for; a card that cannot do it is no candidate. own: a dialect whose models
    that chat are asked too, where no other can, see `Request.of_chat`.
    Raises ClientError (`model_not_found`) with the nearest names.
    """
    found = _resolved(asked, cards, aliases)
    wanted = Kind.CHAT if kind is Kind.COUNT else kind
    able = {card.name for card in cards if wanted in card.kinds}
    targets = tuple(target for target in found.targets if target.name in able)
    if own and not targets:
        chats = {card.name for card in cards if card.dialect == own and Kind.CHAT in card.kinds}
        targets = tuple(target for target in found.targets if target.name in chats)
    if found.targets and not targets:
        raise _unable(asked, wanted, able)
    # INVARIANT: numbers of two models do not compare, so an embedding has one candidate.
    if wanted is Kind.EMBEDDING and len(targets) > 1:
        raise _ambiguous(asked, targets)
    return Candidates(targets, found.known, explicit=found.explicit)


def _resolved(asked: str, cards: Sequence[Card], aliases: Sequence[Alias]) -> Candidates:
    by_name = {card.name: card for card in cards}
    if asked in by_name:
        return _explicit(by_name[asked], asked)
    if asked == AUTO:
        return Candidates(_targets(cards, ""), AUTO, explicit=False)
    own = asked.removeprefix(DISCOVERED)
    if own != asked and (own in by_name or own == AUTO):
        return _resolved(own, cards, aliases)
    for alias in aliases:
        if fnmatchcase(asked, alias.match):
            chosen = [by_name[name] for name in alias.choose]
            return Candidates(_targets(chosen, asked), alias.match, explicit=False)
    owners = [card for card in cards if card.model_id == asked]
    if len(owners) == 1:
        return _explicit(owners[0], asked)
    if asked.endswith(_LATEST):  # how Ollama's clients write a name without a tag
        return _resolved(asked.removesuffix(_LATEST), cards, aliases)
    raise _unknown(asked, cards, aliases)


def target(card: Card, asked: str) -> Target:
    """The target that a card becomes for the name asked.

    INVARIANT: never nearer than where the engine itself sends that model's requests.
    """
    model_id = asked if card.model_id == AS_ASKED else card.model_id
    zone = Zone.CLOUD if sent_on(model_id) else card.zone
    return Target(
        name=card.name,
        backend=card.backend,
        model_id=model_id,
        zone=zone,
        dialect=card.dialect,
        vendor=card.vendor,
        max_output_tokens=card.max_output_tokens,
        context_tokens=card.context_tokens,
        client_credentials=card.client_credentials,
        effort=card.effort,
        fixed_sampling=card.fixed_sampling,
        fim=card.fim,
        # What was stated about an engine says nothing about where it sends a request on to.
        terms=card.terms if zone is card.zone else Terms(),
        price=card.price if zone is card.zone else Price(),
        repair_tools=card.repair_tools,
    )


def widened(who: Candidates, found: Mapping[tuple[str, str], Zone]) -> Candidates:
    """The candidates where they were really found, see `Scene.widened`.

    INVARIANT: never nearer than they were, and without the promises of a place they are not in.
    """
    return replace(who, targets=tuple(_where_found(each, found) for each in who.targets))


def _where_found(target: Target, found: Mapping[tuple[str, str], Zone]) -> Target:
    one = found.get((target.backend, target.model_id), Zone.DEVICE)
    zone = max(one, found.get((target.backend, ""), Zone.DEVICE))
    if zone <= target.zone:
        return target
    return replace(target, zone=zone, terms=Terms(), price=Price())


def quoted(who: Candidates, listed: Callable[[str, str], Listed]) -> Candidates:
    """The candidates with what public lists ask for those whose price nobody stated.

    listed: a model's entry by its backend and id there.
    """
    if all(target.price != _UNSTATED for target in who.targets):
        return who
    return replace(who, targets=tuple(_quoted(each, listed) for each in who.targets))


def _quoted(target: Target, listed: Callable[[str, str], Listed]) -> Target:
    if target.price != _UNSTATED:
        return target
    found = listed(target.backend, target.model_id)
    return replace(target, price=found.price, priced_as=found.name)


def _targets(cards: Sequence[Card], asked: str) -> tuple[Target, ...]:
    """A card that sends on the name asked has no name to send when none was asked."""
    return tuple(target(card, asked) for card in cards if asked or card.model_id != AS_ASKED)


def _explicit(card: Card, asked: str) -> Candidates:
    if card.model_id == AS_ASKED:
        raise ClientError(
            f"model `{card.name}` sends on the name that is asked for, so it needs one",
            code="model_not_found",
            hint=f"ask for the model as `{card.vendor}` calls it",
        )
    return Candidates((target(card, asked),), card.name, explicit=True)


def _unable(asked: str, kind: Kind, able: set[str]) -> ClientError:
    others = ", ".join(f"`{name}`" for name in sorted(able))
    known = f"ask for one that is: {others}; or give" if able else "give"
    return ClientError(
        f"no model behind `{asked[:80]}` is configured for {kind.value}s",
        code="model_not_found",
        hint=f'{known} a model that can do it `kinds = ["{kind.value}"]` under [[models]]',
    )


def _ambiguous(asked: str, targets: Sequence[Target]) -> ClientError:
    names = " and ".join(f"`{target.name}`" for target in targets)
    return ClientError(
        f"{names} both stand behind `{asked[:80]}`, and their embeddings do not compare",
        code="ambiguous_model",
        hint="ask for one of them by its own name",
    )


def _unknown(asked: str, cards: Sequence[Card], aliases: Sequence[Alias]) -> ClientError:
    names = [card.name for card in cards] + [AUTO]
    near = difflib.get_close_matches(asked[:_GUESSED_CHARS], names, n=1)
    patterns = ", ".join(f"`{alias.match}`" for alias in aliases) or "none"
    known = ", ".join(f"`{name}`" for name in names)
    guess = f"did you mean `{near[0]}`? " if near else ""
    return ClientError(
        f"no model here answers to `{asked[:80]}`",
        code="model_not_found",
        hint=f"{guess}models: {known}; [[names]] patterns: {patterns}",
    )
