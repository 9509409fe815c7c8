"""What a gateway cannot see: traffic that goes past it, and what it does not recognise.

One table for `halfdoor doctor --scope` and `docs/reference/scope.md`. Hosts and switches were
measured with the tools of November 2026, or stand in their own documentation. A tool may learn
new ways with any update: only a firewall closes all of them.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

# closed, open: as the environment says. unknown: a file or another machine says it. never: nothing
# of the tool's own does.
State = Literal["closed", "open", "unknown", "never"]

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


class Channel(Struct, frozen=True):
    """One thing that a tool does beside its model requests.

    where: the hosts. variable, value: what closes it, or a part of it, in the tool's environment.
    setting: what else does, in words.
    """

    tool: str
    what: str
    where: str
    variable: str = ""
    value: str = ""
    setting: str = ""


class Limit(Struct, frozen=True):
    """Where halfdoor's own recognition ends. about: in a word or two."""

    about: str
    said: str


CHANNELS: Final = (
    Channel(
        "Claude Code",
        "telemetry, error reports, update checks",
        "the vendor's hosts",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        "1",
        "`halfdoor launch claude` sets it",
    ),
    Channel(
        "Claude Code",
        "WebFetch: asks whether the host is safe",
        "api.anthropic.com",
        setting="`skipWebFetchPreflight: true` in settings.json",
    ),
    Channel(
        "Claude Code",
        "WebFetch: fetches the page itself",
        "any host",
        setting='`permissions.deny: ["WebFetch"]` in settings.json',
    ),
    Channel(
        "Claude Code",
        "fast mode: asks whether it may be used",
        "api.anthropic.com",
        "CLAUDE_CODE_DISABLE_FAST_MODE",
        "1",
    ),
    Channel(
        "Codex",
        "all model requests of the built-in provider",
        "api.openai.com, chatgpt.com",
        setting="`OPENAI_BASE_URL` is ignored: a provider of its own in config.toml",
    ),
    Channel(
        "Codex",
        "analytics",
        "ab.chatgpt.com, chatgpt.com",
        setting="`[analytics] enabled = false` in config.toml",
    ),
    Channel(
        "Codex",
        "update check",
        "GitHub",
        setting="`check_for_update_on_startup = false` in config.toml",
    ),
    Channel(
        "OpenCode", "model catalogue", "models.opencode.ai", "OPENCODE_DISABLE_MODELS_FETCH", "1"
    ),
    Channel("OpenCode", "updates", "npm, GitHub", "OPENCODE_DISABLE_AUTOUPDATE", "1"),
    Channel(
        "OpenCode",
        "plugins and provider packages",
        "npm",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS",
        "1",
        "and name no plugin in opencode.json",
    ),
    Channel("OpenCode", "language servers", "npm, GitHub", "OPENCODE_DISABLE_LSP_DOWNLOAD", "1"),
    Channel(
        "OpenCode",
        "shared sessions: the whole conversation",
        "opencode.ai",
        setting='`"share": "disabled"` in opencode.json',
    ),
    Channel("Continue", "telemetry", "PostHog", "CONTINUE_TELEMETRY_ENABLED", "0"),
    Channel(
        "Continue",
        "assistants and models of the hub",
        "api.continue.dev",
        setting="`cn --config FILE` with a file of one's own, not signed in",
    ),
    Channel(
        "Cline",
        "telemetry, also from its background hub",
        "data.cline.bot, otel.cline.bot",
        setting="`telemetryOptOut: true` in global-settings.json; no variable closes it",
    ),
    Channel("Cline", "updates", "npm", "CLINE_NO_AUTO_UPDATE", "1"),
    Channel(
        "Aider",
        "analytics",
        "PostHog",
        "AIDER_ANALYTICS",
        "false",
        "`halfdoor launch aider` sets it",
    ),
    Channel(
        "Aider",
        "update check",
        "PyPI",
        "AIDER_CHECK_UPDATE",
        "false",
        "`halfdoor launch aider` sets it",
    ),
    Channel(
        "Aider",
        "model prices and windows",
        "raw.githubusercontent.com",
        "LITELLM_LOCAL_MODEL_COST_MAP",
        "True",
        "for LiteLLM's copy; Aider's own is fetched once a day",
    ),
    Channel(
        "Aider", "pages whose address is in the chat", "any host", "AIDER_DETECT_URLS", "false"
    ),
    Channel(
        "llm",
        "fragments and attachments given as an address",
        "any host",
        setting="name files only",
    ),
    Channel(
        "llm",
        "models of plugins",
        "their vendors",
        setting="use models of `extra-openai-models.yaml` that point here",
    ),
    Channel("all tools", "shell commands: curl, git, package managers", "any host"),
    Channel("all tools", "MCP servers and hooks", "any host"),
    Channel(
        "engines",
        "Ollama: models of its maker's cloud",
        "ollama.com",
        setting="`OLLAMA_NO_CLOUD=1` where Ollama runs; halfdoor asks it and counts them as cloud",
    ),
    Channel(
        "engines",
        "a gateway or a tunnel that listens on this device",
        "any host",
        setting="give the backend its true `zone`: a forwarded port looks like loopback",
    ),
)

LIMITS: Final = (
    Limit("secrets", "cut into pieces, paraphrased, compressed or encrypted"),
    Limit("secrets", "encoded more than twice, or as HTML entities or octal"),
    Limit(
        "secrets", "passwords without a recognisable form and without a telling name beside them"
    ),
    Limit("personal data", "names, addresses and other personal data: there is no detector"),
    Limit("pictures", "images, documents and what only a vendor can resolve are `not-scanned`"),
    Limit("paths", "a path that a command computes, or files that are printed without a name"),
    Limit("zones", "a forwarded port, and an engine that sends requests on and does not say so"),
    Limit("rules", "a tool that drops its session token asks without its project's rules"),
    Limit("the log", "whoever holds its key can rewrite it, unless a checkpoint is kept elsewhere"),
)


def state(channel: Channel, env: Mapping[str, str]) -> State:
    """Is it closed in this environment? Only a variable can be seen from here."""
    if channel.variable:
        return "closed" if _same(env.get(channel.variable, ""), channel.value) else "open"
    return "unknown" if channel.setting else "never"


def closing(channel: Channel) -> str:
    """What closes it, in words; "" when only a firewall does."""
    variable = f"`{channel.variable}={channel.value}`" if channel.variable else ""
    return "; ".join(part for part in (variable, channel.setting) if part)


def _same(found: str, wanted: str) -> bool:
    """Tools read many spellings of yes and of no."""
    found, wanted = found.strip().lower(), wanted.lower()
    return found == wanted or any(found in words and wanted in words for words in (_TRUE, _FALSE))
