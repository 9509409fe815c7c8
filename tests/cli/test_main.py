import subprocess
import sys
from importlib.util import find_spec

import pytest

from halfdoor import __version__
from halfdoor.cli import COMMANDS, command
from halfdoor.errors import Denied, SetupError

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


@pytest.mark.parametrize("name", BUILT)
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
        (Denied("no model may see it", rule="r"), 3, "no model may see it"),
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


def test_a_broken_configuration_is_told_with_file_line_and_hint(halfdoor, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("[routing]\nstrategy = 'locl_first'\n")
    said = halfdoor("scan", "-", "--config", file)
    assert said == (
        1,
        "",
        "error: config.toml:2: `strategy` is `locl_first`; hint: did you mean `local_first`?\n",
    )
