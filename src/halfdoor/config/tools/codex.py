"""Codex. It speaks Responses only, ignores `OPENAI_BASE_URL`, and wants a provider of its own."""

from typing import Final

from halfdoor.config.tools.tool import (
    CONTEXT,
    ENV,
    MODEL,
    ROOT,
    TOKEN,
    Place,
    Setting,
    Tool,
    Turns,
    Variable,
)

_KEY: Final = "HALFDOOR_SESSION"
_AT: Final = ("model_providers", "halfdoor")
# A name that is none of the vendor's own: Codex then offers plain function tools, which any model
# can call, and not one tool that runs JavaScript.
_PROVIDER: Final = f'{{name="halfdoor",base_url="{ROOT}/v1",env_key="{_KEY}",wire_api="responses"}}'

CODEX: Final = Tool(
    "codex",
    "codex",
    (Variable(_KEY, TOKEN, "this session's token, good at halfdoor only"),),
    "npm install -g @openai/codex",
    (Variable("OPENAI_BASE_URL", "", "Codex ignores it; it gets a provider of its own instead"),),
    arguments=(
        *("-c", f"model_providers.halfdoor={_PROVIDER}"),
        *("-c", 'model_provider="halfdoor"'),
        *("-c", 'model="auto"'),
        *("-c", "analytics.enabled=false"),
        *("-c", "check_for_update_on_startup=false"),
    ),
    place=Place(
        "toml",
        (".codex/config.toml",),
        (
            Setting(("model_provider",), "halfdoor", "which provider is asked"),
            Setting(("model",), MODEL, "a name of halfdoor's: plain tools, for any model"),
            Setting(
                ("model_context_window",),
                CONTEXT,
                "it would assume 272,000 for a name it does not know",
                "context",
            ),
            Setting((*_AT, "name"), "halfdoor", "what Codex calls it"),
            Setting((*_AT, "base_url"), f"{ROOT}/v1", "requests go to halfdoor"),
            Setting((*_AT, "wire_api"), "responses", "the only protocol that it speaks"),
            Setting((*_AT, "env_key"), ENV, "the variable that holds the token", "token"),
        ),
    ),
    turns=Turns((".codex/sessions/**/*.jsonl",), '"role":"assistant"'),
    title="Codex",
)
