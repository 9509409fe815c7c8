"""What `halfdoor doctor` says of windows: how much engines have loaded, and what they cut off."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from halfdoor.backends import guard
from halfdoor.backends.control import authority
from halfdoor.backends.discover import Ask
from halfdoor.backends.residency import Asked, Residency
from halfdoor.canon.cards import Resident
from halfdoor.canon.decision import ControlPermit
from halfdoor.cli.checkup import Finding
from halfdoor.cli.options import counted
from halfdoor.config.check import SCRIPTED
from halfdoor.config.model import Config
from halfdoor.config.tables.backends import Backend
from halfdoor.config.tables.models import Model
from halfdoor.flow.counting import TRUNCATED
from halfdoor.store.reader import LogReader
from halfdoor.store.schema import FILE

# The first request of Claude Code alone has about 20,000 tokens, see docs/reference/clients.md.
SMALL_TOKENS: Final = 24_000
LOOKED_BACK: Final = 200

_MORE: Final = {
    "ollama": (
        "set `OLLAMA_CONTEXT_LENGTH` where Ollama runs, or give its backend "
        '`dialect = "ollama"` and the model `context_tokens`: then it is asked for'
    ),
    "llamacpp": "start llama-server with a larger `-c`; its slots share it",
    "lmstudio": "load it with a longer context",
    "vllm": "start it with a larger `--max-model-len`",
}


class _Engine:
    """A backend as `Residency` asks it."""

    def __init__(self, backend: Backend, ask: Ask) -> None:
        self.name = backend.name
        self._root = backend.url.rstrip("/").removesuffix("/v1")
        self._ask = ask

    async def look(self, path: str) -> tuple[int, bytes]:
        """See `residency.Engine.look`."""
        url = f"{self._root}{path}"
        return await self._ask(url, ControlPermit(authority(url), "doctor"))


async def windows(config: Config, ask: Ask) -> list[Finding]:
    """How much near engines have loaded; nothing is said of one that does not tell."""
    known = Residency(time.monotonic)
    near = {b.name: b for b in config.backends if b.zone != "cloud" and _asked(b)}
    await known.refresh(Asked(_Engine(b, ask), b.dialect == "ollama") for b in near.values())
    found = []
    for model in config.models:
        said = known.of(model.backend, model.id)
        if model.backend in near and said is not None:
            engine, held, _ = said
            native = near[model.backend].dialect == "ollama"
            found.append(_window(model, engine, held, native=native))
    return found


def _asked(backend: Backend) -> bool:
    host = urlsplit(backend.url).hostname or ""
    here = host in {"localhost", "127.0.0.1", "::1"}
    return not backend.url.startswith(SCRIPTED) and (here or not guard.is_offline())


def _window(model: Model, engine: str, held: Resident, *, native: bool) -> Finding:
    about, window, stated = f"model {model.name}", held.window, model.context_tokens
    if native and stated:
        return Finding("ok", about, f"is asked for with a window of {stated:,} tokens")
    if not held.loaded or window is None:
        return Finding("ok", about, "is not loaded; its window is known once it is")
    said = f"is loaded with a window of {window:,} tokens"
    if stated and stated > window:
        hint = f"write `context_tokens = {window}`, or {_MORE[engine]}"
        said += f", and configured with {stated:,}: what lies between is cut off or refused there"
        return Finding("warn", about, said, hint)
    if window < SMALL_TOKENS:
        said += "; coding tools' first requests have about 20,000"
        return Finding("warn", about, said, _MORE[engine])
    return Finding("ok", about, said)


def cut_off(folder: Path) -> Iterator[Finding]:
    """Prompts of which an engine read a part only, among the newest exchanges of the log."""
    if not (folder / FILE).exists():
        return
    with LogReader(folder) as reader:
        outcomes = [found.outcome for found in reader.recent(LOOKED_BACK) if found.outcome]
    cut = Counter(each.model for each in outcomes if TRUNCATED in each.notices)
    for model, times in cut.items():
        said = f"cut off, or left out a part of, {counted(times, 'prompt')} of the newest "
        hint = "`halfdoor ps` shows its window; state it as `context_tokens`, or load it with more"
        yield Finding("warn", f"model {model}", f"{said}{LOOKED_BACK}", hint)
