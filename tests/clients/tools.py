"""Runs real coding tools in an empty home, with a dummy key, against one address on loopback."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
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
# Below the Makefile's limit for one of these tests that hangs.
LIMIT_S = 90


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended. said: standard output and error together.

    interrupted_at: monotonic seconds, 0 if it was not.
    """

    code: int
    said: str
    interrupted_at: float = 0


def _await(true: Callable[[], object], running: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + LIMIT_S
    while not true():
        assert running.poll() is None, running.communicate()[0]
        assert time.monotonic() < until, "what was waited for did not come"
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool's home and the project it works in."""

    home: Path
    project: Path

    def run(self, *command: str, **variables: str) -> Ran:
        """In an environment that holds nothing of the machine's but its programs.

        variables: an empty one is left out. Raises TimeoutExpired beyond `LIMIT_S`.
        """
        return self.interrupted(*command, when=None, **variables)

    def interrupted(
        self, *command: str, when: Callable[[], object] | None, **variables: str
    ) -> Ran:
        """The same, with Ctrl-C as soon as `when` holds."""
        with subprocess.Popen(
            command,
            env=self.environment(variables),
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            interrupted_at = 0.0
            try:
                if when is not None:
                    _await(when, running)
                    interrupted_at = time.monotonic()
                    running.send_signal(signal.SIGINT)
                said, _ = running.communicate(timeout=LIMIT_S)
            except BaseException:
                running.kill()
                raise
        return Ran(running.returncode, said, interrupted_at)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """All that a tool sees. variables: more, or other; an empty one is left out."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TERM": "dumb",
            "LANG": "C.UTF-8",
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
            **{name: value for name, value in variables.items() if value},
        }

    def own(self, *words: str, config: Path) -> tuple[str, ...]:
        """A halfdoor command, to be run in this home."""
        return (sys.executable, "-m", "halfdoor", *words, "--config", str(config))

    def halfdoor(self, *words: str, config: Path) -> str:
        """What it prints. Raises AssertionError when it fails."""
        ran = self.run(*self.own(*words, config=config))
        assert ran.code == 0, ran.said
        return ran.said

    def connect(self, name: str, config: Path, model: str = "auto") -> None:
        """`halfdoor connect`, as a person would."""
        self.halfdoor("connect", name, "--model", model, config=config)


class Claude(Tool):
    """Claude Code without its terminal."""

    def __call__(
        self,
        prompt: str,
        url: str,
        *words: str,
        model: str = "claude-sonnet-4-5",
        variables: Mapping[str, str] | None = None,
        when: Callable[[], object] | None = None,
    ) -> Ran:
        """`claude -p`. variables: over what is set here. when: it is interrupted once this holds."""
        command = [str(CLAUDE), "-p", prompt, "--permission-mode", "acceptEdits", "--model", model]
        settings = {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_AUTH_TOKEN": "unused",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            **(variables or {}),
        }
        return self.interrupted(*command, *words, when=when, **settings)


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
