"""Continue: its extension, and `cn` on the command line."""

from typing import Final

from halfdoor.config.tools.tool import (
    APPEND,
    ENV,
    FILE,
    MODEL,
    ROOT,
    TOKEN,
    UNUSED,
    Place,
    Setting,
    Tool,
    Value,
    Variable,
)

_HEAD: Final = 'name: "halfdoor"\nversion: "0.0.1"\nschema: "v1"\n'
_ENTRY: Final = f"""\
models:
  - name: "halfdoor"
    provider: "openai"
    model: "auto"
    apiBase: "{ROOT}/v1"
    apiKey: "{TOKEN}"
    roles: ["chat", "edit", "apply"]
"""
_MODEL: Final[dict[str, Value]] = {
    "name": "halfdoor",
    "provider": "openai",
    "model": MODEL,
    "apiBase": f"{ROOT}/v1",
}
_ROLES: Final[dict[str, Value]] = {"roles": ["chat", "edit", "apply"]}
_WHY: Final = "a model whose requests go to halfdoor, first in the list"

CONTINUE: Final = Tool(
    "continue",
    "cn",
    (Variable("CONTINUE_TELEMETRY_ENABLED", "0", "no telemetry, which would go past halfdoor"),),
    "npm install -g @continuedev/cli",
    arguments=("--config", FILE),
    file=_HEAD + _ENTRY,
    place=Place(
        "yaml",
        (".continue/config.yaml",),
        (
            Setting(("models", APPEND), {**_MODEL, "apiKey": UNUSED, **_ROLES}, _WHY, "open"),
            Setting(
                ("models", APPEND),
                {**_MODEL, "apiKey": f"${{{{ secrets.{ENV} }}}}", **_ROLES},
                f"{_WHY}; the token is read from the environment or `~/.continue/.env`",
                "token",
            ),
        ),
        fresh=_HEAD,
    ),
    title="Continue",
)
