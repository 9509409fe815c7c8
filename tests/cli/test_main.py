import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from halfdoor import __version__
from halfdoor.backends import guard
from halfdoor.cli import COMMANDS, command
from halfdoor.errors import SetupError

BUILT = [name for name in COMMANDS if find_spec(f"halfdoor.cli.{name}")]


def test_help_names_every_command(halfdoor):
    said = halfdoor("--help")
    assert said.code == 0
    assert all(name in said.out for name in COMMANDS)


def test_help_imports_no_command(processes):
    program = (
        "import sys; sys.argv = ['halfdoor', '--help']\n"
        "from halfdoor.cli import main\n"
        "try: main()\n"
        "finally: heavy = {'aiohttp', 'hyperscan', 'uvicorn', 'asyncio'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("name", BUILT)
def test_a_summary_is_the_first_sentence_of_the_command(name):
    first = (command(name).help or "").partition("\n")[0].strip()
    assert first == COMMANDS[name]


@pytest.mark.parametrize("name", [name for name in BUILT if name != "demo"])  # it brings its own
def test_every_command_takes_a_configuration(name):
    built = command(name)
    for each in getattr(built, "commands", {"": built}).values():
        options = {option for parameter in each.params for option in parameter.opts}
        assert "--config" in options
        assert each.help


def test_the_version_is_told(halfdoor):
    assert halfdoor("--version") == (0, f"halfdoor {__version__}\n", "")


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(halfdoor):
    said = halfdoor("explian")
    assert said.code == 2
    assert "explain" in said.err


def test_an_unknown_option_is_a_usage_error(halfdoor):
    assert halfdoor("doctor", "--nope").code == 2


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (
            SetupError("port taken", hint="stop it", where="x:1"),
            1,
            "x:1: port taken; hint: stop it",
        ),
        (KeyboardInterrupt(), 130, None),
    ],
)
def test_an_error_is_one_line_and_a_code(halfdoor, monkeypatch, raised, code, line):
    def fails():
        raise raised

    monkeypatch.setattr("halfdoor.cli.init.look_around", fails)
    said = halfdoor("init")
    assert said.code == code
    if line:
        assert said.err.splitlines()[-1] == f"error: {line}"
    assert "Traceback" not in said.err


def test_with_json_an_error_is_a_document_too(halfdoor):
    said = halfdoor("why", "last", "--json")
    told = json.loads(said.out)["error"]
    assert (said.code, told["message"]) == (1, "no exchange has been recorded yet")
    assert told["hint"]
    assert told["where"].endswith("log.db")
    assert said.err.startswith("error: ")


def test_a_configuration_before_the_command_is_told_where_it_belongs(halfdoor):
    said = halfdoor("--config", "x.toml", "ps")
    assert said.code == 2
    assert "after the command" in " ".join(said.err.split())


def test_a_project_folder_that_does_not_exist_is_an_error(halfdoor, home):
    for asked in (("explain", "-"), ("doctor",), ("serve",)):
        said = halfdoor(*asked, "--project", home / "absent")
        assert said.code == 1
        assert f"{home / 'absent'}: there is no such folder" in said.err


def piped(home, *arguments, stdout):
    """The command as a shell runs it, its output going where it fails."""
    return subprocess.run(
        [sys.executable, "-m", "halfdoor", *arguments],
        env={"HOME": str(home), "PATH": ""},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("arguments", [("--help",), ("init", "--print"), ("scan", "--json", ".")])
def test_an_output_on_a_full_disk_is_one_line_and_no_traceback(home, processes, arguments):
    with Path("/dev/full").open("w") as full:
        done = piped(home, *arguments, stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: the output cannot be written")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("init", "--print"), ("scan", "--json", ".")])
def test_a_reader_that_left_is_no_traceback(home, processes, arguments):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        done = piped(home, *arguments, stdout=closed)
    assert done.stderr == ""
    assert done.returncode == 1


def test_an_output_that_was_closed_is_no_traceback(home, processes):
    """`halfdoor gate >&-` asks for the exit code alone."""
    program = f"exec {sys.executable} -m halfdoor --version >&-"
    done = subprocess.run(["sh", "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_command_that_runs_is_guarded(halfdoor, home, monkeypatch):
    installed = []
    monkeypatch.setattr(guard, "install", lambda **_: installed.append(True))
    halfdoor("scan", home)
    assert installed


def test_a_broken_configuration_is_told_with_file_line_and_hint(halfdoor, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("[routing]\nstrategy = 'locl_first'\n")
    said = halfdoor("scan", "-", "--config", file)
    assert said == (
        1,
        "",
        "error: config.toml:2: `strategy` is `locl_first`; hint: did you mean `local_first`?\n",
    )
