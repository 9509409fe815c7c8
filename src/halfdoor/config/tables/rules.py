"""How far text may go."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from halfdoor.config.tables.words import NAME, REGION, Days, ZoneName, about

AboveName = Literal["exclude", "refuse"]


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
