"""The configuration's models and names as the pure core knows them."""

from urllib.parse import urlsplit

from halfdoor.canon.cards import Alias, Card, Fim, Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Kind
from halfdoor.canon.scene import Repository
from halfdoor.config.check import SCRIPTED
from halfdoor.config.found import PROVIDERS
from halfdoor.config.model import Config, Tables
from halfdoor.config.rates import price
from halfdoor.config.tables.backends import Backend
from halfdoor.config.tables.models import Model
from halfdoor.reading.addresses import sent_on


def cards(config: Config) -> tuple[Card, ...]:
    """One card for each model, in the file's order."""
    backends = {backend.name: backend for backend in config.backends}
    return tuple(_card(model, backends[model.backend]) for model in config.models)


def aliases(config: Config) -> tuple[Alias, ...]:
    """The names a tool may ask for, in the file's order; `decide` knows `auto` by itself."""
    return tuple(Alias(match=name.match, choose=name.choose) for name in config.names)


def repositories(read: Tables) -> tuple[Repository, ...]:
    """The repositories that rules may speak of, in the file's order."""
    return tuple(Repository(each.name, each.root, each.branch) for each in read.repositories)


def _maker(url: str) -> str:
    """Whose host that is, as far as it is a known vendor's; "" else."""
    host = urlsplit(url).hostname
    return next((each.name for each in PROVIDERS if urlsplit(each.url).hostname == host), "")


def _card(model: Model, backend: Backend) -> Card:
    zone = Zone[backend.zone.upper()]
    real = Zone.CLOUD if sent_on(model.id) else zone
    stated = Terms(backend.region, backend.training, backend.retention_days)
    return Card(
        name=model.name,
        backend=backend.name,
        model_id=model.id,
        zone=real,
        dialect=backend.dialect,
        vendor=backend.vendor or _maker(backend.url) or backend.name,
        context_tokens=model.context_tokens,
        max_output_tokens=model.max_output_tokens,
        price=price(model, backend, real),
        client_credentials=backend.credentials == "client",
        scripted=backend.url.startswith(SCRIPTED),
        # What was stated about an engine says nothing about where it sends a request on to.
        terms=stated if real is zone else Terms(),
        kinds=tuple(Kind(kind) for kind in model.kinds),
        effort=model.effort,
        fixed_sampling=model.fixed_sampling,
        fim=Fim(backend.fim),
        repair_tools=model.repair_tools,
    )
