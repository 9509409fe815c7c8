"""Is whoever signed a commit a coding tool? People are called Claude, Devin and Jules, too.

As the tools sign by themselves, and as people were seen to let them (public commits, 2026-11).
Where a name may be a person's, the address decides, or what follows: `Claude Opus 4.5`, `Devin AI`.
"""

import re
from typing import Final

_MOST_CHARS: Final = 300
_SIGNED: Final = re.compile(r"([^<]*)<([^<>]*)>")
_BOT: Final = re.compile(r"([\w-]+)\[bot\]")
# Bots that write no code by a model.
_PLAIN_BOTS: Final = frozenset(
    {
        "allcontributors", "codecov", "dependabot", "dependabot-preview", "github-actions",
        "github-merge-queue", "greenkeeper", "imgbot", "mergify", "pre-commit-ci", "pyup-bot",
        "release-please", "renovate", "self-hosted-renovate", "semantic-release-bot", "snyk-bot",
        "web-flow",
    }
)  # fmt: skip
# Nobody else is called that.
_TOOLS: Final = re.compile(
    r"\b(?:copilot|chatgpt|gpt-?\d[\w.-]*|codex|aider|opencode|openhands|windsurf"
    r"|qwen[\w.-]*|gemini[ -](?:cli|code)|claude[ -]code)\b"
)
# Names of tools that are people's names or plain words, too, and what follows them there.
_FIRST: Final = re.compile(
    r"(claude|devin|jules|gemini|goose|amp|continue|cline|cursor|crush)(?![\w.])(.*)"
)
_PRODUCTS: Final = frozenset(
    {"agent", "ai", "bot", "cli", "code", "coder", "haiku", "opus", "sonnet"}
)
_KINDS: Final = frozenset({"flash", "lite", "max", "mini", "preview", "pro", "thinking"})
_VERSION: Final = re.compile(r"v?\d[\w.]*")
# Whose addresses they are, and what stands before the `@` there.
_MAKERS: Final[dict[str, set[str]]] = {
    "aider.chat": {"aider"},
    "alibaba.com": {"qwen-coder"},
    "alibabacloud.com": {"qwen-coder"},
    "all-hands.dev": {"openhands"},
    "ampcode.com": {"amp"},
    "anthropic.com": {"claude"},
    "charm.land": {"crush"},
    "cognition.ai": {"devin"},
    "continue.dev": {"continue"},
    "cursor.com": {"cursoragent"},
    "cursor.sh": {"cursoragent"},
    "github.com": {"copilot"},
    "google.com": {"gemini", "gemini-cli"},
    "openai.com": {"codex"},
    "opencode.ai": {"opencode"},
    "qwen.ai": {"qwen"},
    "users.noreply.github.com": {"claude", "copilot", "cursoragent"},
}
_NOBODY: Final = frozenset({"no-reply", "noreply"})


def is_tool(signature: str) -> bool:
    """signature: `Name <address>`, a name, or an address."""
    said = signature[:_MOST_CHARS].lower().strip()
    if bot := _BOT.search(said):
        return bot[1] not in _PLAIN_BOTS
    found = _SIGNED.search(said)
    name, address = (
        (found[1].strip(), found[2]) if found else ("", said) if "@" in said else (said, "")
    )
    return _of_a_maker(address) or _named(name, address)


def _of_a_maker(address: str) -> bool:
    local, _, domain = address.rpartition("@")
    names = _MAKERS.get(domain, set())
    # GitHub puts a number before the name, and signs for people as nobody.
    nobody = local in _NOBODY and not domain.endswith("github.com")
    return bool(names) and (nobody or local.rpartition("+")[2] in names)


def _named(name: str, address: str) -> bool:
    if _TOOLS.search(name):
        return True
    found = _FIRST.fullmatch(name)
    if not found:
        return False
    rest = found[2].strip()
    if not rest:
        return not address or address.partition("@")[0] in _NOBODY
    if rest[0] in ":([":
        return True
    words = set(rest.replace("-", " ").partition("(")[0].split())
    # No person's name has a number in it.
    numbered = any(_VERSION.fullmatch(each) for each in words)
    return numbered or (bool(words & _PRODUCTS) and words <= _PRODUCTS | _KINDS)
