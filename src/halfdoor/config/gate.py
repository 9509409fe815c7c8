"""Which `[gate]` holds: the project's, as the base revision has it, over the user's own."""

from halfdoor.config.load import PROJECT_FILE
from halfdoor.config.model import ProjectTables
from halfdoor.config.parse import Source, tables
from halfdoor.config.tables.gate import Gate


def project_gate(text: bytes | None, user: Gate) -> Gate:
    """The user's settings with the project's in their place, key by key.

    text: a project's file at the base revision, None when it had none. What the project leaves at
    its default is the user's. Raises SetupError with its line.
    """
    if text is None:
        return user
    source = Source(PROJECT_FILE, text.decode("utf-8-sig", "replace"))
    own = tables(source, ProjectTables).gate
    plain = Gate()
    said = {name: getattr(own, name) for name in Gate.__struct_fields__}
    mine = {name: getattr(user, name) for name in Gate.__struct_fields__}
    kept = {name: mine[name] for name in said if said[name] == getattr(plain, name)}
    return Gate(**{**said, **kept})
