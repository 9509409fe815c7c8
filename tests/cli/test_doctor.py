import asyncio
import json
from pathlib import Path

import pytest

from halfdoor.canon.labels import Zone
from halfdoor.cli import checkup
from halfdoor.config.defaults import scripted_config
from halfdoor.config.found import Discovered, Engine, FoundModel
from halfdoor.config.load import Loaded
from halfdoor.config.model import Config
from halfdoor.config.tables.backends import Backend
from halfdoor.config.tables.gate import UserGate
from halfdoor.config.tables.models import Model
from halfdoor.config.tables.server import Token
from halfdoor.errors import BackendError, SetupError
from halfdoor.flow.clock import SystemClock
from halfdoor.store.live import Live
from halfdoor.store.schema import FILE
from tests.helpers.ports import free_port
from tests.store.ledgers import written

CONFIG = """
[server]
listen = "127.0.0.1:{port}"
[[backends]]
name = "b"
dialect = "openai_chat"
url = "http://127.0.0.1:1/v1"
zone = "device"
[[models]]
name = "m"
backend = "b"
id = "x"
"""


def backend(url="http://127.0.0.1:9/v1", zone="device", dialect="openai_chat"):
    return Backend(name="b", dialect=dialect, url=url, zone=zone)


def config(table, model_id="x"):
    return Config(backends=(table,), models=(Model(name="m", backend="b", id=model_id),))


def looked_at(table, answer=None, names=None, *, online=False, model_id="x"):
    """Findings about one backend; answer: (status, body) or an error; names: host → addresses."""
    asked = []

    async def ask(url, permit):
        asked.append(url)
        if isinstance(answer, Exception):
            raise answer
        return answer or (200, b'{"data": [{"id": "x"}]}')

    async def resolve(name):
        if name not in (names or {}):
            raise OSError("no such name")
        return names[name]

    found = asyncio.run(checkup.backends(config(table, model_id), ask, resolve, online=online))
    return {(f.state, f.said) for f in found}, asked


def test_a_backend_that_answers_and_has_its_model_is_well():
    found, asked = looked_at(backend())
    assert found == {
        ("ok", "zone device, as its address shows"),
        ("ok", "answers, and lists 1 model"),
    }
    assert asked == ["http://127.0.0.1:9/v1/models"]


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("http://127.0.0.1:9", "anthropic_messages"),
        ("http://127.0.0.1:9", "ollama"),
        ("http://127.0.0.1:9/v1", "openai_responses"),
    ],
)
def test_a_backend_is_asked_for_its_list_below_one_version(url, dialect):
    _, asked = looked_at(backend(url, dialect=dialect))
    assert asked == ["http://127.0.0.1:9/v1/models"]


def test_a_claim_narrower_than_the_address_fails():
    found, _ = looked_at(backend("http://192.168.1.9/v1"))
    assert (
        "fail",
        "claims `device`, but its address is in `network`: it counts as `network`",
    ) in found


def test_a_name_is_judged_by_its_widest_address():
    names = {"box.lan": ["10.0.0.2", "8.8.8.8"]}
    found, _ = looked_at(backend("http://box.lan/v1", "network"), names=names)
    assert (
        "fail",
        "claims `network`, but its address is in `cloud`: it counts as `cloud`",
    ) in found


def test_a_claim_wider_than_the_address_is_kept():
    found, _ = looked_at(backend(zone="network"))
    assert ("ok", "zone network, as claimed (its address alone: device)") in found


def test_a_cloud_backend_is_neither_looked_up_nor_asked_without_leave():
    found, asked = looked_at(backend("https://api.vendor.example", "cloud"))
    assert (found, asked) == ({("ok", "zone cloud, as claimed: nothing is wider")}, [])
    _, asked = looked_at(backend("https://api.vendor.example", "cloud"), (401, b""), online=True)
    assert asked == ["https://api.vendor.example/models"]


def test_a_name_that_leads_nowhere_fails():
    found, _ = looked_at(backend("http://gone.lan/v1", "network"))
    assert ("fail", "the host of http://gone.lan/v1 cannot be found") in found


def test_requests_in_the_clear_are_warned_of():
    found, _ = looked_at(backend("http://10.0.0.2/v1", "network"))
    assert ("warn", "requests and keys travel unencrypted") in found


@pytest.mark.parametrize("host", ["127.0.0.1:11434", "localhost:11434", "[::1]:11434"])
def test_a_cloud_model_behind_an_engine_here_is_not_warned_of_as_unencrypted(host):
    found, _ = looked_at(backend(f"http://{host}/v1", "cloud"))
    assert all(state == "ok" for state, _ in found)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (BackendError("127.0.0.1:9 refused", kind="connect"), "127.0.0.1:9 refused"),
        ((503, b""), "answers with HTTP 503"),
        ((200, b'{"data": [{"id": "other"}]}'), "does not have `x`"),
    ],
)
def test_a_backend_that_cannot_serve_fails(answer, said):
    found, _ = looked_at(backend(), answer)
    assert ("fail", said) in found


def test_a_model_that_sends_on_its_name_need_not_be_listed():
    found, _ = looked_at(backend(), model_id="*")
    assert all(state == "ok" for state, _ in found)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}"])
def test_a_backend_without_a_list_still_answers(body):
    assert ("ok", "answers") in looked_at(backend(), (200, body))[0]


@pytest.mark.parametrize(("host", "zone"), [("localhost", Zone.DEVICE), ("[::1]", Zone.DEVICE)])
async def test_loopback_by_any_name_is_the_device(host, zone):
    assert await checkup.real_zone(backend(f"http://{host}:1/v1"), checkup.addresses) is zone


def test_a_port_is_free_or_ours_or_taken():
    def taken(listen):
        raise SetupError(f"{listen} is taken", hint="stop it")

    assert checkup.port("h:1", running=True, held=taken).state == "ok"
    assert checkup.port("h:1", running=False, held=lambda _: None).said == "h:1 is free"
    assert checkup.port("h:1", running=False, held=taken).hint == "stop it"


@pytest.mark.parametrize(("free", "state"), [(10**6, "fail"), (5 * 10**8, "warn"), (10**12, "ok")])
def test_a_full_disk_is_told_before_it_stops_service(tmp_path, free, state):
    findings = checkup.state(tmp_path / "a" / "b", lambda _: free)
    assert [f.state for f in findings if f.about == "disk"] == [state]


def test_a_state_folder_that_others_read_is_warned_of(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert next(f.state for f in checkup.state(folder)) == "warn"
    folder.chmod(0o700)
    assert next(f.state for f in checkup.state(folder)) == "ok"


def test_a_state_folder_that_others_write_fails_because_serve_refuses_it(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o770)
    found = next(checkup.state(tmp_path / "state"))
    assert (found.state, "written by others (mode 770)" in found.said) == ("fail", True)


def test_a_state_folder_that_cannot_be_made_fails(tmp_path):
    (tmp_path / "file").write_text("")
    found = next(checkup.state(tmp_path / "file" / "state"))
    assert (found.state, "cannot be made" in found.said) == ("fail", True)


def test_little_room_is_told_in_megabytes(tmp_path):
    said = [f.said for f in checkup.state(tmp_path, lambda _: 300_000) if f.about == "disk"]
    assert said == ["0.3 MB free for the log"]


def test_a_log_that_can_be_used_is_counted(tmp_path):
    assert list(checkup.evidence(tmp_path)) == []
    written(tmp_path)
    (found,) = checkup.evidence(tmp_path)
    assert (found.state, found.said) == ("ok", "40 entries; `halfdoor log verify` proves them")


def test_a_key_that_others_read_fails_with_its_path(tmp_path):
    written(tmp_path)
    (tmp_path / "log.key").chmod(0o644)
    (found,) = checkup.evidence(tmp_path)
    assert (found.state, found.hint) == ("fail", f"chmod 600 {tmp_path / 'log.key'}")


def test_a_log_that_is_none_fails(tmp_path):
    written(tmp_path)
    (tmp_path / FILE).write_bytes(b"no database " * 500)
    (found,) = checkup.evidence(tmp_path)
    assert (found.state, "is damaged" in found.said) == ("fail", True)


def test_scripted_models_are_told_once():
    (found,) = checkup.models(scripted_config())
    assert found.said == "`scripted-local` and `scripted-cloud` are scripted fakes"


def test_a_rule_that_nothing_can_match_is_not_told_as_in_force(tmp_path):
    loaded = Loaded(Config(), tmp_path)
    (rules,) = [f.said for f in checkup.configuration(loaded) if f.about == "rules"]
    assert rules == "secret (device), scan-failed (device), not-scanned (cloud)"


def test_a_state_folder_that_is_a_file_fails(tmp_path):
    (tmp_path / "state").write_text("")
    assert next(f.state for f in checkup.state(tmp_path / "state")) == "fail"


def test_a_token_without_its_secret_fails():
    with_token = Config(tokens=(Token(name="ci", env="CI_TOKEN"),))
    assert [f.state for f in checkup.tokens(with_token, {})] == ["fail"]
    assert list(checkup.tokens(with_token, {"CI_TOKEN": "x"})) == []


@pytest.fixture
def machine(monkeypatch):
    found = Discovered((Engine("ollama", "http://127.0.0.1:11434/v1", (FoundModel("q"),)),))
    monkeypatch.setattr("halfdoor.cli.doctor.look_around", lambda: found)


def test_the_command_fails_when_a_backend_is_down(halfdoor, home, machine):
    file = home / "c.toml"
    file.write_text(CONFIG.format(port=free_port()))
    said = halfdoor("doctor", "--config", file, "--json")
    told = json.loads(said.out)
    assert (said.code, told["healthy"]) == (1, False)
    failed = [f["about"] for f in told["findings"] if f["state"] == "fail"]
    assert failed == ["backend b"]


def test_a_broken_configuration_is_a_finding(halfdoor, home, machine):
    file = home / "c.toml"
    file.write_text("[servr]\n")
    said = halfdoor("doctor", "--config", file)
    assert said.code == 1
    assert "fail config: config.toml".replace("config.toml", "c.toml:1") in said.out
    assert "did you mean `server`?" in said.out
    assert "secret formats find their own examples" in said.out


def test_a_gateway_that_was_told_another_address_is_found(halfdoor, home, machine, monkeypatch):
    async def answers(_where):
        return True

    monkeypatch.setattr("halfdoor.cli.doctor.answers", answers)
    file = home / "c.toml"
    file.write_text(CONFIG.format(port=free_port()))
    Live(home / ".local/state/halfdoor", SystemClock().now_ms).opened("127.0.0.1:7")
    told = json.loads(halfdoor("doctor", "--config", file, "--json").out)
    (port,) = [f for f in told["findings"] if f["about"] == "port"]
    assert port["said"] == "a gateway answers on 127.0.0.1:7"
    assert port["hint"].startswith("the file says 127.0.0.1:")


def test_the_port_of_an_admin_listener_is_looked_at_too(halfdoor, home, machine):
    apart = free_port()
    file = home / "c.toml"
    text = CONFIG.format(port=free_port())
    file.write_text(text.replace("[server]\n", f'[server]\nadmin_listen = "127.0.0.1:{apart}"\n'))
    found = json.loads(halfdoor("doctor", "--config", file, "--json").out)["findings"]
    assert f"127.0.0.1:{apart} is free" in [each["said"] for each in found]


def test_notes_of_the_configuration_are_warnings(halfdoor, home, machine):
    file = home / "c.toml"
    file.write_text(CONFIG.format(port=free_port()))
    Path(file).chmod(0o644)
    said = halfdoor("doctor", "--config", file)
    assert "can be read by others (mode 644)" in said.out
    assert f"hint: chmod 600 {file}" in said.out


def admitted(answer, model_id="x", zone="device"):
    """What doctor finds when an engine says this of its model."""
    asked = []

    async def show(url, permit, body, widest):
        asked.append((url, json.loads(body), widest))
        if isinstance(answer, Exception):
            raise answer
        return answer

    found = asyncio.run(checkup.admissions(config(backend(zone=zone), model_id), show))
    return [(f.state, f.about) for f in found], asked


def test_an_engine_that_sends_a_model_on_fails():
    found, asked = admitted((200, b'{"remote_host":"https://ollama.com"}'))
    assert found == [("fail", "model m")]
    assert asked == [("http://127.0.0.1:9/api/show", {"model": "x"}, Zone.DEVICE)]


@pytest.mark.parametrize(
    "answer",
    [(200, b"{}"), (404, b"404 page not found"), (503, b""), BackendError("no", kind="connect")],
)
def test_an_engine_that_says_nothing_of_the_kind_is_no_finding(answer):
    assert admitted(answer)[0] == []


def test_a_model_whose_name_the_caller_gives_and_one_in_the_cloud_are_not_asked_about():
    assert admitted((200, b"{}"), model_id="*")[1] == []
    assert admitted((200, b"{}"), zone="cloud")[1] == []


def test_the_package_indexes_that_the_gate_may_ask_are_listed():
    gate = UserGate(index="https://pypi.example/simple", npm_index="https://npm.example")
    said = checkup.control_calls(Config(gate=gate), "h:1", online=False).said
    assert "names of packages from pypi.example:443, npm.example:443 (gate --index)" in said
    assert "packages" not in checkup.control_calls(Config(), "h:1", online=False).said
