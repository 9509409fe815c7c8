"""How each coding tool is pointed at halfdoor: environment variables, and why each is set.

Measured with the real tools in November 2026. One convention differs: Claude Code and the Anthropic
SDK add `/v1` themselves, OpenCode does not.
"""

from typing import Final

from msgspec import Struct

ROOT: Final = "{root}"
TOKEN: Final = "{token}"  # noqa: S105  a placeholder


class Variable(Struct, frozen=True):
    """One variable of a tool's environment. value may hold ROOT and TOKEN."""

    name: str
    value: str
    why: str


class Tool(Struct, frozen=True):
    """A coding tool. command: the program. install: how to get it.

    left_alone: variables that advice elsewhere sets, and why none is set here.
    """

    name: str
    command: str
    variables: tuple[Variable, ...]
    install: str
    left_alone: tuple[Variable, ...] = ()


_OPENAI: Final = (
    Variable("OPENAI_BASE_URL", ROOT + "/v1", "OpenAI requests go to halfdoor"),
    Variable("OPENAI_API_KEY", TOKEN, "this session's token, good at halfdoor only"),
)
_ANTHROPIC: Final = (
    Variable("ANTHROPIC_BASE_URL", ROOT, "Anthropic requests go to halfdoor"),
    Variable("ANTHROPIC_AUTH_TOKEN", TOKEN, "this session's token, good at halfdoor only"),
)

TOOLS: Final = (
    Tool(
        "claude",
        "claude",
        (
            *_ANTHROPIC,
            Variable(
                "CLAUDE_CODE_GATEWAY_HINT_HEADERS",
                "1",
                "each request says whether it is the main turn, a sub-agent or a side task",
            ),
            Variable(
                "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS",
                "1",
                "a refusal is shown at once; newer versions otherwise ask six times without betas",
            ),
            Variable(
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
                "1",
                "no telemetry or update checks, which would go past halfdoor",
            ),
        ),
        "npm install -g @anthropic-ai/claude-code",
        (
            Variable(
                "CLAUDE_CODE_ATTRIBUTION_HEADER",
                "",
                "its line is stable in a conversation since 2.1.181, and goes to Anthropic alone "
                "as it is; older versions want 0 here",
            ),
        ),
    ),
    Tool(
        "aider",
        "aider",
        (
            Variable("OPENAI_API_BASE", ROOT + "/v1", "OpenAI requests go to halfdoor"),
            _OPENAI[1],
            Variable("ANTHROPIC_API_BASE", ROOT, "Anthropic requests go to halfdoor"),
            Variable("ANTHROPIC_API_KEY", TOKEN, "this session's token, good at halfdoor only"),
            Variable("AIDER_ANALYTICS", "false", "no telemetry, which would go past halfdoor"),
            Variable("AIDER_CHECK_UPDATE", "false", "no update check, likewise"),
        ),
        "pip install aider-chat",
    ),
    Tool(
        "opencode",
        "opencode",
        (
            *_OPENAI,
            Variable(
                "ANTHROPIC_BASE_URL", ROOT + "/v1", "Anthropic requests; OpenCode adds no `/v1`"
            ),
            Variable("ANTHROPIC_API_KEY", TOKEN, "this session's token, good at halfdoor only"),
        ),
        "npm install -g opencode-ai",
    ),
    Tool("llm", "llm", _OPENAI, "pip install llm"),
)


def tool_for(name: str) -> Tool:
    """The tool called `name`; any other program gets both vendors' usual variables."""
    known = {tool.name: tool for tool in TOOLS}
    return known.get(name) or Tool(
        name.rpartition("/")[2],
        name,
        (
            *_OPENAI,
            *_ANTHROPIC,
            Variable("ANTHROPIC_API_KEY", TOKEN, "this session's token, for SDKs that want a key"),
        ),
        "",
    )
