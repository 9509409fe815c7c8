"""A configuration as a commented file, the way `halfdoor init` writes it."""

import json
from collections.abc import Iterator
from typing import Final

from halfdoor.config.check import SCRIPTED
from halfdoor.config.model import Config
from halfdoor.config.presets import Preset
from halfdoor.config.tables.backends import Backend
from halfdoor.config.tables.models import Model, Name

HEAD: Final = """\
# halfdoor: which models may answer, and how far each kind of text may go.
# Every key is explained in docs/reference/config.md. Restart `halfdoor serve` after a change.

[server]
listen = "{listen}"  # beyond loopback it refuses to start without [[tokens]]
"""

TOKENS: Final = """\
# A secret that tools must show; the secret itself stays in the environment.
# [[tokens]]
# name = "ci"
# env = "HALFDOOR_TOKEN_CI"
"""

BACKENDS: Final = """\
# Where models answer. `zone` is your claim: device < network < cloud. halfdoor also looks at the
# address that it is really connected to, and takes the wider of the two.
"""

MODELS: Final = """\
# What may answer. Beyond this device a price is that of the vendors' list that halfdoor ships; your
# own goes first: usd_per_million_tokens = { input = 3, output = 15, cached_input = 0.3 }.
# `context_tokens` is the window. Ollama is told it with each request; untold, it takes 4,096 (below
# 24 GB of GPU memory), and coding tools send more: try 32_768.
"""

NAMES: Final = """\
# What tools ask for, and who may answer, in order of preference. `auto` always means all models.
"""

RULES: Final = """\
# How far text may go. Without any rule, secrets and text that could not be scanned stay on this
# device; images and other parts that nothing can scan may reach the cloud. To tighten:
# [[rules]]
# label = "path:payments/**"
# ceiling = "network"
# above = "refuse"      # or "exclude": only leave the wider models out

[routing]
strategy = "{strategy}"  # prefer, local_first, cloud_first or cheapest; [[routes]] say more

# What may be spent: `halfdoor cost` says what was. `hard` sends nothing that may go beyond.
# [[budgets]]
# name = "month"
# limit_usd = 50
# period = "month"      # day, week or month
# mode = "hard"         # or "warn"
"""


def commented(config: Config, preset: Preset | None = None) -> str:
    """TOML that reads back as the same configuration. Its own rules and routes are not written.

    preset: what to write below it.
    """
    assert not config.rules
    assert not config.routes
    strategy = preset.strategy if preset else config.routing.strategy
    tables = (
        () if preset is None else (f"# Preset `{preset.name}`: {preset.said}\n{preset.tables}",)
    )
    return "\n".join(
        [
            HEAD.format(listen=config.server.listen),
            TOKENS,
            BACKENDS,
            *(_joined(_backend(backend)) for backend in config.backends),
            MODELS,
            *(_joined(_model(model)) for model in config.models),
            NAMES,
            *(_joined(_name(name)) for name in config.names),
            RULES.format(strategy=strategy),
            *tables,
        ]
    )


def _backend(backend: Backend) -> Iterator[str]:
    if backend.url.startswith(SCRIPTED):
        yield "# NOT A MODEL: a shipped fake with scripted answers, because nothing was found."
    yield "[[backends]]"
    yield f"name = {quoted(backend.name)}"
    yield f"dialect = {quoted(backend.dialect)}"
    yield f"url = {quoted(backend.url)}"
    yield f"zone = {quoted(backend.zone)}"
    if backend.fim:
        yield f"fim = {quoted(backend.fim)}  # how it fills in the middle"
    if backend.key:
        yield f"key = {quoted(backend.key)}  # read from the environment"


def _model(model: Model) -> Iterator[str]:
    yield "[[models]]"
    yield f"name = {quoted(model.name)}"
    yield f"backend = {quoted(model.backend)}"
    remark = "  # sends on the name that was asked for" if model.id == "*" else ""
    yield f"id = {quoted(model.id)}{remark}"
    if model.context_tokens:
        yield f"context_tokens = {model.context_tokens}"
    if model.kinds != ("chat",):
        yield "kinds = [" + ", ".join(map(quoted, model.kinds)) + "]"


def _name(name: Name) -> Iterator[str]:
    yield "[[names]]"
    yield f"match = {quoted(name.match)}"
    yield "choose = [" + ", ".join(map(quoted, name.choose)) + "]"


def _joined(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"


def quoted(value: str) -> str:
    """A TOML basic string: JSON's escapes are a part of TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
