"""Real coding work: whole source files of the running Python, as an agent's requests carry them."""

import json
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(sysconfig.get_path("stdlib"))
# Their files exist to hold keys, broken syntax or other people's code.
SKIPPED = frozenset({"test", "tests", "site-packages", "idlelib", "lib2to3", "__pycache__"})

SYSTEM = (
    "You are a coding agent in a terminal. You read files before you change them, you make the smallest change that "
    "does what was asked, and you run the tests afterwards. Working directory: /home/dev/project. Platform: linux."
)
RULES = (
    "# House rules\n- Prefer editing a file to creating one.\n- Never commit unless asked.\n- Quote code with its path "
    "and line.\n- Stop and ask when a request could mean two things.\n"
)
ASK = "Please read the files below and tell me where the parsing state is kept and which function resets it."


@cache
def _by_size() -> tuple[tuple[int, Path], ...]:
    files = ((path.stat().st_size, path) for path in _files(ROOT))
    return tuple(sorted((size, path) for size, path in files if size >= 512))


def _files(folder: Path) -> Iterator[Path]:
    """Python files below a folder; what is skipped is not even entered, it may be large."""
    for entry in folder.iterdir():
        if entry.name in SKIPPED:
            continue
        if entry.is_dir():
            yield from _files(entry)
        elif entry.suffix == ".py":
            yield entry


def source(near_bytes: int) -> tuple[str, str]:
    """(path, text) of the standard-library file whose size is nearest."""
    _, path = min(_by_size(), key=lambda entry: abs(entry[0] - near_bytes))
    return str(path), path.read_text(encoding="utf-8")


def sources(total_bytes: int, *, at_most: int = 150_000) -> list[tuple[str, str]]:
    """Whole files of together about `total_bytes`, none much above `at_most`, each only once."""
    chosen: dict[str, str] = {}
    left = total_bytes
    while left > 400:
        fresh = [(size, path) for size, path in _by_size() if str(path) not in chosen]
        _, path = min(fresh, key=lambda entry: abs(entry[0] - min(left, at_most)))
        chosen[str(path)] = path.read_text(encoding="utf-8")
        left -= len(chosen[str(path)])
    return list(chosen.items())


STRING: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer", "minimum": 0}
FLAG: dict[str, Any] = {"type": "boolean", "default": False}
STRINGS: dict[str, Any] = {"type": "array", "items": STRING}
PATH: dict[str, Any] = {"type": "string", "description": "Absolute path of the file"}

# name -> (what it does, required properties, optional properties)
TOOLS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "Read": (
        "Read a file, with line numbers.",
        {"file_path": PATH},
        {"offset": NUMBER, "limit": NUMBER},
    ),
    "Write": ("Write a whole file.", {"file_path": PATH, "content": STRING}, {}),
    "Edit": (
        "Replace one exact piece of text in a file; it must occur once unless replace_all is set.",
        {"file_path": PATH, "old_string": STRING, "new_string": STRING},
        {"replace_all": FLAG},
    ),
    "MultiEdit": (
        "Make several replacements in one file, in order, all or none.",
        {
            "file_path": PATH,
            "edits": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {"old_string": STRING, "new_string": STRING},
                    "required": ["old_string", "new_string"],
                    "additionalProperties": False,
                },
            },
        },
        {},
    ),
    "Bash": (
        "Run a shell command in the project and return what it prints.",
        {"command": STRING},
        {"timeout": NUMBER, "run_in_background": FLAG, "description": STRING},
    ),
    "BashOutput": (
        "What a background command has printed.",
        {"bash_id": STRING},
        {"filter": STRING},
    ),
    "KillShell": ("End a background command.", {"shell_id": STRING}, {}),
    "Glob": ("Files whose path matches a pattern.", {"pattern": STRING}, {"path": STRING}),
    "Grep": (
        "Search file contents with a regular expression.",
        {"pattern": STRING},
        {
            "path": STRING,
            "glob": STRING,
            "output_mode": {"enum": ["content", "files_with_matches", "count"]},
            "context": NUMBER,
            "multiline": FLAG,
        },
    ),
    "List": ("The entries of a directory.", {"path": STRING}, {"ignore": STRINGS}),
    "NotebookRead": ("Cells of a notebook.", {"notebook_path": PATH}, {"cell_id": STRING}),
    "NotebookEdit": (
        "Replace, insert or delete a cell.",
        {"notebook_path": PATH, "new_source": STRING},
        {"edit_mode": {"enum": ["replace", "insert", "delete"]}, "cell_id": STRING},
    ),
    "Fetch": (
        "Read a page and answer a question about it.",
        {"url": {"type": "string", "format": "uri"}, "prompt": STRING},
        {},
    ),
    "TodoWrite": (
        "Keep the list of what is to be done.",
        {
            "todos": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "content": STRING,
                        "status": {"enum": ["pending", "in_progress", "done"]},
                    },
                    "required": ["content", "status"],
                },
            }
        },
        {},
    ),
    "TodoRead": ("The list of what is to be done.", {}, {}),
    "Task": (
        "Give a piece of work to another agent.",
        {"description": STRING, "prompt": STRING},
        {"agent": {"enum": ["explore", "review", "general"]}},
    ),
    "GitStatus": ("Changed, staged and unknown files.", {}, {"porcelain": FLAG}),
    "GitDiff": ("Changes since a revision.", {}, {"revision": STRING, "paths": STRINGS}),
    "GitLog": ("Commits, newest first.", {}, {"count": NUMBER, "path": STRING}),
    "RunTests": ("Run tests and return the failures.", {}, {"paths": STRINGS, "last_failed": FLAG}),
    "Lint": ("Run the linter.", {"paths": STRINGS}, {"fix": FLAG}),
    "FindSymbol": (
        "Where a name is defined and used.",
        {"name": STRING},
        {"kind": {"enum": ["class", "function", "variable"]}},
    ),
    "Rename": (
        "Rename a symbol everywhere.",
        {"name": STRING, "new_name": STRING},
        {"dry_run": FLAG},
    ),
    "AskUser": ("Ask the person one question.", {"question": STRING}, {"choices": STRINGS}),
}


def _schemas() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, (what, required, optional) in TOOLS.items():
        yield (
            name,
            what,
            {
                "type": "object",
                "properties": {**required, **optional},
                "required": list(required),
                "additionalProperties": False,
            },
        )


def messages_tools() -> list[dict[str, Any]]:
    """The 24 tools as Messages states them."""
    return [
        {"name": name, "description": what, "input_schema": schema}
        for name, what, schema in _schemas()
    ]


def chat_tools() -> list[dict[str, Any]]:
    """The 24 tools as Chat states them."""
    return [
        {"type": "function", "function": {"name": name, "description": what, "parameters": schema}}
        for name, what, schema in _schemas()
    ]


def messages_body(model: str, files: list[tuple[str, str]]) -> dict[str, Any]:
    """An agent's second turn on Messages: it asked for these files in parallel and got them."""
    calls = [
        {"type": "tool_use", "id": f"toolu_{i:04}", "name": "Read", "input": {"file_path": path}}
        for i, (path, _) in enumerate(files)
    ]
    results: list[dict[str, Any]] = [
        {
            "type": "tool_result",
            "tool_use_id": f"toolu_{i:04}",
            "content": [{"type": "text", "text": text}],
        }
        for i, (_, text) in enumerate(files)
    ]
    results[-1]["cache_control"] = {"type": "ephemeral"}
    return {
        "model": model,
        "max_tokens": 4096,
        "system": [
            {"type": "text", "text": SYSTEM},
            {"type": "text", "text": RULES, "cache_control": {"type": "ephemeral"}},
        ],
        "tools": messages_tools(),
        "messages": [
            {"role": "user", "content": ASK},
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "I will read them."}, *calls],
            },
            {"role": "user", "content": results},
        ],
    }


def chat_body(model: str, files: list[tuple[str, str]]) -> dict[str, Any]:
    """The same turn on Chat."""
    calls = [
        {
            "id": f"call_{i:04}",
            "type": "function",
            "function": {"name": "Read", "arguments": json.dumps({"file_path": path})},
        }
        for i, (path, _) in enumerate(files)
    ]
    return {
        "model": model,
        "max_tokens": 4096,
        "tools": chat_tools(),
        "messages": [
            {"role": "system", "content": f"{SYSTEM}\n{RULES}"},
            {"role": "user", "content": ASK},
            {"role": "assistant", "content": "I will read them.", "tool_calls": calls},
            *(
                {"role": "tool", "tool_call_id": f"call_{i:04}", "content": text}
                for i, (_, text) in enumerate(files)
            ),
        ],
    }
