"""A configuration made of what was found, for `serve` without a file and for `init`."""

import re
from typing import Final

from msgspec.structs import replace

from halfdoor.config.found import PROVIDERS, Discovered, Engine, FoundModel, Provider
from halfdoor.config.model import Config
from halfdoor.config.tables.backends import Backend
from halfdoor.config.tables.models import Model, Name
from halfdoor.config.tables.words import NAME

# What the common tools ask for unless told otherwise.
USUAL: Final = ("anthropic", "openai")


def default_config(found: Discovered) -> Config:
    """Backends, models and names for what was found; scripted models when that is nothing.

    Local models stand behind cloud ones in each list: what may leave goes where it was asked to,
    what may not stays.
    """
    local = [(engine, model) for engine in found.engines for model in engine.models]
    if not local and not found.providers:
        return scripted_config()
    models = _engine_models(local)
    near = tuple(model.name for model in models)
    return Config(
        backends=(*_engine_backends(found.engines), *map(_provider_backend, found.providers)),
        models=(*models, *map(_provider_model, found.providers)),
        names=_names(found.providers, near),
    )


def scripted_config() -> Config:
    """Two shipped fakes, one near and one far, so that every decision can be tried out."""
    near, far = "scripted-local", "scripted-cloud"
    return Config(
        backends=(
            Backend(name=near, dialect="openai_chat", url="scripted:", zone="device"),
            Backend(name=far, dialect="anthropic_messages", url="scripted:", zone="cloud"),
        ),
        models=(
            Model(name=near, backend=near, id=near),
            Model(name=far, backend=far, id=far),
        ),
        names=tuple(Name(match, (far, near)) for match in ("claude-*", "gpt-*", "*")),
    )


def _engine_backends(engines: tuple[Engine, ...]) -> tuple[Backend, ...]:
    """One for each engine; a second, in the cloud, for models that it runs elsewhere."""
    backends = []
    for engine in engines:
        backends.append(_engine_backend(engine, elsewhere=False))
        if any(model.elsewhere for model in engine.models):
            backends.append(_engine_backend(engine, elsewhere=True))
    return tuple(backends)


def _engine_backend(engine: Engine, *, elsewhere: bool) -> Backend:
    return Backend(
        name=_backend_name(engine, elsewhere=elsewhere),
        dialect=engine.dialect,
        url=engine.url,
        zone="cloud" if elsewhere else "device",
        fim=engine.fim,
    )


def _backend_name(engine: Engine, *, elsewhere: bool) -> str:
    return f"{engine.kind}-cloud" if elsewhere else engine.kind


def _engine_models(found: list[tuple[Engine, FoundModel]]) -> tuple[Model, ...]:
    """Models named by their ids, those that really run here first.

    Of two with one id the later has its backend's name in front.
    """
    models: dict[str, Model] = {}
    for engine, model in sorted(found, key=lambda pair: pair[1].elsewhere):
        backend = _backend_name(engine, elsewhere=model.elsewhere)
        name = _named(model.id)
        name = f"{backend}/{name}" if name in models else name
        models.setdefault(
            name,
            Model(
                name=name,
                backend=backend,
                id=model.id,
                context_tokens=model.context_tokens,
                kinds=engine.kinds,
            ),
        )
    return tuple(models.values())


def _named(model_id: str) -> str:
    """A name that `[[models]]` allows; nearly always the id itself."""
    name = model_id if re.match(NAME, model_id) else "m-" + re.sub(r"[^\w.-]+", "-", model_id)
    return f"{name}-model" if name == "auto" else name.encode("ascii", "ignore").decode()[:200]


def _provider_backend(provider: Provider) -> Backend:
    return Backend(
        name=provider.name,
        dialect=provider.dialect,
        url=provider.url,
        zone="cloud",
        key=f"${{{provider.variable}}}",
        fim=provider.fim,
    )


def _provider_model(provider: Provider) -> Model:
    model = Model(name=provider.model, backend=provider.name, id="*")
    return replace(model, kinds=("chat", "completion")) if provider.fim else model


def _names(providers: tuple[Provider, ...], near: tuple[str, ...]) -> tuple[Name, ...]:
    """What tools ask for: each vendor's own names go to it first and to local models next."""
    keyed = {provider.name for provider in providers}
    return tuple(
        Name(match, choose)
        for provider in PROVIDERS
        if provider.name in keyed or provider.name in USUAL
        for match in provider.matches
        if (choose := ((provider.model,) if provider.name in keyed else ()) + near)
    )
