"""A coding tool's signature is told from a person's who is called like one."""

import pytest

from halfdoor.verify.signed import is_tool


@pytest.mark.parametrize(
    "signature",
    [
        "Claude <noreply@anthropic.com>",
        "Claude Opus 4.5 <noreply@example.invalid>",
        "Claude Fable 5 <fable@example.org>",
        "claude code",
        "Claude",
        "Claude:claude-opus-4 [ruff]",
        "Codex <codex@openai.com>",
        "GPT-5.1 Codex",
        "gpt-4o",
        "Copilot <223556219+Copilot@users.noreply.github.com>",
        "GitHub Copilot <copilot@github.com>",
        "Cursor <cursoragent@cursor.com>",
        "Cursor Agent",
        "aider (openai/gpt-4o) <aider@aider.chat>",
        "aider <noreply@aider.chat>",
        "opencode (DeepSeek V4.1 Flash) <noreply@opencode.ai>",
        "Amp <amp@ampcode.com>",
        "Qwen-Coder <qwen-coder@alibabacloud.com>",
        "Qwen 3.6 27B <noreply@example.org>",
        "Gemini 2.5 Flash (pilot)",
        "Gemini CLI <noreply@google.com>",
        "openhands <openhands@all-hands.dev>",
        "Continue <noreply@continue.dev>",
        "Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>",
        "google-labs-jules[bot] <161369871+google-labs-jules[bot]@users.noreply.github.com>",
        "some-agent[bot]@users.noreply.example.org",
        "cursoragent@cursor.com",
    ],
)
def test_a_tools_signature_is_known(signature):
    assert is_tool(signature)


@pytest.mark.parametrize(
    "signature",
    [
        "devin@example.com",
        "Devin <devin@example.com>",
        "Devin Booker <devin@example.com>",
        "Jules Martin",
        "Jules Martin <jules@example.org>",
        "Claude Monet <claude@example.org>",
        "Claude <claude@example.org>",
        "Claudia Cursorelli <c@example.org>",
        "Patsy Cline <patsy@example.org>",
        "Amp Hill <amp@example.org>",
        "Claude Max <claude.max@example.org>",
        "Ada <12345+devin@users.noreply.github.com>",
        "Ada <ada@google.com>",
        "GitHub <noreply@github.com>",
        "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        "49699333+renovate[bot]@users.noreply.github.com",
        "",
    ],
)
def test_a_persons_signature_and_a_plain_bots_are_no_tools(signature):
    """People called like tools had to name an exchange."""
    assert not is_tool(signature)
