import os
import signal
import subprocess
import sys

import pytest

from halfdoor.canon.record import Noted
from halfdoor.cli.serve import banner, beside
from halfdoor.config.cards import cards
from halfdoor.config.defaults import scripted_config
from halfdoor.config.load import load
from halfdoor.config.tables.server import Token
from halfdoor.errors import SetupError
from halfdoor.server.address import Address
from halfdoor.server.tokens import secrets
from halfdoor.store.reader import LogReader

WHERE = Address("127.0.0.1", 4114)
CONFIG = """
[server]
listen = "127.0.0.1:0"
state_dir = "{state}"
[[backends]]
name = "stand-in"
dialect = "openai_chat"
url = "scripted:"
zone = "cloud"
[[models]]
name = "pretender"
backend = "stand-in"
id = "x"
[[rules]]
label = "secret"
ceiling = "network"
"""


@pytest.fixture
def written(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.format(state=tmp_path / "state"))
    file.chmod(0o600)
    return file


def test_the_banner_tells_models_zones_rules_and_what_was_loosened(written):
    loaded = load(written, None, {"HOME": str(written.parent)})
    told = "\n".join(banner(loaded, cards(loaded.config), WHERE))
    for word in ("pretender", "cloud", "SCRIPTED"):
        assert word in told
    said = "!! LOOSENED: `secret` may reach network (config.toml:14); the default is device"
    assert told.count("LOOSENED") == told.count(said) == 1
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:4114 " in told
    assert "OPENAI_BASE_URL=http://127.0.0.1:4114/v1 " in told


def test_a_hard_budget_over_a_model_without_a_price_is_told_at_the_start(written):
    written.write_text(written.read_text() + '[[budgets]]\nname = "b"\nlimit_usd = 1\n')
    loaded = load(written, None, {"HOME": str(written.parent)})
    (said,) = [line for line in banner(loaded, cards(loaded.config), WHERE) if "no price" in line]
    assert said == (
        "!! budget `b`: no price of `pretender` is known, so nothing that it limits is sent there; "
        "hint: state `usd_per_million_tokens` in [[models]]"
    )


def test_a_requirement_is_shown_with_its_rule(tmp_path):
    written = tmp_path / "c.toml"
    written.write_text('[[rules]]\nname = "eu"\nlabel = "*"\nrequire = { region = ["eu"] }\n')
    told = list(banner(load(written, None, {"HOME": str(tmp_path)}), (), WHERE))
    assert "  eu                           cloud    beyond the device: region eu (c.toml:1)" in told


def test_a_gateway_without_a_model_says_so(tmp_path):
    loaded = load(None, None, {"HOME": str(tmp_path)})
    assert any(line.startswith("!! NO MODEL") for line in banner(loaded, (), WHERE))


def test_a_rule_that_nothing_can_match_is_shown_as_such(tmp_path):
    told = list(banner(load(None, None, {"HOME": str(tmp_path)}), (), WHERE))
    (personal,) = [line for line in told if line.split()[0] == "personal"]
    assert "nothing looks for it yet" in personal


def test_the_configuration_of_last_resort_is_loudly_scripted(tmp_path):
    loaded = load(None, None, {"HOME": str(tmp_path)})
    told = list(banner(loaded, cards(scripted_config()), WHERE))
    assert any(line.startswith("!! SCRIPTED MODELS") for line in told)


def test_a_token_is_read_from_the_environment():
    assert secrets((Token("ci", "HD_CI"),), {"HD_CI": "s3cret"}) == (("ci", "s3cret"),)


@pytest.mark.parametrize("secret", ["", "two\nlines", "caf\xe9"])
def test_a_token_without_a_usable_secret_stops_the_start_and_shows_nothing(secret):
    with pytest.raises(SetupError, match="`HD_CI`") as caught:
        secrets((Token("ci", "HD_CI"),), {"HD_CI": secret})
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_and_the_log_says_so(written, processes, stop):
    command = [sys.executable, "-m", "halfdoor", "serve", "--config", str(written)]
    environment = {**os.environ, "HOME": str(written.parent), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=written.parent
    ) as running:
        assert running.stdout is not None
        while "OpenAI SDK" not in running.stdout.readline():
            assert running.poll() is None
        running.send_signal(stop)
        assert running.wait(20) == 0
    with LogReader(written.parent / "state") as log:
        entries = [log.entry(row) for row in log.tail(10)]
    assert [entry.event for entry in entries if isinstance(entry, Noted)] == [
        "started",
        "loosened",
        "stopped",
    ]


def test_a_start_that_fails_ends_its_look_at_the_files_first_and_does_not_abort():
    ended = []

    def look(going):
        while going():
            pass
        ended.append(True)

    with pytest.raises(SetupError), beside(look):
        raise SetupError("the port is taken", hint="take another")
    assert ended
