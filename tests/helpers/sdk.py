"""The official SDKs as a tool would use them, one attempt a call, with what they put on the wire kept."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2
import ollama as ollama_package
import openai
from openai.lib.streaming.chat import ChatCompletionStreamState

STREAMED = "streamed"
WHOLE = "whole"


@dataclass(slots=True)
class Wire:
    """Bodies and answers in order, as they stood on the wire."""

    bodies: list[bytes] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return self.bodies[-1]

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the latest answer."""
        headers: Mapping[str, str] = self.answers[-1].headers
        return headers

    async def _sent(self, request: Any) -> None:
        self.bodies.append(request.content)

    async def _answered(self, response: Any) -> None:
        self.answers.append(response)

    @property
    def hooks(self) -> dict[str, list[Any]]:
        """What notes it, for a client of either generation of the SDKs' HTTP library."""
        return {"request": [self._sent], "response": [self._answered]}

    def http(self) -> httpx2.AsyncClient:
        """A client that notes what passes. No proxies, no certificates: loopback only."""
        return httpx2.AsyncClient(
            trust_env=False,
            verify=False,
            timeout=20,
            event_hooks=self.hooks,
        )


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call as the SDK read it."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as the SDK read it, apart from either SDK's types.

    tokens: prompt, cached and answer tokens as this dialect counts them.
    turn: the assistant's message, as a tool sends it back on the next turn.
    """

    text: str
    thought: str
    calls: tuple[Called, ...]
    stop: str
    tokens: tuple[int, int, int]
    turn: dict[str, Any]


@asynccontextmanager
async def openai_sdk(
    url: str, *, key: str = "sk-unused", headers: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Any, Wire]]:
    """url: the server's root; the SDK gets it with `/v1`."""
    wire = Wire()
    async with (
        wire.http() as http,
        openai.AsyncOpenAI(
            base_url=f"{url}/v1",
            api_key=key,
            max_retries=0,
            http_client=http,
            default_headers=headers,
        ) as client,
    ):
        yield client, wire


@asynccontextmanager
async def anthropic_sdk(
    url: str, *, key: str = "sk-unused", headers: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Any, Wire]]:
    """url: the server's root; so does the SDK want it."""
    wire = Wire()
    async with (
        wire.http() as http,
        anthropic.AsyncAnthropic(
            base_url=url, api_key=key, max_retries=0, http_client=http, default_headers=headers
        ) as client,
    ):
        yield client, wire


@asynccontextmanager
async def ollama_sdk(url: str) -> AsyncIterator[tuple[Any, Wire]]:
    """url: the server's root; so does the SDK want it."""
    wire = Wire()
    client = ollama_package.AsyncClient(
        host=url, trust_env=False, verify=False, timeout=20, event_hooks=wire.hooks
    )
    async with client._client:
        yield client, wire


async def chat(client: Any, how: str, **body: Any) -> Told:
    """One completion; a streamed one is put together by the SDK's own accumulator."""
    if how == WHOLE:
        return of_chat(await client.chat.completions.create(**body))
    body.setdefault("stream_options", {"include_usage": True})
    state: ChatCompletionStreamState = ChatCompletionStreamState()
    async with await client.chat.completions.create(stream=True, **body) as stream:
        async for chunk in stream:
            state.handle_chunk(chunk)
    # Not `get_final_completion`: it raises for an answer that its limit cut short.
    return of_chat(state.current_completion_snapshot)


def of_chat(answer: Any) -> Told:
    choice, used = answer.choices[0], answer.usage
    message = choice.message
    return Told(
        text=message.content or "",
        thought=(message.model_extra or {}).get("reasoning_content") or "",
        calls=tuple(
            Called(call.id, call.function.name, json.loads(call.function.arguments))
            for call in message.tool_calls or ()
        ),
        stop=choice.finish_reason,
        tokens=_counts(used, "prompt_tokens", "completion_tokens"),
        turn=message.to_dict(),
    )


def _counts(used: Any, prompt: str, answer: str) -> tuple[int, int, int]:
    """What an engine leaves out is 0."""
    details = getattr(used, f"{prompt}_details", None)
    cached = details.cached_tokens or 0 if details else 0
    return (getattr(used, prompt, 0), cached, getattr(used, answer, 0))


async def messages(client: Any, how: str, **body: Any) -> Told:
    """One message; a streamed one is put together by the SDK's own accumulator."""
    body.setdefault("max_tokens", 2048)
    if how == WHOLE:
        return of_messages(await client.messages.create(**body))
    async with client.messages.stream(**body) as stream:
        return of_messages(await stream.get_final_message())


def of_messages(answer: Any) -> Told:
    blocks, used = answer.content, answer.usage
    return Told(
        text="".join(block.text for block in blocks if block.type == "text"),
        thought="".join(block.thinking for block in blocks if block.type == "thinking"),
        calls=tuple(
            Called(block.id, block.name, block.input)
            for block in blocks
            if block.type == "tool_use"
        ),
        stop=answer.stop_reason,
        tokens=(used.input_tokens, used.cache_read_input_tokens, used.output_tokens),
        turn={"role": "assistant", "content": [echo(block.to_dict()) for block in blocks]},
    )


def echo(block: dict[str, Any]) -> dict[str, Any]:
    """A block as a tool sends it back: without what only the SDK's answer type adds."""
    return {name: value for name, value in block.items() if value is not None}


async def responses(client: Any, how: str, **body: Any) -> Told:
    """One response; a streamed one is put together by the SDK's own accumulator."""
    if how == WHOLE:
        return of_responses(await client.responses.create(store=False, **body))
    async with client.responses.stream(store=False, **body) as stream:
        async for _ in stream:
            pass
        return of_responses(stream._state._completed_response or await stream.get_final_response())


def of_responses(answer: Any) -> Told:
    used = answer.usage
    return Told(
        text=answer.output_text,
        thought="".join(
            part.text
            for item in answer.output
            if item.type == "reasoning"
            for part in item.summary or item.content or ()
        ),
        calls=tuple(
            Called(item.call_id, item.name, json.loads(item.arguments))
            for item in answer.output
            if item.type == "function_call"
        ),
        stop=answer.incomplete_details.reason if answer.incomplete_details else answer.status,
        tokens=_counts(used, "input_tokens", "output_tokens"),
        turn={"items": [sent_back(item.to_dict()) for item in answer.output]},
    )


def sent_back(item: dict[str, Any]) -> dict[str, Any]:
    """An item as a tool sends it back: without what only the SDK's parsing adds."""
    return {k: v for k, v in item.items() if k not in {"parsed_arguments", "status"}}


async def ollama(client: Any, how: str, **body: Any) -> Told:
    """One chat; the SDK has no accumulator, so its pieces are put together as its own guide does."""
    if how == WHOLE:
        return of_ollama([await client.chat(**body)])
    return of_ollama([piece async for piece in await client.chat(stream=True, **body)])


def of_ollama(pieces: list[Any]) -> Told:
    last = pieces[-1]
    calls = [call for piece in pieces for call in piece.message.tool_calls or ()]
    text = "".join(piece.message.content or "" for piece in pieces)
    thought = "".join(piece.message.thinking or "" for piece in pieces)
    turn: dict[str, Any] = {"role": "assistant", "content": text}
    turn |= {"thinking": thought} if thought else {}
    told = [{"function": call.function.model_dump()} for call in calls]
    return Told(
        text=text,
        thought=thought,
        # The SDK's types have no place for an id: results answer calls by order and name.
        calls=tuple(Called("", c.function.name, dict(c.function.arguments)) for c in calls),
        stop=last.done_reason if last.done else "",
        tokens=(last.prompt_eval_count, 0, last.eval_count),
        turn=turn | ({"tool_calls": told} if told else {}),
    )
