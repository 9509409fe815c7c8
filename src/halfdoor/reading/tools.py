"""The tools of coding clients: one row a tool, which arguments hold what, and what the call does.

Data, read by `reading.effects`. Names of arguments are as the clients' published schemas spell
them (2026-11); case, `_` and `-` do not matter. A tool that has no row, and an argument that its
row does not name, are read by the argument's name alone.

INVARIANT: a row never reads less than the names do; `tests/reading/test_tools.py` holds it.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Effect(StrEnum):
    """What a call does to files. RUNS may do all of the others.

    ASKS touches none itself: it asks a person, another agent, the web, or notes a plan.
    """

    READS = "reads"
    WRITES = "writes"
    SEARCHES = "searches"
    LISTS = "lists"
    RUNS = "runs"
    ASKS = "asks"


READS, WRITES, SEARCHES, LISTS, RUNS, ASKS = Effect


class Tool(Struct, frozen=True):
    """One tool of one client.

    paths: arguments that hold files, folders or globs. folders: those in which the other paths lie.
    commands: shell text, or code that holds some. patches: text with its own file headers.
    contents: what is written or looked for, which names no file that is touched.
    resumes: its result is more output of commands that earlier calls started.
    """

    client: str
    name: str
    effect: Effect
    paths: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    patches: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    resumes: bool = False


_CLAUDE: Final = "claude-code"
_CODEX: Final = "codex"
_OPENCODE: Final = "opencode"
_CLINE: Final = "cline"
_CONTINUE: Final = "continue"
_MCP: Final = "mcp"

# Aider has no tools: its file blocks are read from the text, see `effects.paths_in_result`.
TOOLS: Final = (
    Tool(_CLAUDE, "Read", READS, paths=("file_path",)),
    Tool(_CLAUDE, "Write", WRITES, paths=("file_path",), contents=("content",)),
    Tool(_CLAUDE, "Edit", WRITES, paths=("file_path",), contents=("old_string", "new_string")),
    Tool(_CLAUDE, "MultiEdit", WRITES, paths=("file_path",), contents=("edits",)),
    Tool(_CLAUDE, "NotebookRead", READS, paths=("notebook_path",)),
    Tool(_CLAUDE, "NotebookEdit", WRITES, paths=("notebook_path",), contents=("new_source",)),
    Tool(_CLAUDE, "Glob", LISTS, paths=("pattern", "path"), folders=("path",)),
    Tool(_CLAUDE, "Grep", SEARCHES, paths=("path", "glob"), folders=("path",)),
    Tool(_CLAUDE, "LS", LISTS, paths=("path",)),
    Tool(_CLAUDE, "LSP", SEARCHES, paths=("filePath",)),
    Tool(_CLAUDE, "Bash", RUNS, commands=("command",)),
    Tool(_CLAUDE, "Monitor", RUNS, commands=("command",)),
    Tool(_CLAUDE, "PowerShell", RUNS, commands=("command",)),
    Tool(_CLAUDE, "BashOutput", RUNS, resumes=True),
    Tool(_CLAUDE, "TaskOutput", RUNS, resumes=True),
    Tool(_CLAUDE, "KillShell", RUNS, resumes=True),
    Tool(_CLAUDE, "Task", ASKS),
    Tool(_CLAUDE, "Agent", ASKS),
    Tool(_CLAUDE, "TodoWrite", ASKS, contents=("todos",)),
    Tool(_CLAUDE, "AskUserQuestion", ASKS),
    Tool(_CLAUDE, "ExitPlanMode", ASKS),
    Tool(_CLAUDE, "WebFetch", ASKS),
    Tool(_CLAUDE, "WebSearch", ASKS),
    Tool(_CLAUDE, "Skill", ASKS),
    Tool(_CLAUDE, "ReadMcpResourceTool", READS, paths=("uri",)),

    Tool(_CODEX, "shell", RUNS, commands=("command",), folders=("workdir",)),
    Tool(_CODEX, "shell_command", RUNS, commands=("command",), folders=("workdir",)),
    Tool(_CODEX, "local_shell", RUNS, commands=("command",), folders=("working_directory",)),
    Tool(_CODEX, "container.exec", RUNS, commands=("cmd",), folders=("workdir",)),
    Tool(_CODEX, "exec_command", RUNS, commands=("cmd",), folders=("workdir",)),
    Tool(_CODEX, "write_stdin", RUNS, commands=("chars",), resumes=True),
    Tool(_CODEX, "exec", RUNS, commands=("input", "code", "source"), patches=("input",)),
    Tool(_CODEX, "js_repl", RUNS, commands=("input", "code"), patches=("input",)),
    Tool(_CODEX, "wait", RUNS, resumes=True),
    Tool(_CODEX, "apply_patch", WRITES, patches=("input", "patch")),
    Tool(_CODEX, "view_image", READS, paths=("path",)),
    Tool(_CODEX, "read_file", READS, paths=("file_path",)),
    Tool(_CODEX, "list_dir", LISTS, paths=("dir_path",)),
    Tool(_CODEX, "grep_files", SEARCHES, paths=("path", "include"), folders=("path",)),
    Tool(_CODEX, "read_mcp_resource", READS, paths=("uri",)),
    Tool(_CODEX, "update_plan", ASKS, contents=("plan", "explanation")),
    Tool(_CODEX, "spawn_agent", ASKS),
    Tool(_CODEX, "web_search", ASKS),
    Tool(_CODEX, "request_user_input", ASKS),

    Tool(_OPENCODE, "read", READS, paths=("filePath",)),
    Tool(_OPENCODE, "write", WRITES, paths=("filePath",), contents=("content",)),
    Tool(_OPENCODE, "edit", WRITES, paths=("filePath",), contents=("oldString", "newString")),
    Tool(_OPENCODE, "multiedit", WRITES, paths=("filePath",), contents=("edits",)),
    Tool(_OPENCODE, "patch", WRITES, patches=("patchText",)),
    Tool(_OPENCODE, "apply_patch", WRITES, patches=("patchText",)),
    Tool(_OPENCODE, "grep", SEARCHES, paths=("path", "include"), folders=("path",)),
    Tool(_OPENCODE, "glob", LISTS, paths=("pattern", "path"), folders=("path",)),
    Tool(_OPENCODE, "list", LISTS, paths=("path",)),
    Tool(_OPENCODE, "bash", RUNS, commands=("command",), folders=("workdir",)),
    Tool(_OPENCODE, "lsp", SEARCHES, paths=("filePath",)),
    Tool(_OPENCODE, "task", ASKS),
    Tool(_OPENCODE, "todowrite", ASKS, contents=("todos",)),
    Tool(_OPENCODE, "todoread", ASKS),
    Tool(_OPENCODE, "webfetch", ASKS),
    Tool(_OPENCODE, "websearch", ASKS),
    Tool(_OPENCODE, "codesearch", ASKS),
    Tool(_OPENCODE, "skill", ASKS),
    Tool(_OPENCODE, "question", ASKS),

    Tool(_CLINE, "read_file", READS, paths=("path", "absolutePath")),
    Tool(_CLINE, "write_to_file", WRITES, paths=("path", "absolutePath"), contents=("content",)),
    Tool(_CLINE, "replace_in_file", WRITES, paths=("path", "absolutePath"), patches=("diff",)),
    Tool(_CLINE, "search_files", SEARCHES, paths=("path", "file_pattern"), folders=("path",)),
    Tool(_CLINE, "list_files", LISTS, paths=("path",)),
    Tool(_CLINE, "list_code_definition_names", LISTS, paths=("path",)),
    Tool(_CLINE, "execute_command", RUNS, commands=("command",)),
    Tool(_CLINE, "attempt_completion", RUNS, commands=("command",)),
    Tool(_CLINE, "use_mcp_tool", RUNS),
    Tool(_CLINE, "access_mcp_resource", READS, paths=("uri",)),
    Tool(_CLINE, "new_task", ASKS),
    Tool(_CLINE, "web_fetch", ASKS),
    Tool(_CLINE, "browser_action", ASKS),
    Tool(_CLINE, "ask_followup_question", ASKS),
    Tool(_CLINE, "plan_mode_respond", ASKS),
    # Cline's newer kit, used by its command line.
    Tool(_CLINE, "read_files", READS, paths=("files", "file_paths", "paths", "path", "input")),
    Tool(_CLINE, "search_codebase", SEARCHES),
    Tool(_CLINE, "run_commands", RUNS, commands=("commands", "command", "cmd", "input")),
    Tool(_CLINE, "editor", WRITES, paths=("path",), contents=("old_text", "new_text")),
    Tool(_CLINE, "ask_question", ASKS),
    Tool(_CLINE, "fetch_web_content", ASKS),

    Tool(_CONTINUE, "Read", READS, paths=("filepath",)),
    Tool(_CONTINUE, "Write", WRITES, paths=("filepath",), contents=("content",)),
    Tool(_CONTINUE, "List", LISTS, paths=("dirpath",)),
    Tool(_CONTINUE, "Search", SEARCHES, paths=("path", "file_pattern"), folders=("path",)),
    Tool(_CONTINUE, "Bash", RUNS, commands=("command",)),
    Tool(_CONTINUE, "CheckBackgroundJob", RUNS, resumes=True),
    Tool(_CONTINUE, "Checklist", ASKS, contents=("checklist",)),
    Tool(_CONTINUE, "Diff", RUNS),
    Tool(_CONTINUE, "Subagent", ASKS),
    Tool(_CONTINUE, "Fetch", ASKS),
    Tool(_CONTINUE, "read_file", READS, paths=("filepath",)),
    Tool(_CONTINUE, "read_file_range", READS, paths=("filepath",)),
    Tool(_CONTINUE, "create_new_file", WRITES, paths=("filepath",), contents=("contents",)),
    Tool(_CONTINUE, "edit_existing_file", WRITES, paths=("filepath",), contents=("changes",)),
    Tool(_CONTINUE, "single_find_and_replace", WRITES, paths=("filepath",)),
    Tool(_CONTINUE, "run_terminal_command", RUNS, commands=("command",)),
    Tool(_CONTINUE, "file_glob_search", LISTS, paths=("pattern",)),
    Tool(_CONTINUE, "grep_search", SEARCHES),
    Tool(_CONTINUE, "ls", LISTS, paths=("dirPath",)),
    Tool(_CONTINUE, "view_subdirectory", LISTS, paths=("directory_path",)),
    Tool(_CONTINUE, "view_repo_map", LISTS),
    Tool(_CONTINUE, "view_diff", RUNS),

    # The reference servers (filesystem, git), editors' text tools, and shells behind MCP.
    Tool(_MCP, "read_file", READS, paths=("path",)),
    Tool(_MCP, "read_text_file", READS, paths=("path",)),
    Tool(_MCP, "read_media_file", READS, paths=("path",)),
    Tool(_MCP, "read_multiple_files", READS, paths=("paths",)),
    Tool(_MCP, "write_file", WRITES, paths=("path",), contents=("content",)),
    Tool(_MCP, "edit_file", WRITES, paths=("path",), contents=("edits",)),
    Tool(_MCP, "create_directory", WRITES, paths=("path",)),
    Tool(_MCP, "move_file", WRITES, paths=("source", "destination")),
    Tool(_MCP, "list_directory", LISTS, paths=("path",)),
    Tool(_MCP, "list_directory_with_sizes", LISTS, paths=("path",)),
    Tool(_MCP, "directory_tree", LISTS, paths=("path",)),
    Tool(_MCP, "search_files", LISTS, paths=("path", "pattern"), folders=("path",)),
    Tool(_MCP, "get_file_info", READS, paths=("path",)),
    Tool(_MCP, "get_file_contents", READS, paths=("path",)),
    Tool(_MCP, "create_or_update_file", WRITES, paths=("path",), contents=("content",)),
    Tool(_MCP, "git_status", LISTS, paths=("repo_path",)),
    Tool(_MCP, "git_diff", RUNS, paths=("repo_path",)),
    Tool(_MCP, "git_diff_unstaged", RUNS, paths=("repo_path",)),
    Tool(_MCP, "git_diff_staged", RUNS, paths=("repo_path",)),
    Tool(_MCP, "git_show", RUNS, paths=("repo_path",)),
    Tool(_MCP, "git_add", WRITES, paths=("repo_path", "files"), folders=("repo_path",)),
    Tool(_MCP, "str_replace_editor", WRITES, paths=("path",), commands=("command",)),
    Tool(_MCP, "str_replace_based_edit_tool", WRITES, paths=("path",), commands=("command",)),
    Tool(_MCP, "find_file", LISTS, paths=("file_mask",), folders=("relative_path",)),
    Tool(_MCP, "find_symbol", SEARCHES, paths=("relative_path",), contents=("name_path",)),
    Tool(_MCP, "list_dir", LISTS, paths=("relative_path",)),
    Tool(_MCP, "execute_shell_command", RUNS, commands=("command",), folders=("cwd",)),
    Tool(_MCP, "run_command", RUNS, commands=("command",), folders=("cwd",)),
    Tool(_MCP, "run_shell_command", RUNS, commands=("command",), folders=("directory",)),
    Tool(_MCP, "start_process", RUNS, commands=("command",)),
    Tool(_MCP, "read_process_output", RUNS, resumes=True),
    Tool(_MCP, "interact_with_process", RUNS, commands=("input",), resumes=True),
)  # fmt: skip


class Role(StrEnum):
    """What an argument holds; of two rows that differ the earlier here holds."""

    PATH = "path"
    COMMAND = "command"
    PATCH = "patch"
    CONTENT = "content"


# What an argument's name tells by itself, plain (see `plain`).
BY_NAME: Final[dict[str, Role]] = {
    name: role
    for role, names in {
        Role.PATH: (
            "path", "file", "filepath", "filename", "notebookpath", "targetfile", "absolutepath",
            "relativepath", "relativeworkspacepath", "paths", "files", "filepaths", "filenames",
            "uri", "directory", "dir", "dirpath", "directorypath", "folder", "folderpath", "cwd",
            "workdir", "workingdirectory", "source", "destination", "src", "dst", "oldpath",
            "newpath", "root", "rootpath", "repopath", "include", "glob", "globs", "filepattern",
            "filemask", "targetdirectories", "includepattern", "pathsincludeglob", "pathspec",
            "location", "outputpath", "inputpath", "documentpath",
        ),
        Role.COMMAND: (
            "command", "cmd", "commands", "script", "commandline", "shellcommand", "chars",
        ),
        Role.PATCH: ("input", "patch", "patchtext", "diff", "arguments"),
        # What is written into a file is not where the file is.
        Role.CONTENT: (
            "content", "contents", "text", "filetext", "newstring", "oldstring", "newstr", "oldstr",
            "newtext", "oldtext", "inserttext", "newsource", "codeedit", "replacement", "body",
        ),
    }.items()
    for name in names
}  # fmt: skip

# Arguments that hold the folder in which a command runs, whatever the tool.
FOLDERS: Final = frozenset(("cwd", "workdir", "workingdirectory"))


class Kind(Struct, frozen=True):
    """All rows of one name together, since a body does not say which client wrote it.

    roles: by plain argument; an argument may be both command and patch, so each has a set.
    lists: its result's lines may be names of files.
    """

    roles: dict[str, frozenset[Role]]
    folders: frozenset[str] = FOLDERS
    lists: bool = True
    runs: bool = True
    resumes: bool = False


# A tool nobody knows may do anything, but keeps no shell of its own that later calls share.
UNKNOWN: Final = Kind({}, runs=False)


def plain(name: str) -> str:
    """A tool's or an argument's name without its server, case, `_` and `-`."""
    return name.rpartition("__")[2].replace("_", "").replace("-", "").lower()


def kind_of(name: str) -> Kind:
    """What is known of a tool, by its name as the model wrote it; UNKNOWN when nothing is.

    `mcp__server__tool`, `server.tool` and `server_tool` are the tool.
    """
    found = _KINDS.get(plain(name))
    rest = name.rpartition("__")[2].replace(".", "_").replace("-", "_")
    while found is None and "_" in rest:
        rest = rest.partition("_")[2]
        found = _KINDS.get(plain(rest))
    return found or UNKNOWN


def _kind(rows: list[Tool]) -> Kind:
    roles: dict[str, set[Role]] = {}
    for row in rows:
        for role, names in (
            (Role.PATH, (*row.paths, *row.folders)),
            (Role.COMMAND, row.commands),
            (Role.PATCH, row.patches),
            (Role.CONTENT, row.contents),
        ):
            for name in names:
                roles.setdefault(plain(name), set()).add(role)
    effects = {row.effect for row in rows}
    return Kind(
        roles={name: frozenset(found) for name, found in roles.items()},
        folders=FOLDERS | {plain(name) for row in rows for name in row.folders},
        lists=not effects.isdisjoint({LISTS, SEARCHES}),
        runs=RUNS in effects,
        resumes=any(row.resumes for row in rows),
    )


_KINDS: Final[dict[str, Kind]] = {
    name: _kind([row for row in TOOLS if plain(row.name) == name])
    for name in dict.fromkeys(plain(row.name) for row in TOOLS)
}
