"""Runs real coding tools in an empty home, with a dummy key, against one address on loopback."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from halfdoor.config.tools.codex import CODEX as CODEX_TOOL
from halfdoor.config.tools.tool import ROOT as ROOT_MARK

ROOT = Path(__file__).parents[2]
# What `make clients` installs.
INSTALLED = ROOT / ".clients"
CLAUDE = INSTALLED / "node_modules/.bin/claude"
CODEX = INSTALLED / "node_modules/.bin/codex"
AIDER = INSTALLED / "aider/bin/aider"
# A closed port: whatever a tool sends past its base URL ends here, on this machine.
NOWHERE = "http://127.0.0.1:9"
# Codex's own needs namespaces that not every machine lends; its project here is a temporary folder.
SANDBOX = "danger-full-access"
# Below pytest's own limit for a test that hangs.
LIMIT_S = 50


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended. said: standard output and error together."""

    code: int
    said: str


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool's home and the project it works in."""

    home: Path
    project: Path

    def run(self, *command: str, **variables: str) -> Ran:
        """In an environment that holds nothing of the machine's but its programs.

        variables: an empty one is left out. Raises TimeoutExpired beyond `LIMIT_S`.
        """
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TERM": "dumb",
            "LANG": "C.UTF-8",
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
            **{name: value for name, value in variables.items() if value},
        }
        ran = subprocess.run(
            command,
            env=environment,
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_S,
            text=True,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout)


class Claude(Tool):
    """Claude Code without its terminal."""

    def __call__(
        self,
        prompt: str,
        url: str,
        *words: str,
        model: str = "claude-sonnet-4-5",
        variables: Mapping[str, str] | None = None,
    ) -> Ran:
        """`claude -p`. variables: over what is set here."""
        command = [str(CLAUDE), "-p", prompt, "--permission-mode", "acceptEdits", "--model", model]
        settings = {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_AUTH_TOKEN": "unused",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            **(variables or {}),
        }
        return self.run(*command, *words, **settings)


class Codex(Tool):
    """Codex without its terminal; its settings are on the command line, as `launch` gives them."""

    def __call__(self, prompt: str, url: str, *words: str, model: str = "far") -> Ran:
        settings = [word.replace(ROOT_MARK, url) for word in CODEX_TOOL.arguments]
        command = [str(CODEX), "exec", "--skip-git-repo-check", "-s", SANDBOX, *settings]
        return self.run(*command, "-m", model, *words, prompt, HALFDOOR_SESSION="unused")


class Aider(Tool):
    """Aider with one message, in a git repository."""

    def __call__(self, message: str, *files: str, model: str, **variables: str) -> Ran:
        quiet = ("--no-show-model-warnings", "--no-check-update", "--analytics-disable")
        asked = ("--yes-always", "--model", model, "--message", message)
        return self.run(str(AIDER), *asked, *quiet, *files, **variables)

    def git(self, *words: str) -> str:
        """What git prints. Raises AssertionError when it fails."""
        ran = self.run("git", "-c", "user.name=Tester", "-c", "user.email=t@example.com", *words)
        assert ran.code == 0, ran.said
        return ran.said
