import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from halfdoor.cli.launch import arguments, status_line, stripped, variables
from halfdoor.cli.options import root_of
from halfdoor.config.load import load
from halfdoor.config.tools import TOOLS, tool_for
from halfdoor.config.tools.claude import CLAUDE
from halfdoor.config.tools.codex import CODEX
from halfdoor.config.tools.tool import filled
from tests.helpers.ports import free_port

SHOW = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:]]))"
ASK = """
import http.client, os
from urllib.parse import urlsplit
client = http.client.HTTPConnection(urlsplit(os.environ["OPENAI_BASE_URL"]).netloc)
body = b'{"model":"auto","messages":[{"role":"user","content":"payments/x.py:3: code"}]}'
key = {"authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
client.request("POST", "/v1/chat/completions", body, key)
print(client.getresponse().getheader("x-halfdoor-rule"))
"""


@pytest.fixture
def project(tmp_path, unused_port):
    """A home with a config, and a project with a rule of its own."""
    home, project = tmp_path / "home", tmp_path / "shop"
    (project / ".git").mkdir(parents=True)
    (project / ".halfdoor.toml").write_text(
        '[[rules]]\nlabel = "path:payments/**"\nceiling = "device"\n'
    )
    config = home / ".config/halfdoor/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[server]\nlisten = "127.0.0.1:{unused_port}"\n'
        '[[backends]]\nname = "fake"\ndialect = "openai_chat"\nurl = "scripted:"\nzone = "device"\n'
        '[[models]]\nname = "m"\nbackend = "fake"\nid = "m"\n'
    )
    config.chmod(0o600)
    return home, project


@pytest.fixture
def unused_port():
    return free_port()


def launched(place, *args, **environment):
    home, project = place
    env = {"PATH": os.environ["PATH"], "HOME": str(home), **environment}
    return subprocess.run(
        [sys.executable, "-m", "halfdoor", "launch", *args],
        env=env, cwd=project, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


def test_print_explains_each_variable_and_starts_nothing(project, processes):
    done = launched(project, "claude", "--print", ANTHROPIC_API_KEY="sk-ant-real")
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:" in done.stdout
    assert "remove  ANTHROPIC_API_KEY" in done.stdout
    assert "CLAUDE_CODE_GATEWAY_HINT_HEADERS=1" in done.stdout
    assert "sk-ant-real" not in done.stdout
    shown = json.loads(launched(project, "claude", "--json").stdout)
    assert all(variable["why"] for variable in shown["set"])


def test_the_tool_gets_a_base_url_and_a_token_and_no_vendors_key(project, processes):
    done = launched(
        project, sys.executable, "--", "-c", SHOW, "a b", OPENAI_API_KEY="sk-real", KEPT="1"
    )
    environment, argv = json.loads(done.stdout)
    assert argv == ["a b"]
    assert environment["OPENAI_API_KEY"].startswith("hd1.")
    assert environment["KEPT"] == "1"
    assert "sk-real" not in done.stdout


def test_a_token_that_is_no_tools_is_kept_from_it(project, processes):
    config = project[0] / ".config/halfdoor/config.toml"
    for role in ("admin", "metrics"):
        table = f'[[tokens]]\nname = "{role}"\nenv = "THE_{role.upper()}"\nrole = "{role}"\n'
        config.write_text(config.read_text() + table)
    secrets = {"THE_ADMIN": "a" * 20, "THE_METRICS": "b" * 20}
    done = launched(project, sys.executable, "--", "-c", SHOW, **secrets)
    environment, _ = json.loads(done.stdout)
    assert not secrets.keys() & environment.keys()


def test_the_projects_rules_hold_for_its_tool_and_the_log_says_who_asked(project, processes):
    done = launched(project, sys.executable, "--", "-c", ASK)
    assert done.stdout.strip() == "path:payments/**", done.stderr
    home, folder = project
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    why = subprocess.run(
        [sys.executable, "-m", "halfdoor", "why", "last", "--json"],
        env=env,
        cwd=folder,
        capture_output=True,
        check=True,
    )
    assert json.loads(why.stdout)["decided"]["project"] == "shop"
    shown = subprocess.run(
        [sys.executable, "-m", "halfdoor", "ps", "--json"],
        env=env,
        cwd=folder,
        capture_output=True,
        check=True,
    )
    newest = json.loads(shown.stdout)["exchanges"][0]
    assert (newest["tool"], newest["project"]) == ("python", "shop")


def test_the_tools_exit_code_is_launchs_own(project, processes):
    assert launched(project, sys.executable, "--", "-c", "raise SystemExit(7)").returncode == 7


def test_a_tool_that_is_not_there_is_said_before_anything_starts(project, processes):
    done = launched(project, "no-such-tool-anywhere")
    assert done.returncode == 1
    assert "not on the PATH" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_gateway_that_launch_started_ends_with_its_tool(project, processes):
    from halfdoor.config.load import load_user

    done = launched(project, sys.executable, "--", "-c", "pass")
    assert done.returncode == 0, done.stderr
    home, folder = project
    listen = load_user(home / ".config/halfdoor/config.toml").server.listen
    again = subprocess.run(
        [sys.executable, "-m", "halfdoor", "ps", "--json"],
        env={"PATH": os.environ["PATH"], "HOME": str(home)}, cwd=folder, capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(again.stdout)["running"] is False, listen


def test_ctrl_c_reaches_the_tool_and_not_launch(project, processes):
    home, folder = project
    code = "import signal, time\ntry:\n  print('up', flush=True); time.sleep(20)\nexcept KeyboardInterrupt:\n  raise SystemExit(5)"
    with subprocess.Popen(
        [sys.executable, "-m", "halfdoor", "launch", sys.executable, "--", "-c", code],
        env={"PATH": os.environ["PATH"], "HOME": str(home)}, cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    ) as running:  # fmt: skip
        assert running.stdout
        assert running.stdout.readline() == "up\n"
        time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        running.wait(20)
    assert running.returncode == 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_launch_that_is_ended_ends_its_tool_and_leaves_no_gateway_behind(
    project, processes, loopback, number
):
    home, folder = project
    port = tomllib.loads((home / ".config/halfdoor/config.toml").read_text())["server"]["listen"]
    wait = "import time; print('begun', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-m", "halfdoor", "launch", sys.executable, "--", "-c", wait],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as running:  # fmt: skip
        assert running.stdout
        assert running.stdout.readline() == "begun\n"
        running.send_signal(number)
        assert running.wait(20) == 128 + number
    with socket.socket() as free:
        assert free.connect_ex(("127.0.0.1", int(port.rpartition(":")[2]))) != 0


def test_a_vendor_that_takes_the_callers_own_key_keeps_it_in_the_tools_hands(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(
        '[[backends]]\nname = "anthropic"\ndialect = "anthropic_messages"\nurl = "https://api.anthropic.com"\n'
        'zone = "cloud"\ncredentials = "client"\n[[models]]\nname = "claude"\nbackend = "anthropic"\nid = "*"\n'
    )
    loaded = load(file, None, {"HOME": str(tmp_path)})
    environ = {"ANTHROPIC_API_KEY": "x", "OPENAI_API_KEY": "y"}
    assert stripped(loaded, environ, {}) == ["OPENAI_API_KEY"]


def test_every_tool_that_can_be_launched_has_an_address_and_a_token():
    for tool in (*(t for t in TOOLS if t.variables), tool_for("anything")):
        values = list(variables(tool, "http://h:1", "hd1.t").values())
        values += [
            *arguments(tool, "http://h:1", "own"),
            filled(tool.file, {"{root}": "http://h:1", "{token}": "hd1.t"}),
        ]
        assert any("http://h:1" in value for value in values), tool.name
        assert any("hd1.t" in value for value in values), tool.name
        assert "{" not in "".join(values).replace("={name=", ""), tool.name


def test_codex_gets_a_provider_of_its_own_and_the_token_in_its_environment_only():
    words = arguments(CODEX, "http://h:1", "")
    provider = tomllib.loads(words[1])["model_providers"]["halfdoor"]
    assert (provider["base_url"], provider["wire_api"]) == ("http://h:1/v1", "responses")
    assert provider["env_key"] in variables(CODEX, "http://h:1", "hd1.t")
    assert "hd1.t" not in "".join(words)
    assert [word for word in words[::2] if word != "-c"] == []


def program(folder, name, code):
    """A tool of that name that does this."""
    file = folder / "bin" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!{sys.executable}\n{code}\n")
    file.chmod(0o755)
    return f"{file.parent}:{os.environ['PATH']}"


def test_codexs_arguments_come_before_the_persons_own(project, processes, tmp_path):
    path = program(tmp_path, "codex", SHOW)
    environment, argv = json.loads(launched(project, "codex", "--", "exec", "hi", PATH=path).stdout)
    assert argv[-2:] == ["exec", "hi"]
    assert argv[0] == "-c"
    assert environment["HALFDOOR_SESSION"].startswith("hd1.")


MINE = '{"statusLine": {"type": "command", "command": "mine"}}'
OWN_LINES = {
    "none": ({}, [], True),
    "in the home": ({"home/.claude/settings.json": MINE}, [], False),
    "in the project": ({"shop/.claude/settings.json": MINE}, [], False),
    "in the project, for one": ({"shop/.claude/settings.local.json": MINE}, [], False),
    "in a file that cannot be read": ({"home/.claude/settings.json": "{"}, [], False),
    "among the arguments": ({}, ["--settings={}"], False),
}


@pytest.mark.parametrize("own", OWN_LINES)
def test_claude_gets_a_status_line_where_its_person_has_none(project, tmp_path, monkeypatch, own):
    home, root = project
    monkeypatch.setenv("HOME", str(home))
    texts, args, given = OWN_LINES[own]
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    words = status_line(CLAUDE, root, args, "halfdoor status")
    told = '{"statusLine":{"type":"command","command":"halfdoor status"}}'
    assert words == (["--settings", told] if given else [])


def test_continue_gets_a_file_for_one_process_that_only_its_owner_reads(
    project, processes, tmp_path
):
    code = "import json, os, sys; f = sys.argv[2]; print(json.dumps([sys.argv, os.stat(f).st_mode & 0o777, open(f).read()]))"
    path = program(tmp_path, "cn", code)
    argv, mode, text = json.loads(launched(project, "continue", "--", "-p", "hi", PATH=path).stdout)
    assert (argv[1], argv[3:], mode) == ("--config", ["-p", "hi"], 0o600)
    assert 'apiKey: "hd1.' in text
    assert not Path(argv[2]).exists()


def test_a_tool_without_variables_cannot_be_launched_but_connected(project, processes):
    assert "halfdoor connect vscode" in launched(project, "vscode").stderr


def test_the_root_is_the_nearest_folder_with_a_repository(tmp_path):
    (tmp_path / "a/.git").mkdir(parents=True)
    (tmp_path / "a/b/c").mkdir(parents=True)
    assert root_of(tmp_path / "a/b/c") == (tmp_path / "a").resolve()
