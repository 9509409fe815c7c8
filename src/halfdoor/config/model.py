"""What the configuration may say. `docs/reference/config.md` is generated from this file.

`Tables` is the user's file and `ProjectTables` a project's, as TOML has them; `Config` is what the
rest of halfdoor gets: the same, checked, with the rules as `decide` reads them. No object here ever
holds a key: `key` and `env` name the environment variable that does.
"""

import os
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from halfdoor.canon.money import Budget
from halfdoor.canon.routes import Route
from halfdoor.canon.rules import Rule
from halfdoor.canon.scene import Repository

ZoneName = Literal["device", "network", "cloud"]
AboveName = Literal["exclude", "refuse"]
DialectName = Literal["openai_chat", "anthropic_messages", "openai_responses", "ollama"]
KindName = Literal["chat", "completion", "embedding"]
FimName = Literal["", "infill", "mistral"]
StrategyName = Literal["prefer", "local_first", "cloud_first", "cheapest"]
CheckName = Literal[
    "read", "complete", "syntax", "applies", "lint", "format", "security", "imports", "secrets",
    "licence", "vulnerable", "rules", "review", "trace", "types", "tests", "examples", "bandit",
    "semgrep",
]  # fmt: skip
AgentName = Literal["main", "subagent", "workflow", "compaction", "auxiliary"]
TaskName = Literal[
    "title", "summary", "commit", "complete", "convert", "test", "document", "log", "review",
    "design", "refactor", "fix", "boilerplate", "operate", "explain", "implement", "other",
]  # fmt: skip

MIB: Final = 1024 * 1024
# Names travel in headers, the log and the command line: no spaces, no globs, no control characters.
NAME: Final = r"^[A-Za-z0-9._/][A-Za-z0-9._:/@+=,-]{0,199}$"
VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
REGION: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"
GLOB: Final = r"^[!-~]([ -~]{0,398}[!-~])?$"
HOURS: Final = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
REFERENCE: Final = r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Days = Annotated[int, Meta(ge=0, le=36_500)]
MicroPerMillion = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]


def about(description: str) -> Meta:
    """The one sentence that the reference page and an editor show for a field."""
    return Meta(description=description)


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """Where halfdoor listens and keeps its state."""

    listen: Annotated[
        str,
        about("Address and port to listen on; an address beyond loopback needs `[[tokens]]`."),
    ] = "127.0.0.1:4114"
    allowed_hosts: Annotated[
        tuple[str, ...],
        about("Extra `Host` names to accept, as a browser or a tool would send them."),
    ] = ()
    body_limit_bytes: Annotated[
        int,
        Meta(ge=1024, le=1024 * MIB, description="Largest request body in bytes; more is 413."),
    ] = 64 * MIB
    ping_s: Annotated[
        Annotated[float, Meta(ge=0, le=3600)],
        about("Silence after which a streaming client gets a keep-alive; 0 never. One commits."),
    ] = 15.0
    hold_for: Annotated[
        tuple[str, ...],
        about(
            "Tools (`aider`) whose streams are held until complete: half a text never arrives, "
            "another model may still answer, and no keep-alive is sent."
        ),
    ] = ()
    remember_s: Annotated[
        Annotated[float, Meta(ge=60, le=366 * 86_400)],
        about("Seconds a session keeps its floor after its last answer; read at the start only."),
    ] = 86_400.0
    state_dir: Annotated[
        str,
        about("Folder of the log and its keys; empty means `$XDG_STATE_HOME/halfdoor`."),
    ] = ""

    time_zone: Annotated[
        str,
        about(
            "Where days, weeks and months of budgets begin, as `Europe/Berlin`, and hours of "
            "routes are counted; empty means the machine's own; budgets read it at the start only."
        ),
    ] = ""
    offline: Annotated[
        bool,
        about(
            "Speak to this device only: every model beyond it is left out, no name is looked up."
        ),
    ] = False

    @property
    def address(self) -> tuple[str, int]:
        """Host, without brackets, and port. ValueError for a `listen` that nothing has checked."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class Token(Struct, frozen=True, forbid_unknown_fields=True):
    """A secret that a tool must show. Optional on loopback, needed beyond it."""

    name: Annotated[str, Meta(pattern=NAME, description="What the log calls its bearer.")]
    env: Annotated[
        str,
        Meta(
            pattern=VARIABLE,
            description="The environment variable that holds the secret; the file never does.",
        ),
    ]
    person: Annotated[
        str, Meta(pattern=NAME + "|^$", description="Whose it is, for costs and budgets.")
    ] = ""
    team: Annotated[
        str, Meta(pattern=NAME + "|^$", description="The team of that person, for the same.")
    ] = ""
    role: Annotated[
        Literal["tool", "admin"],
        about(
            "`tool` may ask models; `admin` may lift sessions and ask nobody. Keep it from tools."
        ),
    ] = "tool"


class Timeouts(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a backend may stay silent, in seconds."""

    connect_s: Annotated[Seconds, about("Until the connection stands.")] = 10.0
    first_byte_s: Annotated[Seconds, about("From the request to the status line.")] = 300.0
    idle_s: Annotated[Seconds, about("Between two pieces of an answer.")] = 300.0
    answer_s: Annotated[
        Seconds, about("From the request to the answer's end, however steadily it drips.")
    ] = 7200.0


class Backend(Struct, frozen=True, forbid_unknown_fields=True):
    """A place where models answer."""

    name: Annotated[str, Meta(pattern=NAME, description="What models refer to.")]
    dialect: Annotated[DialectName, about("The protocol it speaks.")]
    url: Annotated[
        str,
        about(
            "Base URL as that dialect's SDK wants it (OpenAI with `/v1`, Anthropic without); "
            "`scripted:` is a shipped fake."
        ),
    ]
    zone: Annotated[
        ZoneName,
        about("Where it is, as you claim; the address really connected to can only widen it."),
    ]
    key: Annotated[
        str,
        Meta(
            pattern=REFERENCE + "|^$",
            description="`${VARIABLE}`: where its key is; unset, it is called without a key.",
        ),
    ] = ""
    credentials: Annotated[
        Literal["", "client"],
        about("`client` passes the caller's own key on, to this vendor only."),
    ] = ""
    vendor: Annotated[
        str,
        Meta(
            pattern=NAME + "|^$",
            description="Whose it is: who may see its own thinking blocks, ids and attribution; "
            "empty means the vendor of a known host, else the backend's name.",
        ),
    ] = ""
    region: Annotated[
        str,
        Meta(
            pattern=REGION + "|^$",
            description="Where its operator keeps the text, a name of yours (`eu`, `de`); "
            "empty means unknown.",
        ),
    ] = ""
    training: Annotated[
        Literal["", "never", "allowed"],
        about("Whether its operator may train on the text; empty means unknown."),
    ] = ""
    retention_days: Annotated[
        Days | None, about("How many days its operator keeps the text; left out means unknown.")
    ] = None
    fim: Annotated[
        FimName,
        about(
            "How it fills in the middle, where not as OpenAI's `suffix`: `infill` is llama.cpp's "
            "endpoint, `mistral` is `/fim/completions`. For `openai_chat` only."
        ),
    ] = ""
    ca_file: Annotated[
        str,
        about("PEM file of the only certificate authorities to believe; empty means the system's."),
    ] = ""
    timeouts: Annotated[Timeouts, about("See `[backends.timeouts]`.")] = Timeouts()
    slots: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None,
        about("Answers that it gives at once; further ones wait their turn. Left out, none waits."),
    ] = None
    queue: Annotated[
        Annotated[int, Meta(ge=0, le=100_000)],
        about("How many may wait for its `slots`; more are answered elsewhere, or are 429."),
    ] = 64
    overflow_at: Annotated[
        Annotated[int, Meta(ge=0, le=100_000)] | None,
        about("From so many waiting, other permitted models are asked first; left out, never."),
    ] = None

    @property
    def key_env(self) -> str:
        """The environment variable that holds the key, "" for none."""
        return self.key[2:-1]

    @property
    def authorities(self) -> str:
        """The path of `ca_file`, "" for the system's authorities."""
        return os.path.expanduser(self.ca_file)  # noqa: PTH111  "" stays ""


class RateTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Micro-USD per million tokens, by kind."""

    input: Annotated[MicroPerMillion | None, about("Prompt tokens.")] = None
    output: Annotated[MicroPerMillion | None, about("Answer tokens.")] = None
    cached_input: Annotated[
        MicroPerMillion | None, about("Prompt tokens from a cache; left out, as `input`.")
    ] = None
    cache_write: Annotated[MicroPerMillion | None, about("Prompt tokens put into a cache.")] = None
    cache_write_1h: Annotated[
        MicroPerMillion | None, about("The same for an hour; left out, as `cache_write`.")
    ] = None
    reasoning: Annotated[
        MicroPerMillion | None, about("Answer tokens that are thought only; left out, as `output`.")
    ] = None


class TierTable(RateTable, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rates of a whole request with a long prompt; a kind left out is as below it."""

    above: Annotated[int, Meta(ge=1, description="Prompts of more tokens than this have them.")]


class Prices(RateTable, frozen=True, forbid_unknown_fields=True):
    """Micro-USD per million tokens; a model that states none has those of the price list."""

    tiers: Annotated[tuple[TierTable, ...], about("See `[[models.price.tiers]]`.")] = ()


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """A model that may answer."""

    name: Annotated[
        str, Meta(pattern=NAME, description="What tools and `[[names]]` call it; never `auto`.")
    ]
    backend: Annotated[str, about("The name of a backend.")]
    id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=500,
            description="What the backend calls it; `*` sends on the name that was asked for.",
        ),
    ]
    context_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        about(
            "Its window; left out, what its engine says is loaded. Ollama's own protocol is asked "
            "to load it so."
        ),
    ] = None
    kinds: Annotated[
        tuple[KindName, ...],
        about("What it can be asked for: `chat`, `completion`, `embedding`."),
    ] = ("chat",)
    max_output_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None, about("Longest answer; clamps what a tool asks for.")
    ] = None
    effort: Annotated[
        bool,
        about(
            "It takes a reasoning effort; else one that a tool of another protocol asks for is "
            "left out."
        ),
    ] = False
    fixed_sampling: Annotated[
        bool,
        about(
            "It refuses `temperature` and the like, and `max_tokens` under that name, as OpenAI's "
            "reasoning models do: they are left out, and the limit renamed."
        ),
    ] = False
    repair_tools: Annotated[
        bool | None,
        about(
            "Tool calls that its engine leaves in its text become calls: `true` also for tools "
            "of its own dialect, `false` never; left out, where its answers are translated anyway."
        ),
    ] = None
    price: Annotated[Prices, about("See `[models.price]`.")] = Prices()


class Name(Struct, frozen=True, forbid_unknown_fields=True):
    """A name that a tool may ask for, and who may answer."""

    match: Annotated[
        str,
        Meta(
            pattern=r"^[!-~]{1,200}$",
            description="A glob over the model name asked for, as `claude-*`.",
        ),
    ]
    choose: Annotated[
        tuple[str, ...], about("Names of models, in order of preference; at least one.")
    ]


class Requirement(Struct, frozen=True, forbid_unknown_fields=True):
    """What a backend beyond the device must state; what it does not state satisfies nothing."""

    region: Annotated[
        tuple[Annotated[str, Meta(pattern=REGION)], ...] | None,
        about("Its `region` is one of these, to the letter."),
    ] = None
    training: Annotated[
        Literal["", "never"], about("`never`: its operator must not train on the text.")
    ] = ""
    retention_days: Annotated[
        Days | None, about("Its `retention_days` is at most this many; 0: it keeps nothing.")
    ] = None


class RuleTable(Struct, frozen=True, forbid_unknown_fields=True):
    """How far text with a label may go. The strictest of all matching rules holds."""

    label: Annotated[
        str,
        about(
            "`secret`, `not-scanned`, `scan-failed`, `path:<glob>`, as `path:payments/**`, "
            "`repo:<name>` of one of the `[[repositories]]`, or `*` for every request."
        ),
    ]
    ceiling: Annotated[
        ZoneName | None,
        about(
            "The widest zone for unedited text with the label; may be left out beside `require`, "
            "and is then as wide as without this rule."
        ),
    ] = None
    name: Annotated[
        str,
        Meta(
            pattern=r"^([!-~]([ -~]{0,198}[!-~])?)?$",
            description="What refusals and the log call it; empty means the label.",
        ),
    ] = ""
    above: Annotated[
        AboveName,
        about(
            "For targets that are wider or do not meet `require`: `exclude` takes them out, "
            "`refuse` refuses the whole request."
        ),
    ] = "exclude"
    require: Annotated[Requirement | None, about("See `[rules.require]`.")] = None


class RepositoryTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A checkout that rules speak of as `repo:<name>`; its worktrees count as it does."""

    name: Annotated[str, Meta(pattern=NAME, description="What rules call it, after `repo:`.")]
    root: Annotated[str, about("Its folder; starts with `/` or `~/`. What lies below counts too.")]
    branch: Annotated[
        str,
        Meta(
            pattern=r"^[!-~]{0,200}$",
            description="A glob over the branch that is checked out, as `draft/*`; empty is any.",
        ),
    ] = ""


class BudgetMatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What an exchange must be for a budget to count it; all that is given must hold."""

    token: Annotated[str, about("The name of one of the `[[tokens]]`, or `launch`.")] = ""
    person: Annotated[str, about("The `person` of a token.")] = ""
    team: Annotated[str, about("The `team` of a token.")] = ""
    project: Annotated[str, about("The project's folder name, as `launch` tells it.")] = ""
    tool: Annotated[str, about("The tool, as the log names it: `claude-code` or `codex`.")] = ""
    model: Annotated[
        str,
        about("A glob over the model's name; where `id` is `*`, over its name in the price list."),
    ] = ""
    zone: Annotated[Literal["", "device", "network", "cloud"], about("Where it is answered.")] = ""


class BudgetTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What may be spent in a period. Changes need a restart."""

    name: Annotated[str, Meta(pattern=NAME, description="What refusals and reports call it.")]
    limit_usd: Annotated[
        Annotated[float, Meta(ge=0, le=1_000_000)], about("US dollars, for each period anew.")
    ]
    period: Annotated[Literal["day", "week", "month"], about("Weeks begin on Monday.")] = "month"
    mode: Annotated[
        Literal["hard", "warn"],
        about(
            "`hard` sends nothing that may go beyond, nor what has no known price; `warn` says so."
        ),
    ] = "hard"
    match: Annotated[BudgetMatch, about("See `[budgets.match]`; left out, it counts all.")] = (
        BudgetMatch()
    )
    each: Annotated[
        Literal["", "token", "person", "team", "project", "tool", "model", "zone"],
        about("Each name in this field has the limit to itself; empty means one for all."),
    ] = ""


class Routing(Struct, frozen=True, forbid_unknown_fields=True):
    """How permitted models are put in order."""

    strategy: Annotated[
        StrategyName,
        about(
            "`prefer` keeps the order of `choose`; `local_first` puts nearer zones first, "
            "`cloud_first` wider ones; `cheapest` what the turn is expected to cost."
        ),
    ] = "prefer"


class GatePath(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for some files: which checks leave them alone, and whether a person must look."""

    match: Annotated[str, Meta(pattern=GLOB, description="A glob over paths, as `tests/**`.")]
    off: Annotated[
        tuple[CheckName, ...], about("Checks whose findings in these files do not count.")
    ] = ()
    review: Annotated[
        bool,
        about("A commit that changes them must name a reviewer other than its author."),
    ] = False


class GateTemplate(Struct, frozen=True, forbid_unknown_fields=True):
    """What new files must look like."""

    match: Annotated[str, Meta(pattern=GLOB, description="A glob over paths of new files.")]
    lines: Annotated[
        tuple[str, ...],
        about("Each must stand in the file, in this order; `*` in it is any text."),
    ]


class Gate(Struct, frozen=True, forbid_unknown_fields=True):
    """What `halfdoor gate` checks; a project's file, as its base revision has it, goes first."""

    off: Annotated[tuple[CheckName, ...], about("Checks that are not made.")] = ()
    optional: Annotated[
        tuple[CheckName, ...], about("Checks that may be skipped and still pass.")
    ] = ()
    ask: Annotated[
        tuple[CheckName, ...],
        about("Extra checks that must judge; without their tool the gate cannot."),
    ] = ()
    suite: Annotated[
        bool, about("`tests` runs every test of the project, not only those that cover the change.")
    ] = False
    languages: Annotated[
        tuple[str, ...],
        about("Languages whose syntax must be judged, as `Go`; without its grammar it cannot."),
    ] = ()
    lint: Annotated[
        str,
        about("Path of ruff settings in the repository; empty is its own ones, if it has any."),
    ] = ""
    format: Annotated[
        bool, about("Python is formatted as ruff does, even if no settings of ruff say so.")
    ] = False
    noqa: Annotated[
        bool, about("`# noqa` comments silence `security`, too; `lint` always obeys them.")
    ] = False
    allow_imports: Annotated[
        tuple[str, ...], about("Modules that exist though no file says so.")
    ] = ()
    forbid_imports: Annotated[
        tuple[str, ...], about("Modules that new code must not import, as `pickle`, `os.system`.")
    ] = ()
    require_tests: Annotated[
        tuple[Annotated[str, Meta(pattern=GLOB)], ...],
        about("Globs: who changes such a file must change or add a test, too."),
    ] = ()
    tests: Annotated[
        tuple[Annotated[str, Meta(pattern=GLOB)], ...],
        about("Globs over paths: what counts as a test."),
    ] = ("tests/**", "test/**", "test_*.py", "*_test.py", "*_test.go", "*.test.*", "*.spec.*")
    licences: Annotated[
        tuple[str, ...],
        about("SPDX names of licences whose headers may be in new code, beside the project's own."),
    ] = ()
    require_trace: Annotated[
        bool,
        about("A commit that says a coding tool helped must name its `Halfdoor-Exchange`."),
    ] = False
    paths: tuple[GatePath, ...] = ()
    templates: tuple[GateTemplate, ...] = ()


class UserGate(Gate, frozen=True, forbid_unknown_fields=True):
    """What `halfdoor gate` checks; a project's file, as its base revision has it, goes first."""

    index: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[!-~]{1,300})?$",
            description="Package index that `--index` asks about names, as `https://pypi.org/simple`.",
        ),
    ] = ""


class MatchTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests a route is for: all that is stated must hold; of a list, one."""

    agent: Annotated[
        tuple[AgentName, ...],
        about(
            "Whose request it is: `main`, `subagent`, `workflow`, `compaction`, `auxiliary` "
            "(titles, commit messages, classifiers)."
        ),
    ] = ()
    task: Annotated[
        tuple[TaskName, ...],
        about("What it asks for, as read from it: see [task types](task-types.md)."),
    ] = ()
    tool: Annotated[
        tuple[str, ...],
        about("Globs over the tool's name as the log has it: `claude*`, `codex`, `opencode`."),
    ] = ()
    language: Annotated[
        tuple[str, ...],
        about(
            "All programming languages that it speaks of are among these, as `python`, `go`; or "
            "`several`: it speaks of more than one."
        ),
    ] = ()
    path: Annotated[
        tuple[str, ...],
        about("Globs over the files that it, or what was done just before, names; as in rules."),
    ] = ()
    context_over: Annotated[
        Annotated[int, Meta(ge=0)] | None, about("It has more than this many tokens, estimated.")
    ] = None
    context_under: Annotated[
        Annotated[int, Meta(ge=1)] | None, about("It has fewer than this many tokens, estimated.")
    ] = None
    time: Annotated[
        tuple[Annotated[str, Meta(pattern=HOURS)], ...],
        about("Hours in `time_zone`, as `22:00-06:30`."),
    ] = ()
    model: Annotated[
        tuple[str, ...], about("Globs over the model name that was asked for, as `claude-haiku-*`.")
    ] = ()
    project: Annotated[tuple[str, ...], about("Globs over the project's name.")] = ()
    token: Annotated[
        tuple[str, ...], about("Globs over the name of the token that was shown.")
    ] = ()


class SetTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters that a route sets in every request that goes its way, whatever the tool said."""

    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None, about("Sampling temperature, 0 to 2.")
    ] = None
    top_p: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None, about("Nucleus sampling, above 0 to 1.")
    ] = None
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=2**53 - 1)] | None,
        about("Seed, where the protocol has one: not in Messages and Responses."),
    ] = None
    stop: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        about("Stop sequences, in place of the tool's; Responses has none."),
    ] = ()
    system: Annotated[
        str,
        Meta(
            max_length=20_000,
            description="Text that stands before the request's own system text, the same every "
            "turn.",
        ),
    ] = ""


class RouteTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule for the choice among permitted models; the first that matches holds."""

    name: Annotated[str, Meta(pattern=NAME, description="What `halfdoor why` calls it.")]
    match: Annotated[MatchTable, about("See `[routes.match]`; left out, it matches all.")] = (
        MatchTable()
    )
    models: Annotated[
        tuple[str, ...],
        about(
            "Names of models that come first, in this order; those that the name asked for does "
            "not allow are passed over."
        ),
    ] = ()
    strategy: Annotated[
        StrategyName | None,
        about("How its `models`, or without them all, are put in order; see `[routing]`."),
    ] = None
    only: Annotated[
        bool, about("Its `models` and nobody else: where none of them may answer, it is refused.")
    ] = False
    set: Annotated[SetTable, about("See `[routes.set]`.")] = SetTable()


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
    gate: UserGate = UserGate()
    routes: tuple[Route, ...] = ()
    source: str = ""
    offline: str = ""
