"""What the log says of a performance, what the models say of it, and whether the two agree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.record import Attempt, LabelCount
from halfdoor.cli.demo.coding import KEY, RESTRICTED
from halfdoor.cli.demo.play import Answer, Played
from halfdoor.cli.demo.proof import Tampered, tamper, verified
from halfdoor.cli.demo.scenes import FAR, NEAR, SCENES, Scene
from halfdoor.record.audit import Report
from halfdoor.store.reader import Exchange, LogReader

ZONES: Final = {"cloud": FAR, "device": NEAR}
_PLANTED: Final = {"the AWS key": KEY, "payments/refund.py": RESTRICTED}
_DIALECTS: Final = {"openai_chat": "Chat", "anthropic_messages": "Messages"}
_SPEAKS: Final = {NEAR: "Chat", FAR: "Messages"}


class Told(Struct, frozen=True):
    """One exchange, as it is shown. refusal: what the tool was told instead of an answer.

    model, zone: who answered, "" for nobody. crossed, stayed: bytes sent to the cloud and to the
    device, by the log.
    """

    number: int
    title: str
    exchange: str
    status: int
    model: str
    zone: str
    crossed: int
    stayed: int
    reason: str
    refusal: str = ""


class Side(Struct, frozen=True):
    """One side of the door: calls and bytes by the log, and by the model that got them."""

    zone: str
    calls: int
    logged: int
    heard_calls: int
    heard: int


class Planted(Struct, frozen=True):
    """A text that must stay, and how many requests brought it to each model."""

    what: str
    device: int
    cloud: int


class Story(Struct, frozen=True):
    """Everything that is shown. held: bytes of requests that went nowhere.

    tampered_exchange: the number of the exchange whose record was changed in a copy.
    failures: what did not go as it must, in words; empty when the promises held.
    """

    url: str
    exchanges: tuple[Told, ...]
    sides: tuple[Side, ...]
    held: int
    planted: tuple[Planted, ...]
    log: Report
    tampered: Tampered
    tampered_exchange: int
    failures: tuple[str, ...]


def tell(played: Played, folder: Path) -> Story:
    """Read the log of a performance in `folder`, and try to cheat it."""
    state = folder / "state"
    with LogReader(state) as reader:
        records = [reader.exchange(answer.exchange) for answer in played.answers]
    exchanges = tuple(
        _told(number, *each)
        for number, each in enumerate(zip(SCENES, played.answers, records, strict=True), 1)
    )
    # Whoever would hide what left would make the largest number smaller.
    largest = max(exchanges, key=lambda told: told.crossed)
    story = Story(
        played.url,
        exchanges,
        tuple(_side(zone, model, records, played) for zone, model in ZONES.items()),
        sum(record.decided.body_bytes for record in records if not _attempts(record)),
        tuple(_planted(what, text, played.heard) for what, text in _PLANTED.items()),
        verified(state),
        tamper(state, folder / "copy", largest.exchange),
        largest.number,
        (),
    )
    return msgspec.structs.replace(story, failures=tuple(_failures(story, played)))


def _told(number: int, scene: Scene, answer: Answer, record: Exchange) -> Told:
    attempts = _attempts(record)
    answered = attempts[-1] if attempts and attempts[-1].result == "answered" else None
    return Told(
        number,
        scene.title,
        answer.exchange,
        answer.status,
        answered.model if answered else "",
        answered.zone if answered else "",
        _sent(attempts, "cloud"),
        _sent(attempts, "device"),
        "; ".join(_clauses(record)),
        "" if answered else _message(answer.body),
    )


def _clauses(record: Exchange) -> Iterator[str]:
    """Why it went as it did, the cause first."""
    decided, attempts = record.decided, _attempts(record)
    yield "; ".join(_found(label) for label in decided.labels) or "nothing found"
    if decided.rule:
        own = decided.rule in {label.label for label in decided.labels}
        yield f"{'its rule' if own else f'rule {decided.rule}'}: {decided.ceiling}"
    yield from (_failed(attempt) for attempt in attempts if attempt.result != "answered")
    if not attempts:
        yield "pinned, so nobody else"
    elif attempts[-1].result != "answered":
        yield from (f"{left.model} may not see it" for left in decided.excluded)
    elif len(attempts) > 1:
        yield f"next: {attempts[-1].model}"
    elif not decided.labels:
        yield _carried(attempts[0], _DIALECTS[decided.dialect])


def _carried(attempt: Attempt, dialect: str) -> str:
    if not attempt.edits:
        return f"{dialect} on both sides, passed on byte for byte"
    return f"{dialect} translated to {_SPEAKS[attempt.model]} and back"


def _found(label: LabelCount) -> str:
    detail = f" ({label.detail})" if label.detail else ""
    places = ", ".join("an earlier answer" if at == "answer" else at for at in label.places)
    return f"{label.label}{detail} in {places}"


def _failed(attempt: Attempt) -> str:
    if attempt.status:
        return f"{attempt.model} said {attempt.status}"
    return f"{attempt.model} died before its first byte"


def _attempts(record: Exchange) -> Sequence[Attempt]:
    return record.outcome.attempts if record.outcome else ()


def _sent(attempts: Iterable[Attempt], zone: str) -> int:
    return sum(attempt.sent_bytes for attempt in attempts if attempt.zone == zone)


def _message(body: bytes) -> str:
    """The words of an error, in either dialect's shape."""
    return str(msgspec.json.decode(body)["error"]["message"])


def _side(zone: str, model: str, records: Sequence[Exchange], played: Played) -> Side:
    attempts = [a for record in records for a in _attempts(record) if a.zone == zone]
    heard = played.heard[model]
    return Side(zone, len(attempts), _sent(attempts, zone), len(heard), sum(map(len, heard)))


def _planted(what: str, text: str, heard: Mapping[str, Sequence[bytes]]) -> Planted:
    def times(model: str) -> int:
        return sum(text.encode() in body for body in heard[model])

    return Planted(what, times(NEAR), times(FAR))


def _failures(story: Story, played: Played) -> Iterator[str]:
    """INVARIANT: the demo claims nothing that it has not compared."""
    for told, scene, answer in zip(story.exchanges, SCENES, played.answers, strict=True):
        if (told.status, told.model) != (scene.status, scene.model):
            yield f"exchange {told.number} got {told.status} from `{told.model or 'nobody'}`"
        elif scene.holds not in answer.body:
            yield f"exchange {told.number} was answered something else"
    for side in story.sides:
        if (side.calls, side.logged) != (side.heard_calls, side.heard):
            yield f"the log says {side.logged} bytes to {side.zone}, the model {side.heard}"
    for planted in story.planted:
        if planted.cloud or not planted.device:
            yield f"{planted.what} was heard {planted.cloud} times in the cloud"
    if story.log.problem_count or story.log.unfinished:
        yield "the log is not whole"
    found = [(problem.kind, problem.first) for problem in story.tampered.report.problems]
    if found != [("edited", story.tampered.entry)]:
        yield "the changed byte was not found where it is"
