"""What discovery can find: engines that run, and providers whose key is in the environment."""

from typing import Final

from msgspec import Struct

from halfdoor.config.tables.backends import DialectName, FimName
from halfdoor.config.tables.models import KindName


class FoundModel(Struct, frozen=True):
    """A model as its engine lists it. context_tokens: the window really loaded, None if untold.

    elsewhere: the engine says that another machine runs it (Ollama's `remote_host`).
    """

    id: str
    context_tokens: int | None = None
    elsewhere: bool = False


# How engines are asked to fill in the middle; the others take no suffix, or seldom.
_FIMS: Final[dict[str, FimName]] = {"ollama": "", "llamacpp": "infill"}


class Engine(Struct, frozen=True):
    """An engine that answered. url: the base URL of its API in `dialect`.

    kind: `ollama`, `lmstudio`, `vllm` or `llamacpp`. Ollama is asked in its own protocol: only
    there can a request state its window, and forbid that its oldest messages are silently cut off.
    """

    kind: str
    url: str
    models: tuple[FoundModel, ...] = ()
    dialect: DialectName = "openai_chat"

    @property
    def fim(self) -> FimName:
        """See `[[backends]]`."""
        return _FIMS.get(self.kind, "")

    @property
    def kinds(self) -> tuple[KindName, ...]:
        """What its models are asked for; one that cannot fill in says so itself."""
        return ("chat", "completion") if self.kind in _FIMS else ("chat",)


class Provider(Struct, frozen=True):
    """A vendor in the cloud. variable: where people keep its key.

    model: what halfdoor calls its models, all sent on by the name asked. matches: those names.
    fim: see `[[backends]]`; "" where it cannot fill in, or not at this address.
    """

    name: str
    variable: str
    dialect: DialectName
    url: str
    model: str
    matches: tuple[str, ...]
    fim: FimName = ""


class Discovered(Struct, frozen=True):
    """All that was found; never a key, only whose key is there."""

    engines: tuple[Engine, ...] = ()
    providers: tuple[Provider, ...] = ()


# Base URLs and variables as each vendor's own documentation gives them (November 2026).
PROVIDERS: Final = (
    Provider(
        "anthropic",
        "ANTHROPIC_API_KEY",
        "anthropic_messages",
        "https://api.anthropic.com",
        "claude",
        ("claude-*",),
    ),
    Provider(
        "openai",
        "OPENAI_API_KEY",
        "openai_chat",
        "https://api.openai.com/v1",
        "gpt",
        ("gpt-*", "o[0-9]*", "chatgpt-*"),
    ),
    Provider(
        "gemini",
        "GEMINI_API_KEY",
        "openai_chat",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "gemini",
        ("gemini-*",),
    ),
    Provider(
        "mistral",
        "MISTRAL_API_KEY",
        "openai_chat",
        "https://api.mistral.ai/v1",
        "mistral",
        ("mistral-*", "codestral-*", "devstral-*", "magistral-*"),
        "mistral",
    ),
    Provider(
        "deepseek",
        "DEEPSEEK_API_KEY",
        "openai_chat",
        "https://api.deepseek.com/v1",
        "deepseek",
        ("deepseek-*",),
    ),
    Provider(
        "xai",
        "XAI_API_KEY",
        "openai_chat",
        "https://api.x.ai/v1",
        "grok",
        ("grok-*",),
    ),
    Provider(
        "groq",
        "GROQ_API_KEY",
        "openai_chat",
        "https://api.groq.com/openai/v1",
        "groq",
        ("llama-*",),
    ),
    Provider(
        "openrouter",
        "OPENROUTER_API_KEY",
        "openai_chat",
        "https://openrouter.ai/api/v1",
        "openrouter",
        ("*/*",),
    ),
)
