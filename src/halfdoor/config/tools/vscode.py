"""VS Code's own chat: its Custom Endpoint, since 1.122. It has no variables of its own."""

from typing import Final

from halfdoor.config.tools.tool import (
    APPEND,
    CONTEXT,
    MODEL,
    ROOT,
    UNUSED,
    Place,
    Setting,
    Tool,
    Value,
)

_FILE: Final = "User/chatLanguageModels.json"
_MODEL: Final[dict[str, Value]] = {
    "id": MODEL,
    "name": f"halfdoor {MODEL}",
    "url": f"{ROOT}/v1/chat/completions",
    "toolCalling": True,
    "vision": False,
    "maxInputTokens": CONTEXT,
    "maxOutputTokens": 8192,
}
_GROUP: Final[dict[str, Value]] = {"name": "halfdoor", "vendor": "customendpoint"}
_REST: Final[dict[str, Value]] = {"apiType": "chat-completions", "models": [_MODEL]}
_WHY: Final = "a group of models whose requests go to halfdoor"

VSCODE: Final = Tool(
    "vscode",
    "code",
    (),
    "https://code.visualstudio.com",
    place=Place(
        "json",
        (
            f".config/Code/{_FILE}",
            f"Library/Application Support/Code/{_FILE}",
            f"AppData/Roaming/Code/{_FILE}",
        ),
        (
            Setting((APPEND,), {**_GROUP, "apiKey": UNUSED, **_REST}, _WHY, "open"),
            Setting((APPEND,), {**_GROUP, **_REST}, _WHY, "token"),
        ),
        fresh="[]\n",
        no_env="enter the token in VS Code: Chat: Manage Language Models, halfdoor, API key; it "
        "keeps it in the system's own store",
    ),
    title="VS Code",
)
