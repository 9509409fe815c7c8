"""Tools that Messages names by a type alone: whose they are, and what they look like written out.

The vendor's models know `bash_20250124` without a schema, and the caller runs it. Another model
needs the schema (source: the vendor's public description of each tool). What is none of these and
no plain tool is run by the vendor itself, or only its models were taught it, as computer use.
"""

from typing import Final

import msgspec

from halfdoor.canon.request import Tool

_TEXT: Final = {"type": "string"}
_LINES: Final = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
_FILE: Final = {"path": _TEXT, "file_text": _TEXT, "old_str": _TEXT, "new_str": _TEXT}

_BASH: Final = (
    "Run a command in a shell that lives on between calls. restart: begin a new shell.",
    {"command": _TEXT, "restart": {"type": "boolean"}},
    (),
)
_EDITOR: Final = (
    (
        "View and edit files. view: path, maybe view_range of first and last line. create: path, "
        "file_text. str_replace: path, old_str (found exactly once), new_str. insert: path, "
        "insert_line (text goes behind it; 0 is the beginning), new_str."
    ),
    {
        "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert"]},
        **_FILE,
        "insert_line": {"type": "integer"},
        "view_range": _LINES,
    },
    ("command", "path"),
)
_MEMORY: Final = (
    (
        "Keep notes in files below /memories, which outlast this conversation. view: path, maybe "
        "view_range. create: path, file_text. str_replace: path, old_str, new_str. insert: path, "
        "insert_line, insert_text. delete: path. rename: old_path, new_path."
    ),
    {
        "command": {
            "type": "string",
            "enum": ["view", "create", "str_replace", "insert", "delete", "rename"],
        },
        **_FILE,
        "insert_line": {"type": "integer"},
        "insert_text": _TEXT,
        "view_range": _LINES,
        "old_path": _TEXT,
        "new_path": _TEXT,
    },
    ("command",),
)
# By the beginning of the type; what follows is the version's date.
_KNOWN: Final = {"bash_2": _BASH, "text_editor_2": _EDITOR, "memory_2": _MEMORY}


def written_out(kind: str, name: str) -> Tool | None:
    """The tool with its schema; None for one that the caller does not run by its type alone."""
    for start, (description, properties, required) in _KNOWN.items():
        if kind.startswith(start):
            schema = {"type": "object", "properties": properties, "required": required}
            return Tool(name, description, msgspec.json.encode(schema))
    return None


def as_function(kind: str, name: str) -> bytes | None:
    """The same on this wire."""
    tool = written_out(kind, name)
    if tool is None:
        return None
    fields = {"name": tool.name, "description": tool.description}
    return msgspec.json.encode(fields | {"input_schema": msgspec.Raw(tool.schema)})


def is_run(kind: str | None) -> bool:
    """Does the vendor run tools of this type, or can only its models use them?"""
    return kind not in {None, "custom"} and written_out(kind or "", "") is None
