"""Aider. Its own file cannot name a variable, so a token stays where Aider looks by itself."""

from typing import Final

from halfdoor.config.tools.tool import (
    ENV,
    MODEL,
    ROOT,
    TOKEN,
    UNUSED,
    Place,
    Setting,
    Tool,
    Variable,
)

_TOKEN: Final = "this session's token, good at halfdoor only"  # noqa: S105  a reason, no secret

AIDER: Final = Tool(
    "aider",
    "aider",
    (
        Variable("OPENAI_API_BASE", ROOT + "/v1", "OpenAI requests go to halfdoor"),
        Variable("OPENAI_API_KEY", TOKEN, _TOKEN),
        Variable("ANTHROPIC_API_BASE", ROOT, "Anthropic requests go to halfdoor"),
        Variable("ANTHROPIC_API_KEY", TOKEN, _TOKEN),
        Variable("AIDER_ANALYTICS", "false", "no telemetry, which would go past halfdoor"),
        Variable("AIDER_CHECK_UPDATE", "false", "no update check, likewise"),
    ),
    "pip install aider-chat",
    place=Place(
        "yaml",
        (".aider.conf.yml",),
        (
            Setting(("openai-api-base",), f"{ROOT}/v1", "OpenAI requests go to halfdoor"),
            Setting(("openai-api-key",), UNUSED, "it wants some key", "open"),
            Setting(("model",), f"openai/{MODEL}", "the model, asked for as Chat"),
            Setting(("analytics",), value=False, why="no telemetry, which would go past halfdoor"),
            Setting(("check-update",), value=False, why="no update check, likewise"),
        ),
        project=".aider.conf.yml",
        no_env=f'start it as `OPENAI_API_KEY="${ENV}" aider`: its file cannot name a variable',
    ),
    title="Aider",
)
