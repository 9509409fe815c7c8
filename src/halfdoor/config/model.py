"""What the configuration may say, put together from `tables/`, which has a file for each part.

`Tables` is the user's file and `ProjectTables` a project's, as TOML has them; `Config` is what the
rest of halfdoor gets: the same, checked, with the rules as `decide` reads them. No object here ever
holds a key: `key` and `env` name the environment variable that does. `docs/reference/config.md` is
generated from here.
"""

from msgspec import Struct

from halfdoor.canon.money import Budget
from halfdoor.canon.plans import Plan
from halfdoor.canon.routes import Route
from halfdoor.canon.rules import Rule
from halfdoor.canon.scene import Repository
from halfdoor.config.tables.backends import Backend
from halfdoor.config.tables.budgets import BudgetTable
from halfdoor.config.tables.gate import Gate, UserGate
from halfdoor.config.tables.models import Model, Name
from halfdoor.config.tables.plans import PlanTable
from halfdoor.config.tables.routes import RouteTable, Routing
from halfdoor.config.tables.rules import RepositoryTable, RuleTable
from halfdoor.config.tables.server import Server, Token


class Tables(Struct, frozen=True, forbid_unknown_fields=True):
    """The user's file, `~/.config/halfdoor/config.toml`."""

    server: Server = Server()
    tokens: tuple[Token, ...] = ()
    backends: tuple[Backend, ...] = ()
    models: tuple[Model, ...] = ()
    names: tuple[Name, ...] = ()
    repositories: tuple[RepositoryTable, ...] = ()
    rules: tuple[RuleTable, ...] = ()
    routing: Routing = Routing()
    budgets: tuple[BudgetTable, ...] = ()
    plans: tuple[PlanTable, ...] = ()
    gate: UserGate = UserGate()
    routes: tuple[RouteTable, ...] = ()


class ProjectTables(Struct, frozen=True, forbid_unknown_fields=True):
    """A project's `.halfdoor.toml`: untrusted; it can add rules, and say what the gate checks."""

    rules: tuple[RuleTable, ...] = ()
    gate: Gate = Gate()


class Config(Struct, frozen=True):
    """The user's configuration, checked. source: its path, "" when no file exists.

    rules: the user's own, each with its `file:line`. offline: where it says so, "" if it does not.
    """

    server: Server = Server()
    tokens: tuple[Token, ...] = ()
    backends: tuple[Backend, ...] = ()
    models: tuple[Model, ...] = ()
    names: tuple[Name, ...] = ()
    repositories: tuple[Repository, ...] = ()
    rules: tuple[Rule, ...] = ()
    routing: Routing = Routing()
    budgets: tuple[Budget, ...] = ()
    plans: tuple[Plan, ...] = ()
    gate: UserGate = UserGate()
    routes: tuple[Route, ...] = ()
    source: str = ""
    offline: str = ""
