"""A real house for tests of the line: real dialects, real detectors, real rules; only I/O is absent."""

import functools
import hashlib

import msgspec

from halfdoor.canon.cards import Alias, Card
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Request
from halfdoor.canon.rules import Above, Rule
from halfdoor.decide.names import Names
from halfdoor.decide.rules import RuleBook
from halfdoor.detect.paths import PathDetector
from halfdoor.detect.secrets import SecretDetector
from halfdoor.detect.survey import Surveyor
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.flow.house import House
from halfdoor.reading.engine import Engine
from halfdoor.reading.prints import Prints
from halfdoor.reading.secret_formats import FORMATS

AWS_KEY = "AKIA" + "Z7QXL2M4" + "TRBNWK5E"
DIALECTS = {d.name: d for d in (OpenAIChat(), AnthropicMessages())}
PATHS = ("payments/**",)

CLOUD = Card(
    "sonnet", "anthropic", "claude-sonnet-5", Zone.CLOUD, "anthropic_messages", "anthropic"
)
CLOUD_CHAT = Card("gpt", "openai", "gpt-6", Zone.CLOUD, "openai_chat", "openai")
OFFICE = Card("office", "vllm", "qwen-72b", Zone.NETWORK, "openai_chat", "vllm")
LOCAL = Card("qwen", "ollama", "qwen3:30b", Zone.DEVICE, "openai_chat", "ollama")
LOCAL_MESSAGES = Card("llama", "llamacpp", "llama", Zone.DEVICE, "anthropic_messages", "llamacpp")
CARDS = (CLOUD, CLOUD_CHAT, OFFICE, LOCAL, LOCAL_MESSAGES)

DEFAULTS = (
    Rule("secret", "secret", Zone.DEVICE),
    Rule("personal", "personal", Zone.DEVICE),
    Rule("scan-failed", "scan-failed", Zone.DEVICE),
    Rule("not-scanned", "not-scanned", Zone.CLOUD),
    Rule("no-payments", "path:payments/**", Zone.NETWORK, Above.EXCLUDE),
)


@functools.cache
def detectors():
    return (SecretDetector(Engine(FORMATS)), PathDetector(PATHS))


def house(
    cards=CARDS, rules=DEFAULTS, *, strategy="prefer", aliases=(), more_detectors=(), routes=()
) -> House:
    prints = Prints(b"test key, 32 bytes long, no more")
    every = Alias("claude-*", tuple(card.name for card in cards))
    return House(
        dialects=DIALECTS,
        cards=tuple(cards),
        names=Names(tuple(cards), (*aliases, every)),
        book=RuleBook(rules),
        strategy=strategy,
        routes=tuple(routes),
        surveyor=Surveyor((*detectors(), *more_detectors), prints),
        paths=detectors()[1],
        prints=prints,
        mac=lambda data: hashlib.sha256(data).hexdigest(),
        policy_hash="00",
    )


def messages_body(text="hello", *, model="auto", stream=False, tool_result="", **more) -> bytes:
    """An Anthropic Messages request; with `tool_result`, the second turn of a Read call."""
    said: list[dict] = [{"role": "user", "content": text}]
    if tool_result:
        call = {
            "type": "tool_use",
            "id": "toolu_1",
            "name": "Read",
            "input": {"file_path": "src/app.py"},
        }
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": tool_result}
        said += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    body = {"model": model, "max_tokens": 100, "messages": said, "stream": stream}
    return msgspec.json.encode({**body, **more})


def chat_body(text="hello", *, model="auto", stream=False, tool_result="", **more) -> bytes:
    """The same as OpenAI Chat."""
    said: list[dict] = [{"role": "user", "content": text}]
    if tool_result:
        function = {"name": "Read", "arguments": '{"file_path":"src/app.py"}'}
        call = {"id": "toolu_1", "type": "function", "function": function}
        said.append({"role": "assistant", "content": None, "tool_calls": [call]})
        said.append({"role": "tool", "tool_call_id": "toolu_1", "content": tool_result})
    return msgspec.json.encode({"model": model, "messages": said, "stream": stream, **more})


def request(body=None, *, dialect="anthropic_messages", headers=(), query="", **fields) -> Request:
    make = messages_body if dialect == "anthropic_messages" else chat_body
    near = DIALECTS[dialect]
    return near.read(near.endpoints[0], headers, query, make(**fields) if body is None else body)
