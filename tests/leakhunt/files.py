"""A file under a rule, read in every way that tools have: its text may not reach the cloud.

The twin of each case reads a file that no rule speaks of in the same way, and must get there.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.helpers.asks import Ask
from tests.leakhunt.canaries import Canary
from tests.leakhunt.ground import Ground, ask_for, variants
from tests.leakhunt.places import BOTH, MESSAGES, result_of
from tests.leakhunt.planted import judge
from tests.leakhunt.search import Finder
from tests.leakhunt.status import waits
from tests.leakhunt.tally import Leak, Tally

RULED: Final = "payments"
FREE: Final = "harbour"

CODE: Final = {
    RULED: '''"""Settlement of the moonbase ledger."""


def settle_moonbase_ledger(entries, blue_margin):
    """Carry every open moonbase entry into the next tide."""
    carried = [entry.carry(blue_margin * 7 + 3) for entry in entries if entry.open_in_moonbase]
    return sorted(carried, key=lambda entry: entry.tide_of_moonbase)
''',
    # Nothing like the other: a copy with other names would be known again, and is meant to be.
    FREE: """class Lighthouse:
    height_m: int
    lamp: Lamp | None = None

    async def wait_for_fog(self, every_s: float) -> Fog:
        while (fog := await self.look()) is None:
            await sleep(every_s)
        self.lamp = self.lamp or Lamp(watts=self.height_m)
        return fog
""",
}


def code(folder: str) -> str:
    """The text of `<folder>/ledger.py`; nothing in it says where it stands."""
    return CODE[folder]


NEEDLES: Final = {
    f"line {number} of the ruled file": line.strip().encode()
    for number, line in enumerate(code(RULED).splitlines())
    if "moonbase" in line
}


@dataclass(frozen=True, slots=True)
class Reading:
    """plant: puts a reading of `<folder>/ledger.py` into a request. needs: see `status.WAITING`."""

    name: str
    plant: Callable[[Ask, str], None]
    dialects: frozenset[str] = BOTH
    needs: str = ""


def _call(name: str, make: Callable[[str], dict[str, Any]], shown: str = "{code}") -> Any:
    """A call with these arguments, and a result in which `{code}` and `{folder}` are filled in."""

    def plant(ask: Ask, folder: str) -> None:
        text = shown.replace("{code}", code(folder)).replace("{folder}", folder)
        result_of(ask, name, make(folder), text)

    return plant


def _shell(command: str, shown: str = "{code}", tool: str = "Bash") -> Any:
    return _call(tool, lambda folder: {"command": command.replace("{f}", folder)}, shown)


def _said(text: str) -> Any:
    """In the user's own message, as tools paste and inject it."""

    def plant(ask: Ask, folder: str) -> None:
        said = text.replace("{code}", code(folder)).replace("{folder}", folder)
        ask.body["messages"].append({"role": "user", "content": said})

    return plant


def _lines(folder: str, line: str) -> str:
    return "\n".join(line.format(f=folder, n=n, text=text)
                     for n, text in enumerate(code(folder).splitlines(), 1))  # fmt: skip


def _numbered(line: str, command: str) -> Any:
    """A search's or a pager's output: every line of the file behind what `line` says."""

    def plant(ask: Ask, folder: str) -> None:
        result_of(ask, "Bash", {"command": command.replace("{f}", folder)}, _lines(folder, line))

    return plant


def _found_everywhere(ask: Ask, folder: str) -> None:
    """The search names no file; its output does."""
    result_of(ask, "Grep", {"pattern": "ledger"}, _lines(folder, "{f}/ledger.py:{n}:{text}"))


def _found_below(ask: Ask, folder: str) -> None:
    text = f"{folder}/ledger.py\n" + _lines(folder, "{n}:{text}")
    result_of(ask, "Bash", {"command": "rg --heading def"}, text)


def _diff(ask: Ask, folder: str) -> None:
    head = f"diff --git a/{folder}/ledger.py b/{folder}/ledger.py\nindex 1..2 100644\n"
    head += f"--- a/{folder}/ledger.py\n+++ b/{folder}/ledger.py\n@@ -1 +1 @@\n"
    result_of(ask, "Bash", {"command": "git diff"}, head + _lines(folder, "+{text}"))


def _written(ask: Ask, folder: str) -> None:
    result_of(ask, "Write", {"file_path": f"/w/{folder}/ledger.py", "content": code(folder)}, "ok")


def _edited(ask: Ask, folder: str) -> None:
    lines = code(folder).splitlines()
    change = {"old_string": lines[3], "new_string": lines[5]}
    result_of(ask, "Edit", {"file_path": f"{folder}/ledger.py", **change}, "ok")


def _patched(ask: Ask, folder: str) -> None:
    patch = f"*** Begin Patch\n*** Update File: {folder}/ledger.py\n@@\n"
    patch += _lines(folder, "-{text}") + "\n*** End Patch"
    result_of(ask, "apply_patch", {"input": patch}, "Done")


def _heredoc(ask: Ask, folder: str) -> None:
    command = f"cat > {folder}/ledger.py <<'EOF'\n{code(folder)}EOF"
    result_of(ask, "Bash", {"command": command}, "")


def _listed_command(ask: Ask, folder: str) -> None:
    arguments = {"command": ["bash", "-lc", f"sed -n '1,80p' {folder}/ledger.py"]}
    result_of(ask, "shell", arguments, json.dumps({"output": code(folder)}))


def _parallel(ask: Ask, folder: str) -> None:
    """Two reads at once; the ruled one is second and its result comes first."""
    said = ask.body["messages"]
    said.append({"role": "assistant", "content": [
        {"type": "tool_use", "id": "toolu_p1", "name": "Read", "input": {"file_path": "a.py"}},
        {"type": "tool_use", "id": "toolu_p2", "name": "Read",
         "input": {"file_path": f"/w/{folder}/ledger.py"}},
    ]})  # fmt: skip
    said.append({"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "toolu_p2", "content": code(folder)},
        {"type": "tool_result", "tool_use_id": "toolu_p1", "content": "x = 1"},
    ]})  # fmt: skip


def _document(ask: Ask, folder: str) -> None:
    source = {"type": "text", "media_type": "text/plain", "data": code(folder)}
    part = {"type": "document", "source": source, "title": f"{folder}/ledger.py"}
    ask.body["messages"].append({"role": "user", "content": [part]})


def _system(ask: Ask, folder: str) -> None:
    text = f"Contents of /w/{folder}/ledger.py (project instructions):\n\n{code(folder)}"
    ask.body["messages"].append({"role": "system", "content": text})


def _replaced(ask: Ask, folder: str) -> None:
    lines = code(folder).splitlines()
    text = f"{folder}/ledger.py\n```python\n<<<<<<< SEARCH\n{lines[3]}\n=======\n{lines[5]}\n>>>>>>> REPLACE\n```"
    ask.body["messages"] += [
        {"role": "assistant", "content": text},
        {"role": "user", "content": "Go on."},
    ]


_REMINDER: Final = (
    '<system-reminder>\nCalled the Read tool with the following input: {"file_path":'
    '"/w/{folder}/ledger.py"}\n</system-reminder>\n<system-reminder>\nResult of calling the Read '
    "tool:\n{code}</system-reminder>"
)
READINGS: Final = (
    Reading("Read", _call("Read", lambda f: {"file_path": f"/w/{f}/ledger.py"})),
    Reading("Read, relative", _call("Read", lambda f: {"file_path": f"{f}/ledger.py"})),
    Reading("Read, roundabout", _call("Read", lambda f: {"file_path": f"docs/../{f}//ledger.py"})),
    Reading("Read, on Windows", _call("Read", lambda f: {"file_path": rf"C:\w\{f}\ledger.py"})),
    Reading("Read, in capitals", _call("Read", lambda f: {"file_path": f"/w/{f.upper()}/ledger.py"})),
    Reading("read of several", _call("read_many_files", lambda f: {"paths": ["a.py", f"{f}/ledger.py"]})),
    Reading("Cline's read_file", _call("read_file", lambda f: {"path": f"{f}/ledger.py"})),
    Reading("OpenCode's read", _call("read", lambda f: {"filePath": f"/w/{f}/ledger.py"})),
    Reading("MCP file server", _call("mcp__fs__read_text_file", lambda f: {"path": f"/w/{f}/ledger.py"})),
    Reading("MCP by address", _call("mcp__fs__read_resource", lambda f: {"uri": f"file:///w/{f}/ledger.py"})),
    Reading("notebook", _call("NotebookRead", lambda f: {"notebook_path": f"/w/{f}/a.ipynb"})),
    Reading("cat", _shell("cat {f}/ledger.py")),
    Reading("cat, through a pipe", _shell("cat {f}/ledger.py | head -40 | cat -n")),
    Reading("cat, elsewhere", _shell("cd {f} && cat ledger.py")),
    Reading("cat, quoted in parts", _shell("cat '{f}'/\"ledger\".py")),
    Reading("cat, by a variable", _shell("F={f}/ledger.py; cat $F")),
    Reading("cat, by braces", _shell("cat {{f},tests}/ledger.py")),
    Reading("cat, over a network", _shell("ssh build 'cat /srv/{f}/ledger.py'")),
    Reading("sed -n", _shell("sed -n '1,40p' {f}/ledger.py")),
    Reading("head", _shell("head -n 20 {f}/ledger.py")),
    Reading("head of several", _shell("head *.py", "==> {folder}/ledger.py <==\n{code}")),
    Reading("redirected", _shell("python -m json.tool < {f}/ledger.py")),
    Reading("awk", _shell("awk '{print}' {f}/ledger.py")),
    Reading("python", _shell("python -c \"print(open('{f}/ledger.py').read())\"")),
    Reading("git show", _shell("git show HEAD~2:{f}/ledger.py")),
    Reading("git blame", _shell("git blame -L 1,40 -- {f}/ledger.py")),
    Reading("git log -p", _shell("git log -p -- {f}")),
    Reading("PowerShell", _shell("Get-Content .\\{f}\\ledger.py")),
    Reading("command as a list", _listed_command),
    Reading("grep -rn, no path", _numbered("{f}/ledger.py:{n}:{text}", "grep -rn def .")),
    Reading("grep -r, no numbers", _numbered("{f}/ledger.py:{text}", "grep -r def .")),
    Reading("grep in the folder", _numbered("{n}:{text}", "grep -n '' {f}/*")),
    Reading("Grep that names no file", _found_everywhere),
    Reading("rg with headings", _found_below),
    Reading("git diff", _diff),
    Reading("Write", _written),
    Reading("Edit", _edited),
    Reading("apply_patch", _patched),
    Reading("heredoc", _heredoc),
    Reading("SEARCH/REPLACE", _replaced),
    Reading("parallel reads", _parallel, MESSAGES),
    Reading("document", _document, MESSAGES, needs="titles"),
    Reading("system message", _system),
    Reading("reminder of a read", _said(_REMINDER)),
    Reading("pasted with its name", _said("{folder}/ledger.py\n```python\n{code}```\nWhat is it?")),
    Reading("pasted in tags", _said('<file path="{folder}/ledger.py">\n{code}</file>')),
    Reading("traceback", _said('  File "/w/{folder}/ledger.py", line 6, in settle\n{code}')),
    Reading("pasted without its name", _said("What does this do?\n{code}"), needs="pasted"),
)  # fmt: skip


async def hunt(ground: Ground, planted: tuple[Canary, ...], tally: Tally) -> None:
    """Twin, ruled file, twin …, in both dialects and forms, to both dialects of backends."""
    del planted
    finder = Finder(NEEDLES)
    ground.cloud.take()
    for reading, dialect, stream, asked in _cases(tally):
        form = "streamed" if stream else "whole"
        case = f"{reading.name}: {dialect} {form} to {asked}"
        twin = ask_for(dialect, asked, stream=stream)
        reading.plant(twin, FREE)
        await _harmless(ground, twin, f"the twin of {case}", finder, tally)
        ask = ask_for(dialect, asked, stream=stream)
        reading.plant(ask, RULED)
        if not finder.find(json.dumps(ask.body).encode()):
            tally.unplanted.append(case)
        await ground.send(ask)
        judge(ground, case, finder, tally)
        tally.tried["file", reading.name, "as a tool has it", dialect] += 1
    last = ask_for("openai_chat", "gpt-5", stream=False)
    await _harmless(ground, last, "the last control", finder, tally)


def _cases(tally: Tally) -> Iterator[tuple[Reading, str, bool, str]]:
    for reading in READINGS:
        for dialect, stream, asked in variants():
            if dialect not in reading.dialects:
                continue
            if waits(reading.needs):
                tally.waiting[reading.needs] += 1
            else:
                yield reading, dialect, stream, asked


async def _harmless(ground: Ground, ask: Ask, case: str, finder: Finder, tally: Tally) -> None:
    answer = await ground.send(ask)
    came = ground.cloud.take()
    tally.controls += 1
    tally.bytes_searched += len(came)
    if answer.zone != "cloud" or not came:
        tally.held.append(f"{case}: {answer.status} {answer.body[:200]!r}")
    tally.leaks += [Leak(case, trace.needle) for trace in finder.find(came)]
    ground.reset()
