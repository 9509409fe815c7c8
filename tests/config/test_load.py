import os
import time

import pytest

from halfdoor.canon.cards import Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Above, Require, Rule
from halfdoor.config.load import (
    aliases,
    cards,
    load,
    load_user,
    project_file,
    rules_in_force,
    state_dir,
    user_file,
)
from halfdoor.config.model import Config
from halfdoor.config.offline import flag
from halfdoor.errors import SetupError

ISSUE = """
[server]
listen = "127.0.0.1:4114"
[[tokens]]
name = "ci"
env = "HALFDOOR_TOKEN_CI"
[[backends]]
name = "ollama"
dialect = "openai_chat"
url = "http://127.0.0.1:11434/v1"
zone = "device"
key = "${OLLAMA_API_KEY}"
[[backends]]
name = "anthropic"
dialect = "anthropic_messages"
url = "https://api.anthropic.com"
zone = "cloud"
credentials = "client"
[[models]]
name = "qwen-coder"
backend = "ollama"
id = "qwen3-coder:30b"
context_tokens = 32768
usd_per_million_tokens = { input = 0, output = 0 }
[[models]]
name = "sonnet"
backend = "anthropic"
id = "*"
[[names]]
match = "claude-*"
choose = ["sonnet", "qwen-coder"]
[[rules]]
label = "secret"
ceiling = "device"
above = "refuse"
[[rules]]
name = "pay"
label = "path:payments/**"
ceiling = "network"
[routing]
strategy = "local_first"
"""


@pytest.fixture
def env(tmp_path):
    return {"HOME": str(tmp_path / "home")}


@pytest.fixture
def written(tmp_path):
    def write(text, name="config.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


def test_the_shape_that_was_promised_is_read(written, env):
    loaded = load(written(ISSUE), None, env)
    config = loaded.config
    assert config.server.address == ("127.0.0.1", 4114)
    assert config.tokens[0].env == "HALFDOOR_TOKEN_CI"
    assert config.backends[0].key_env == "OLLAMA_API_KEY"
    assert config.routing.strategy == "local_first"
    pay = config.rules[1]
    assert (pay.name, pay.label, pay.ceiling) == ("pay", "path:payments/**", Zone.NETWORK)
    assert config.rules[0].above is Above.REFUSE
    assert pay.source == "config.toml:36"


def test_models_become_cards(written):
    local, cloud = cards(load_user(written(ISSUE)))
    assert (local.zone, local.model_id, local.vendor) == (Zone.DEVICE, "qwen3-coder:30b", "ollama")
    assert (local.context_tokens, local.price.input, local.price.cached_input) == (32768, 0, None)
    assert (cloud.zone, cloud.client_credentials, cloud.scripted) == (Zone.CLOUD, True, False)


def test_names_become_aliases_in_the_files_order(written):
    (claude,) = aliases(load_user(written(ISSUE)))
    assert (claude.match, claude.choose) == ("claude-*", ("sonnet", "qwen-coder"))


def test_defaults_hold_without_any_rule(env):
    rules = rules_in_force(load(None, None, env))
    assert {r.label: r.ceiling for r in rules} == {
        "secret": Zone.DEVICE,
        "personal": Zone.DEVICE,
        "scan-failed": Zone.DEVICE,
        "not-scanned": Zone.CLOUD,
    }
    assert {r.above for r in rules} == {Above.EXCLUDE}


def test_a_users_rule_replaces_the_default_for_its_label_only(written, env):
    rules = rules_in_force(load(written(ISSUE), None, env))
    secret = [r for r in rules if r.label == "secret"]
    assert [r.above for r in secret] == [Above.REFUSE]
    assert {"personal", "scan-failed", "not-scanned"} <= {r.label for r in rules}


def test_a_path_rule_called_secret_does_not_displace_the_secret_rule(written, env):
    text = '[[rules]]\nname = "secret"\nlabel = "path:a"\nceiling = "cloud"\n'
    rules = rules_in_force(load(written(text), None, env))
    assert any(r.label == "secret" and r.ceiling is Zone.DEVICE for r in rules)


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path):
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf[server]\nlisten = '127.0.0.1:4117'\n")
    assert load_user(file).server.listen == "127.0.0.1:4117"


def test_loosening_a_default_is_noted(written, env):
    loaded = load(written('[[rules]]\nlabel = "secret"\nceiling = "cloud"\n'), None, env)
    assert loaded.notes == (
        "LOOSENED: `secret` may reach cloud (config.toml:1); the default is device",
    )


def test_a_projects_rules_are_added_and_displace_nothing(written, tmp_path, env):
    user = written('[[rules]]\nlabel = "secret"\nceiling = "device"\n')
    written('[[rules]]\nlabel = "secret"\nceiling = "cloud"\n', "repo/.halfdoor.toml")
    loaded = load(user, tmp_path / "repo", env)
    sources = {r.source: r.ceiling for r in rules_in_force(loaded) if r.label == "secret"}
    assert sources == {"config.toml:1": Zone.DEVICE, ".halfdoor.toml:1": Zone.CLOUD}
    assert loaded.project == str(tmp_path / "repo" / ".halfdoor.toml")


def test_a_projects_secret_rule_keeps_the_default_too(written, tmp_path, env):
    written('[[rules]]\nlabel = "secret"\nceiling = "cloud"\n', "repo/.halfdoor.toml")
    rules = rules_in_force(load(None, tmp_path / "repo", env))
    assert min(r.ceiling for r in rules if r.label == "secret") is Zone.DEVICE


@pytest.mark.parametrize("table", ["backends", "tokens", "models", "names"])
def test_a_project_cannot_bring_anything_but_rules(written, tmp_path, env, table):
    written(f'\n[[{table}]]\nname = "x"\n', "repo/.halfdoor.toml")
    with pytest.raises(SetupError, match=rf"^\.halfdoor\.toml:2: unknown key `{table}`"):
        load(None, tmp_path / "repo", env)


def test_a_project_cannot_read_the_environment(written, tmp_path, env):
    written('[gate]\nx = "${HOME}"\n', "repo/.halfdoor.toml")
    with pytest.raises(SetupError, match=r"\.halfdoor\.toml:2: `x` cannot take"):
        load(None, tmp_path / "repo", env)


def test_a_project_may_say_what_its_gate_checks(written, tmp_path, env):
    written('[gate]\noff = ["lint"]\n', "repo/.halfdoor.toml")
    assert load(None, tmp_path / "repo", env).notes == ()
    written("[gate]\nx = 1\n", "repo/.halfdoor.toml")
    with pytest.raises(SetupError, match="unknown key `x`"):
        load(None, tmp_path / "repo", env)


def test_a_project_file_is_sought_up_to_the_checkouts_root(written, tmp_path, env):
    outside = written("", ".halfdoor.toml")
    deep = tmp_path / "repo" / "src" / "deep"
    deep.mkdir(parents=True)
    assert project_file(deep, env) == outside
    (tmp_path / "repo" / ".git").mkdir()
    assert project_file(deep, env) is None
    inside = written("", "repo/.halfdoor.toml")
    assert project_file(deep, env) == inside


def test_a_project_file_is_not_sought_above_home(written, tmp_path, env):
    written("", ".halfdoor.toml")
    (tmp_path / "home" / "x").mkdir(parents=True)
    assert project_file(tmp_path / "home" / "x", env) is None


def test_an_unset_key_is_noted_and_never_its_value(written, env):
    assert any("OLLAMA_API_KEY is not set" in n for n in load(written(ISSUE), None, env).notes)
    loaded = load(written(ISSUE), None, {**env, "OLLAMA_API_KEY": "sk-very-secret"})
    assert not any("OLLAMA_API_KEY" in n for n in loaded.notes)
    assert "sk-very-secret" not in repr(loaded)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps permissions elsewhere")
def test_a_file_that_others_can_read_is_noted(written, env):
    path = written("")
    path.chmod(0o644)
    assert any("can be read by others (mode 644)" in n for n in load(path, None, env).notes)


def test_without_a_file_the_configuration_is_empty(env):
    assert load(None, None, env).config == Config()


def test_the_xdg_folders_are_honoured(tmp_path, env):
    assert user_file(env) == tmp_path / "home/.config/halfdoor/config.toml"
    assert state_dir(Config(), env) == tmp_path / "home/.local/state/halfdoor"
    env |= {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_STATE_HOME": "relative/is/ignored"}
    assert user_file(env) == tmp_path / "c/halfdoor/config.toml"
    assert state_dir(Config(), env) == tmp_path / "home/.local/state/halfdoor"


def test_a_state_folder_may_stand_below_home(written, tmp_path, env):
    loaded = load(written('[server]\nstate_dir = "~/logs"\n'), None, env)
    assert loaded.state_dir == tmp_path / "home" / "logs"


def test_reading_is_fast(written, env):
    path = written(ISSUE)
    load(path, None, env)
    start = time.process_time()
    for _ in range(20):
        load(path, None, env)
    assert (time.process_time() - start) / 20 < 0.02


def test_a_project_file_that_is_a_pipe_is_refused_and_not_waited_for(written, tmp_path, env):
    (tmp_path / "repo").mkdir()
    os.mkfifo(tmp_path / "repo" / ".halfdoor.toml")
    with pytest.raises(SetupError, match="not a regular file"):
        load(written(ISSUE), tmp_path / "repo", env)


def test_a_project_file_that_leads_nowhere_stops_the_start(written, tmp_path, env):
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / ".halfdoor.toml").symlink_to(tmp_path / "gone")
    with pytest.raises(SetupError):
        load(written(ISSUE), tmp_path / "repo", env)


def test_a_model_that_its_engine_sends_on_is_shown_in_the_cloud(written, env):
    config = load_user(written(ISSUE.replace("qwen3-coder:30b", "qwen3-coder:480b-cloud")))
    assert {card.name: card.zone for card in cards(config)}["qwen-coder"] is Zone.CLOUD


TERMS = """
[[backends]]
name = "b"
dialect = "openai_chat"
url = "http://127.0.0.1:11434/v1"
zone = "device"
region = "eu"
training = "never"
retention_days = 30
[[models]]
name = "here"
backend = "b"
id = "qwen3"
[[models]]
name = "there"
backend = "b"
id = "big:cloud"
"""


def test_a_backends_terms_reach_its_cards_but_not_those_that_its_engine_sends_on(tmp_path):
    (tmp_path / "c.toml").write_text(TERMS)
    here, there = cards(load_user(tmp_path / "c.toml"))
    assert here.terms == Terms("eu", "never", 30)
    assert (there.zone, there.terms) == (Zone.CLOUD, Terms())


@pytest.mark.parametrize(
    ("rules", "ceiling"),
    [
        ("", Zone.DEVICE),
        ('[[rules]]\nname = "own"\nlabel = "secret"\nceiling = "cloud"\n', Zone.CLOUD),
        ('[[rules]]\nname = "own"\nlabel = "secret"\nceiling = "network"\n', Zone.NETWORK),
    ],
)
def test_a_rule_that_only_requires_something_widens_nothing(tmp_path, rules, ceiling):
    only = '[[rules]]\nlabel = "secret"\nrequire = { training = "never" }\n'
    (tmp_path / "c.toml").write_text(rules + only)
    loaded = load(tmp_path / "c.toml", None, {"HOME": str(tmp_path)})
    held = [rule for rule in rules_in_force(loaded) if rule.label == "secret"]
    assert min(rule.ceiling for rule in held) == ceiling
    assert held[-1].require == Require(training="never")


def test_a_project_may_require_something_of_every_request(tmp_path):
    (tmp_path / ".halfdoor.toml").write_text(
        '[[rules]]\nlabel = "*"\nrequire = { region = ["eu", "de"], retention_days = 0 }\n'
    )
    loaded = load(None, tmp_path, {"HOME": str(tmp_path)})
    assert loaded.project_rules == (
        Rule("*", "*", Zone.CLOUD, Above.EXCLUDE, ".halfdoor.toml:1", Require(("eu", "de"), "", 0)),
    )


def test_offline_is_a_rule_for_every_request_that_names_who_said_so(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("[server]\noffline = true\n")
    said = load(file, None, {"HOME": str(tmp_path)})
    rule = rules_in_force(said)[-1]
    assert (rule.name, rule.label, rule.ceiling) == ("offline", "*", Zone.DEVICE)
    assert rule.source == "config.toml:2"


def test_the_flag_in_the_state_directory_says_offline_too(tmp_path):
    env = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    place = flag(tmp_path / "state/halfdoor")
    assert load(None, None, env).offline == ""
    place.parent.mkdir(parents=True)
    place.touch()
    assert load(None, None, env).offline == "halfdoor offline on"


def test_a_project_cannot_say_whether_halfdoor_is_offline(tmp_path):
    (tmp_path / ".halfdoor.toml").write_text("[server]\noffline = false\n")
    with pytest.raises(SetupError, match="unknown key"):
        load(None, tmp_path, {"HOME": str(tmp_path)})
