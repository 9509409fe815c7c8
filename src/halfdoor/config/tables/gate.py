"""What `halfdoor gate` checks."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from halfdoor.config.tables.words import about

CheckName = Literal[
    "read", "complete", "syntax", "applies", "lint", "format", "security", "imports", "secrets",
    "licence", "vulnerable", "rules", "review", "trace", "types", "tests", "examples", "bandit",
    "semgrep", "ast-grep",
]  # fmt: skip
GLOB: Final = r"^[!-~]([ -~]{0,398}[!-~])?$"


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
    semgrep: Annotated[
        str,
        about("Path of the project's own rules for semgrep, YAML; then it must judge."),
    ] = ""
    ast_grep: Annotated[
        str,
        about("Path of the project's own rules for ast-grep, YAML; then it must judge."),
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
        tuple[str, ...],
        about("What new Python, JavaScript and TypeScript must not import: `pickle`, `os.system`."),
    ] = ()
    require_tests: Annotated[
        tuple[Annotated[str, Meta(pattern=GLOB)], ...],
        about("Globs: who changes such a file must change or add a test, too."),
    ] = ()
    tests: Annotated[
        tuple[Annotated[str, Meta(pattern=GLOB)], ...],
        about("Globs over paths: what counts as a test; programs only where a glob ends with `*`."),
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
    npm_index: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[!-~]{1,300})?$",
            description="The same for JavaScript, as `https://registry.npmjs.org`.",
        ),
    ] = ""
