"""The endpoints beside the conversation: who answers them when a backend speaks another dialect."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import Gateway, backend, gateway, model
from tests.helpers.scenes import Say, Scene
from tests.helpers.tongues import SDKS
from tests.helpers.vendor_embeddings import vector

HI: Final = [{"role": "user", "content": "hi"}]
FIM: Final = {"prompt": "def f(x):", "suffix": "return y"}
Ask = Callable[[Any, str], Awaitable[bool]]


async def _completion(client: Any, name: str) -> bool:
    told = await client.completions.create(model=f"{name}-fill", **FIM)
    pieces = await client.completions.create(model=f"{name}-fill", stream=True, **FIM)
    streamed = [piece.choices[0].text async for piece in pieces]
    return bool(told.choices[0].text == "y = x" == "".join(streamed))


async def _plain_completion(client: Any, name: str) -> bool:
    told = await client.completions.create(model=f"{name}-fill", prompt="def f(x):")
    return bool(told.choices[0].text == "y = x")


async def _embedding(client: Any, name: str) -> bool:
    asked = {"model": f"{name}-embed", "input": ["a", "b"]}
    told = await client.embeddings.create(**asked)  # in base64, as the SDK asks unasked
    numbers = await client.embeddings.create(**asked, encoding_format="float", dimensions=4)
    wanted = [vector("a"), vector("b")]
    return [one.embedding for one in told.data] == wanted and (
        [one.embedding for one in numbers.data] == [one[:4] for one in wanted]
    )


async def _embed(client: Any, name: str) -> bool:
    told = await client.embed(model=f"{name}-embed", input=["a", "b"])
    return bool(told.embeddings == [vector("a"), vector("b")])


async def _old_embeddings(client: Any, name: str) -> bool:
    told = await client.embeddings(model=f"{name}-embed", prompt="a")
    return bool(told.embedding == vector("a"))


async def _generate(client: Any, name: str) -> bool:
    return bool((await client.generate(model=name, prompt="set y")).response == "y = x")


async def _insert(client: Any, name: str) -> bool:
    told = await client.generate(model=f"{name}-fill", **FIM)
    pieces = await client.generate(model=f"{name}-fill", stream=True, **FIM)
    streamed = [piece.response async for piece in pieces]
    return bool(told.response == "y = x" == "".join(streamed))


async def _raw(client: Any, name: str) -> bool:
    told = await client.generate(model=f"{name}-fill", prompt="def f(x):", raw=True)
    return bool(told.response == "y = x")


async def _messages_count(client: Any, name: str) -> bool:
    return bool((await client.messages.count_tokens(model=name, messages=HI)).input_tokens)


async def _responses_count(client: Any, name: str) -> bool:
    return bool((await client.responses.input_tokens.count(model=name, input=HI)).input_tokens)


# what is asked -> (the SDK, how it asks).
ENDPOINTS: Final[dict[str, tuple[str, Ask]]] = {
    "`/v1/completions` with `suffix`": ("openai", _completion),
    "`/v1/completions`": ("openai", _plain_completion),
    "`/v1/embeddings`": ("openai", _embedding),
    "`/api/generate`": ("ollama", _generate),
    "`/api/generate` with `suffix`": ("ollama", _insert),
    "`/api/generate` with `raw`": ("ollama", _raw),
    "`/api/embed`": ("ollama", _embed),
    "`/api/embeddings`": ("ollama", _old_embeddings),
    "`/v1/messages/count_tokens`": ("anthropic", _messages_count),
    "`/v1/responses/input_tokens`": ("openai", _responses_count),
}
Key = tuple[str, str]
# Backends that fill in the middle in a way of their own, and what they can be asked.
FIMS: Final = ("infill", "mistral")
FILLS: Final = (
    "`/v1/completions` with `suffix`",
    "`/v1/completions`",
    "`/api/generate` with `suffix`",
    "`/api/generate` with `raw`",
)
FARS: Final = (*SDKS, *FIMS)


def tables(fake: FakeModel) -> dict[str, Any]:
    """Of each dialect a backend, and for each kind of work a model; and two that fill in."""
    return {
        "backends": [
            *(backend(name, fake, name) for name in SDKS),
            *(backend(name, fake, "openai_chat", fim=name) for name in FIMS),
        ],
        "models": [
            *(model(name, name, "real-model") for name in SDKS),
            *(model(f"{name}-fill", name, "real-model", kinds=["completion"]) for name in FARS),
            *(model(f"{name}-embed", name, "real-model", kinds=["embedding"]) for name in SDKS),
        ],
    }


async def judged(door: Gateway, fake: FakeModel, endpoint: str, far: str) -> str:
    """`yes`, `counted here`, `refused`, or `no` where it fails."""
    fake.reset()
    fake.play(*[Scene((Say("y = x"),))] * 2)
    sdk, ask = ENDPOINTS[endpoint]
    try:
        async with getattr(door, sdk)() as (client, _):
            held = await ask(client, far)
    except Exception as raised:  # noqa: BLE001  any failure is a finding of the matrix
        refused = getattr(raised, "status_code", 0) == 400 and not fake.seen
        return "refused" if refused else f"no: {raised}"
    if not held:
        return "no"
    return "yes" if fake.seen else "counted here"


def keys() -> Iterator[Key]:
    for endpoint in ENDPOINTS:
        for far in FARS if endpoint in FILLS else SDKS:
            yield endpoint, far


async def measure() -> dict[Key, str]:
    """Every endpoint to a backend of each dialect."""
    with FakeModel(frozenset({"real-model"})) as fake:
        async with gateway(**tables(fake)) as door:
            return {key: await judged(door, fake, *key) for key in keys()}
