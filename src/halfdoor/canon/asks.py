"""What a request asks for, as far as the choice of a model may know it."""

from enum import StrEnum

from msgspec import Struct


class Agent(StrEnum):
    """Whose request it is.

    `main`: a turn of a conversation with a person. `subagent`, `workflow`: an agent that another
    one, or a script, started. `compaction`: a conversation is shortened. `auxiliary`: titles,
    commit messages, classifiers.
    """

    MAIN = "main"
    SUBAGENT = "subagent"
    WORKFLOW = "workflow"
    COMPACTION = "compaction"
    AUXILIARY = "auxiliary"


class Task(StrEnum):
    """What is to be done. `complete`: code at a cursor. `other`: talk, or nothing that is known."""

    TITLE = "title"
    SUMMARY = "summary"
    COMMIT = "commit"
    COMPLETE = "complete"
    CONVERT = "convert"
    TEST = "test"
    DOCUMENT = "document"
    LOG = "log"
    REVIEW = "review"
    DESIGN = "design"
    REFACTOR = "refactor"
    FIX = "fix"
    BOILERPLATE = "boilerplate"
    OPERATE = "operate"
    EXPLAIN = "explain"
    IMPLEMENT = "implement"
    OTHER = "other"


class Ask(Struct, frozen=True):
    """What is asked for. It informs the choice among permitted models and nothing else.

    languages: programming languages that it speaks of, sorted, from a closed list.
    globs: those of the routes' path globs that it, or what was done just before, is about.
    place: the block that the task was read from, "" where no block tells it.
    """

    agent: Agent = Agent.MAIN
    task: Task = Task.OTHER
    languages: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    place: str = ""
