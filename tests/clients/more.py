"""The tools that `make clients-all` adds: how each is pointed here, asked, and made to write a file.

OpenCode and Continue are set up by `halfdoor connect` where they speak Chat; otherwise, as Cline and
`llm` always, by what their own documentation says.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Protocol

from tests.clients.tools import INSTALLED, Ran, Tool
from tests.helpers.scenes import Use

NODE = INSTALLED / "more/node_modules/.bin"
PATH, TEXT = "hello.txt", "Hello from a model.\n"


class Where(Protocol):
    """A halfdoor: its root URL, and a configuration that says so."""

    @property
    def url(self) -> str: ...

    @property
    def config(self) -> Path: ...


class More(Tool):
    """One such tool. nears: the dialects that it can speak, each with how it is told to."""

    name: ClassVar[str]
    program: ClassVar[Path]
    nears: ClassVar[Mapping[str, Callable[..., None]]]

    def point(self, there: Where, near: str) -> None:
        """Have it ask for `auto` at this address, in this dialect."""
        self.nears[near](self, there)

    def __call__(self, prompt: str) -> Ran:
        """One turn without a terminal, all tools allowed."""
        raise NotImplementedError

    def writes(self, near: str) -> Use | None:
        """The tool for a whole file that it offers in this dialect; None where it has none."""
        return None

    def reads(self, file: Path) -> Use | None:
        """Its tool that reads a file; None where it has none."""
        return None

    def _file(self, text: str, *, below: Path, name: str) -> None:
        file = below / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


class OpenCode(More):
    """It asks a small model for a title, unless it is given one."""

    name = "OpenCode"
    program = NODE / "opencode"

    def _connect(self, there: Where) -> None:
        self.connect("opencode", there.config)

    def _provider(self, there: Where, package: str) -> None:
        provider = {
            "npm": package,
            "name": "halfdoor",
            "options": {"baseURL": f"{there.url}/v1", "apiKey": "unused"},
            "models": {"auto": {"name": "halfdoor auto"}},
        }
        told = {"provider": {"halfdoor": provider}, "model": "halfdoor/auto"}
        self._file(json.dumps(told), below=self.project, name="opencode.json")

    nears: ClassVar = {
        "openai_chat": _connect,
        "anthropic_messages": lambda self, there: self._provider(there, "@ai-sdk/anthropic"),
        "openai_responses": lambda self, there: self._provider(there, "@ai-sdk/openai"),
    }

    def __call__(self, prompt: str) -> Ran:
        return self.run(str(self.program), "run", "--title", "A turn", prompt)

    def writes(self, near: str) -> Use:
        return Use("write", {"filePath": str(self.project / PATH), "content": TEXT}, "call_w1")

    def reads(self, file: Path) -> Use:
        return Use("read", {"filePath": str(file)}, "call_r1")


class Continue(More):
    """`cn`, Continue without its editor."""

    name = "Continue"
    program = NODE / "cn"

    def _connect(self, there: Where) -> None:
        self.connect("continue", there.config)

    def _anthropic(self, there: Where) -> None:
        told = (
            'name: "halfdoor"\nversion: "0.0.1"\nschema: "v1"\n'
            'models:\n  - name: "halfdoor"\n    provider: "anthropic"\n    model: "auto"\n'
            f'    apiBase: "{there.url}/v1"\n    apiKey: "unused"\n    roles: ["chat"]\n'
        )
        self._file(told, below=self.home, name=".continue/config.yaml")

    nears: ClassVar = {"openai_chat": _connect, "anthropic_messages": _anthropic}

    def __call__(self, prompt: str) -> Ran:
        return self.run(str(self.program), "-p", prompt, "--auto", CONTINUE_TELEMETRY_ENABLED="0")

    def writes(self, near: str) -> Use:
        return Use("Write", {"filepath": str(self.project / PATH), "content": TEXT}, "call_w1")

    def reads(self, file: Path) -> Use:
        return Use("Read", {"filepath": str(file)}, "call_r1")


class Cline(More):
    """In its own process: otherwise it leaves a hub behind that serves every project."""

    name = "Cline"
    program = NODE / "cline"

    def _sign_in(self, there: Where, provider: str) -> None:
        words = ("auth", "-p", provider, "-k", "unused", "-m", "auto", "-b", f"{there.url}/v1")
        ran = self._cline(*words)
        assert ran.code == 0, ran.said

    nears: ClassVar = {
        "openai_chat": lambda self, there: self._sign_in(there, "openai"),
        "openai_responses": lambda self, there: self._sign_in(there, "openai-native"),
    }

    def __call__(self, prompt: str) -> Ran:
        return self._cline("--json", prompt)

    def _cline(self, *words: str) -> Ran:
        return self.run(str(self.program), *words, CLINE_SESSION_BACKEND_MODE="local")

    def writes(self, near: str) -> Use:
        if near == "openai_responses":
            patch = f"*** Begin Patch\n*** Add File: {PATH}\n+{TEXT}*** End Patch\n"
            return Use("apply_patch", {"input": patch}, "call_w1")
        return Use("editor", {"path": str(self.project / PATH), "new_text": TEXT}, "call_w1")

    def reads(self, file: Path) -> Use:
        return Use("read_files", {"files": [{"path": str(file)}]}, "call_r1")


class Llm(More):
    """`llm` of Simon Willison: text only."""

    name = "llm"
    program = INSTALLED / "llm/bin/llm"

    def _extra(self, there: Where) -> None:
        told = f'- model_id: halfdoor\n  model_name: auto\n  api_base: "{there.url}/v1"\n'
        name = ".config/io.datasette.llm/extra-openai-models.yaml"
        self._file(told, below=self.home, name=name)

    nears: ClassVar = {"openai_chat": _extra}

    def __call__(self, prompt: str, *words: str) -> Ran:
        return self.run(str(self.program), "-m", "halfdoor", *words, prompt)


MORE: tuple[type[More], ...] = (OpenCode, Continue, Cline, Llm)
