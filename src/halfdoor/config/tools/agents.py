"""How tools name themselves, and the one name each has: in the log, in budgets and in routes.

It is the name that `launch` and `connect` take, so that a tool is counted alike however it came.
"""

from typing import Final

# One whose user agent is none of these.
OTHER: Final = "other"

# Prefixes of user agents, in lower case, most telling first; measured, see
# docs/reference/clients.md.
AGENTS: Final = (
    ("claude-cli", "claude"),
    ("claude-code", "claude"),
    ("codex", "codex"),
    ("opencode", "opencode"),
    ("aider", "aider"),
    ("litellm", "litellm"),
    ("continue", "continue"),
    ("cline", "cline"),
    ("llm/", "llm"),
    ("openai/", "openai-sdk"),
    ("asyncopenai/", "openai-sdk"),
    ("anthropic/", "anthropic-sdk"),
    ("asyncanthropic/", "anthropic-sdk"),
    ("ollama", "ollama-sdk"),
    ("curl/", "curl"),
    ("halfdoor", "halfdoor"),
)
