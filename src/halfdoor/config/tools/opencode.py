"""OpenCode. It adds no `/v1` to a base URL, and asks a small model for titles."""

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

_AT: Final = ("provider", "halfdoor")
_FILES: Final = ("opencode.json", "opencode.jsonc")

OPENCODE: Final = Tool(
    "opencode",
    "opencode",
    (
        Variable("OPENAI_BASE_URL", ROOT + "/v1", "OpenAI requests go to halfdoor"),
        Variable("OPENAI_API_KEY", TOKEN, "this session's token, good at halfdoor only"),
        Variable("ANTHROPIC_BASE_URL", ROOT + "/v1", "Anthropic requests; OpenCode adds no `/v1`"),
        Variable("ANTHROPIC_API_KEY", TOKEN, "this session's token, good at halfdoor only"),
    ),
    "npm install -g opencode-ai",
    place=Place(
        "json",
        tuple(f".config/opencode/{name}" for name in _FILES),
        (
            Setting((*_AT, "npm"), "@ai-sdk/openai-compatible", "the protocol: Chat"),
            Setting((*_AT, "name"), "halfdoor", "what OpenCode calls it"),
            Setting((*_AT, "options", "baseURL"), f"{ROOT}/v1", "requests go to halfdoor"),
            Setting((*_AT, "options", "apiKey"), UNUSED, "it wants some key", "open"),
            Setting(
                (*_AT, "options", "apiKey"),
                f"{{env:{ENV}}}",
                "the token stays in the environment",
                "token",
            ),
            Setting((*_AT, "models", MODEL, "name"), f"halfdoor {MODEL}", "a name to ask for"),
            Setting(("model",), f"halfdoor/{MODEL}", "the model of new sessions"),
            Setting(("small_model",), f"halfdoor/{MODEL}", "titles, too, go to halfdoor"),
        ),
        project="opencode.json",
    ),
    title="OpenCode",
)
