"""A table of requests and expected verdicts: how it is written, and how each case is judged.

Pure, but for the bodies that stand in files of their own: the caller reads those.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, structs

from halfdoor.canon.request import Actor
from halfdoor.canon.scene import Scene
from halfdoor.cli.explain import guess
from halfdoor.config.parse import Source, tables
from halfdoor.config.suggest import meant
from halfdoor.config.tables.words import ZoneName, about
from halfdoor.errors import ClientError
from halfdoor.flow.house import House
from halfdoor.flow.weighing import Weighed, weigh

_SOURCES: Final = ("text", "path", "body", "body_file")
_WRAPPED: Final = ("", "anthropic_messages", "openai_chat")
_CALL: Final = "toolu_policy_test"


class Expect(Struct, frozen=True, forbid_unknown_fields=True):
    """What a case must come to; at least one of these."""

    zone: Annotated[ZoneName | None, about("The widest zone of a model that may see it.")] = None
    refused: Annotated[bool | None, about("Whether no model may see it.")] = None
    models: Annotated[
        tuple[str, ...] | None, about("All models that may see it, in the order they are tried.")
    ] = None
    labels: Annotated[
        tuple[str, ...] | None, about("All labels that are found, in any order; `[]` for none.")
    ] = None
    rule: Annotated[str | None, about('The strictest rule that matched; `""` for none.')] = None


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """One request and what must become of it."""

    name: Annotated[str, Meta(min_length=1, description="What the report calls it.")]
    expect: Annotated[Expect, about("See `[case.expect]`.")]
    text: Annotated[
        str | None, about("A user's message or, beside `path`, what is in the file; is wrapped.")
    ] = None
    path: Annotated[str | None, about("A file that a tool has read; `text` is what it held.")] = (
        None
    )
    body: Annotated[
        str | dict[str, Any] | None, about("A request body: JSON as text, or a table.")
    ] = None
    body_file: Annotated[
        str | None, about("A file with a request body, relative to the file of cases.")
    ] = None
    dialect: Annotated[
        str,
        about("Whose shape the request has: guessed for a body, else `anthropic_messages`."),
    ] = ""
    model: Annotated[str, about("The model asked for, with `text` or `path`.")] = "auto"


class Cases(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of cases."""

    case: tuple[Case, ...] = ()


class Judged(Struct, frozen=True):
    """What became of one case. failures: a sentence for each expectation that was not met."""

    name: str
    where: str
    failures: tuple[str, ...]
    zone: str = ""
    models: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    rule: str = ""
    refused: bool = False


def cases(source: Source, dialects: tuple[str, ...]) -> tuple[Case, ...]:
    """The cases of a file. Raises SetupError for one that asks nothing, or that is no request."""
    read = tables(source, Cases, references=True).case
    if not read:
        raise source.error((), "there is no `[[case]]`", "add one; a file of none proves nothing")
    for index, case in enumerate(read):
        _sound(source, index, case, dialects)
    return read


def _sound(source: Source, index: int, case: Case, dialects: tuple[str, ...]) -> None:
    if case.expect == Expect():
        hint = "write at least one of zone, refused, models, labels, rule"
        raise source.error(("case", index, "expect"), f"`{case.name}` expects nothing", hint)
    given = [name for name in _SOURCES if getattr(case, name) is not None]
    if given not in (["text"], ["path"], ["text", "path"], ["body"], ["body_file"]):
        hint = "write one of `text` (with or without `path`), `body` and `body_file`"
        said = " and ".join(f"`{name}`" for name in given) or "no request"
        raise source.error(("case", index), f"`{case.name}` has {said}", hint)
    if given[0].startswith("body") and case.model != "auto":
        hint = "write it into the body"
        raise source.error(("case", index, "model"), "a body names its own model", hint)
    if case.dialect and case.dialect not in dialects:
        said = f"there is no dialect `{case.dialect}`"
        raise source.error(("case", index, "dialect"), said, meant(case.dialect, dialects))
    if case.dialect not in _WRAPPED and not given[0].startswith("body"):
        said = f"`text` and `path` are not wrapped in the shape of `{case.dialect}`"
        raise source.error(("case", index, "dialect"), said, "give it as a `body`")


def body_of(case: Case, file: bytes | None) -> tuple[str, bytes]:
    """Dialect and body of a case. file: the bytes of its `body_file`, where it has one."""
    if file is not None:
        return case.dialect or guess(file), file
    if isinstance(case.body, dict):
        body = json.dumps(case.body).encode()
        return case.dialect or guess(body), body
    if case.body is not None:
        body = case.body.encode()
        return case.dialect or guess(body), body
    dialect = case.dialect or "anthropic_messages"
    said = _said_messages(case) if dialect == "anthropic_messages" else _said_chat(case)
    whole = {"model": case.model, "max_tokens": 1000, "messages": said}
    return dialect, json.dumps(whole).encode()


def _said_messages(case: Case) -> list[dict[str, Any]]:
    if case.path is None:
        return [{"role": "user", "content": case.text}]
    call = {"type": "tool_use", "id": _CALL, "name": "Read", "input": {"file_path": case.path}}
    result = {"type": "tool_result", "tool_use_id": _CALL, "content": case.text or ""}
    return [
        {"role": "user", "content": "Please look."},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]


def _said_chat(case: Case) -> list[dict[str, Any]]:
    if case.path is None:
        return [{"role": "user", "content": case.text}]
    arguments = json.dumps({"path": case.path})
    call = {
        "id": _CALL,
        "type": "function",
        "function": {"name": "read_file", "arguments": arguments},
    }
    return [
        {"role": "user", "content": "Please look."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": _CALL, "content": case.text or ""},
    ]


def judge(case: Case, where: str, dialect: str, body: bytes, house: House) -> Judged:
    """Weigh a case and compare. A request that cannot be read fails its case."""
    near = house.dialects[dialect]
    try:
        request = near.read(near.endpoints[0], (), "", body)
        found = house.surveyor.survey(request)
        weighed = weigh(request, Actor(), found, Scene(id="", now_ms=0), house)
    except ClientError as error:
        return Judged(case.name, where, (f"the request cannot be served: {error}",))
    return _compared(case, where, weighed)


def _compared(case: Case, where: str, weighed: Weighed) -> Judged:
    targets = weighed.targets
    judged = Judged(
        name=case.name,
        where=where,
        failures=(),
        zone=max(target.zone for target in targets).name.lower() if targets else "",
        models=tuple(target.name for target in targets),
        labels=tuple(sorted({label.name for label in weighed.labels})),
        rule=weighed.verdict.rule,
        refused=not targets,
    )
    return structs.replace(judged, failures=tuple(_failures(case.expect, judged)))


def _failures(expect: Expect, judged: Judged) -> Iterator[str]:
    if expect.zone is not None and expect.zone != judged.zone:
        yield f"zone is {judged.zone or 'none, it is refused'}, not {expect.zone}"
    if expect.refused is not None and expect.refused != judged.refused:
        yield "it is refused" if judged.refused else f"it may be seen by {_list(judged.models)}"
    if expect.models is not None and expect.models != judged.models:
        yield f"models are {_list(judged.models)}, not {_list(expect.models)}"
    if expect.labels is not None and set(expect.labels) != set(judged.labels):
        yield f"labels are {_list(judged.labels)}, not {_list(sorted(set(expect.labels)))}"
    if expect.rule is not None and expect.rule != judged.rule:
        yield f"rule is {judged.rule or 'none'}, not {expect.rule or 'none'}"


def _list(names: Any) -> str:
    return ", ".join(names) or "none"
