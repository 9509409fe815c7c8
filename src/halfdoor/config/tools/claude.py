"""Claude Code. It adds `/v1` to its base URL itself."""

from typing import Final

from halfdoor.config.tools.tool import (
    ENV,
    ROOT,
    STATUS,
    TOKEN,
    UNUSED,
    Place,
    Setting,
    Tool,
    Turns,
    Variable,
)

_KEY: Final = "ANTHROPIC_AUTH_TOKEN"
_VARIABLES: Final = (
    Variable("ANTHROPIC_BASE_URL", ROOT, "Anthropic requests go to halfdoor"),
    Variable(_KEY, TOKEN, "this session's token, good at halfdoor only"),
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
)

CLAUDE: Final = Tool(
    "claude",
    "claude",
    _VARIABLES,
    "npm install -g @anthropic-ai/claude-code",
    (
        Variable(
            "CLAUDE_CODE_ATTRIBUTION_HEADER",
            "",
            "its line is stable in a conversation since 2.1.181, and goes to Anthropic alone "
            "as it is; older versions want 0 here",
        ),
    ),
    place=Place(
        "json",
        (".claude/settings.json",),
        (
            *(Setting(("env", v.name), v.value, v.why) for v in _VARIABLES if v.name != _KEY),
            Setting(("env", _KEY), UNUSED, "without any key it asks for a sign-in", "open"),
            Setting(
                ("apiKeyHelper",),
                f"printenv {ENV}",
                "the token stays in the environment; this reads it there",
                "token",
            ),
            Setting(
                ("statusLine",),
                {"type": "command", "command": STATUS},
                "its status line tells who answers, where, and what it cost",
                "status",
                yields=True,
            ),
        ),
        project=".claude/settings.local.json",
    ),
    turns=Turns((".claude/projects/**/*.jsonl",), '"type":"assistant"', '"<synthetic>"'),
    title="Claude Code",
    asks="claude-sonnet-4-5",
    takes="--settings",
)
