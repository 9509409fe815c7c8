"""The README's session is run, and must print what it says but for ids, times and hashes."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
HALFDOOR = [sys.executable, "-m", "halfdoor"]


def session() -> list[tuple[str, list[str]]]:
    """(command, lines it prints) in order."""
    block = README.split("<!-- session:")[1].split("```console\n")[1].split("```")[0]
    steps: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def plain(line: str) -> str:
    """The text without what differs from run to run, nor how it was wrapped."""
    line = re.sub(r"hd_[0-9a-z]{26}", "ID", line)
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", line)
    line = re.sub(r"\b[0-9a-f]{64}\b", "HASH", line)
    line = re.sub(r"\d+ ms", "N ms", line)
    return re.sub(r"\d+ signed checkpoints? over \d+ of them", "N signed", line)


def told(lines: list[str]) -> str:
    """What is told of the log's newest head depends on the second; all else is compared."""
    # Joined first: a time may be wrapped between its number and its unit.
    text = plain(" ".join(line.strip() for line in lines))
    return re.sub(r" log +entry .*", "", re.sub(r" +", " ", text)).strip()


@pytest.fixture
def gateway(tmp_path, loopback, processes):
    """`halfdoor serve` in an empty home, as a person would start it."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "80"}
    command = [*HALFDOOR, "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as serving:
        assert serving.stdout
        first = serving.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
        assert found, first
        yield int(found[1]), environment
        serving.send_signal(signal.SIGINT)
        serving.stdout.read()
    assert serving.returncode == 0


def curl(command: str, port: int) -> list[str]:
    """`curl -si HOST/PATH -d @FILE | grep WORD`, as the README uses it."""
    match = re.fullmatch(r"curl -si [\d.:]+(/\S+) -d @(\S+) \| grep (\S+)", command)
    assert match, command
    path, file, word = match.groups()
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = (ROOT / file).read_bytes().replace(b"\n", b"")  # as curl's -d @FILE does
    client.request("POST", path, body, {"user-agent": "curl/8.0"})
    answer = client.getresponse()
    answer.read()
    client.close()
    return [f"{name}: {value}" for name, value in answer.getheaders() if word in name]


def test_the_session_of_the_readme_is_true(gateway):
    port, environment = gateway
    for command, lines in session():
        if command.startswith("curl "):
            printed = curl(command, port)
        else:
            time.sleep(0.05)  # a client's last byte may come before the outcome is in the log
            asked = [*HALFDOOR, *command.split()[1:]]
            printed = subprocess.run(
                asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout.splitlines()
        assert told(printed) == told(lines), command


def test_every_file_and_command_that_the_readme_names_exists():
    from halfdoor.cli import COMMANDS

    for path in re.findall(r"\]\(([\w/.-]+)\)", README):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"`halfdoor (\w+)", README):
        assert name in COMMANDS, name
    assert set(COMMANDS) <= set(re.findall(r"halfdoor (\w+)", README))


def test_the_configuration_in_the_readme_loads(tmp_path):
    from halfdoor.config.load import load_user

    block = README.split("```toml\n")[1].split("```")[0]
    file = tmp_path / "config.toml"
    file.write_text(block)
    assert [model.name for model in load_user(file).models] == ["qwen-coder", "claude"]
