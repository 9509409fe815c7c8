"""Every coding tool that halfdoor knows by name, for `launch`, `connect` and `doctor`.

Measured with the real tools in November 2026, VS Code as its documentation has it. One convention
differs: Claude Code and the Anthropic SDK add `/v1` themselves, OpenCode does not.
"""

from typing import Final

from halfdoor.config.tools.aider import AIDER
from halfdoor.config.tools.claude import CLAUDE
from halfdoor.config.tools.codex import CODEX
from halfdoor.config.tools.continues import CONTINUE
from halfdoor.config.tools.opencode import OPENCODE
from halfdoor.config.tools.tool import ROOT, TOKEN, Tool, Variable
from halfdoor.config.tools.vscode import VSCODE

_OPENAI: Final = (
    Variable("OPENAI_BASE_URL", ROOT + "/v1", "OpenAI requests go to halfdoor"),
    Variable("OPENAI_API_KEY", TOKEN, "this session's token, good at halfdoor only"),
)
_ANTHROPIC: Final = (
    Variable("ANTHROPIC_BASE_URL", ROOT, "Anthropic requests go to halfdoor"),
    Variable("ANTHROPIC_AUTH_TOKEN", TOKEN, "this session's token, good at halfdoor only"),
    Variable("ANTHROPIC_API_KEY", TOKEN, "this session's token, for SDKs that want a key"),
)
_LLM: Final = Tool("llm", "llm", _OPENAI, "pip install llm")

TOOLS: Final = (CLAUDE, CODEX, OPENCODE, CONTINUE, AIDER, VSCODE, _LLM)


def tool_for(name: str) -> Tool:
    """The tool called `name`, or by its program; any other gets both vendors' usual variables."""
    known = {tool.command: tool for tool in TOOLS} | {tool.name: tool for tool in TOOLS}
    return known.get(name) or Tool(name.rpartition("/")[2], name, (*_OPENAI, *_ANTHROPIC), "")
