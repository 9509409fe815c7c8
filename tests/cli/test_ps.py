import json
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import ClassVar

import pytest
from rich.console import Console

from halfdoor.cli.ledger import age, show
from halfdoor.cli.ps import held
from halfdoor.cli.recent import TITLES
from halfdoor.errors import LogError
from halfdoor.server.status import Loaded
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.live import Live
from halfdoor.store.schema import FILE
from tests.cli.commands import halfdoor, settle_in
from tests.record.samples import decided, exchange_id
from tests.store.ledgers import written


class Status(BaseHTTPRequestHandler):
    """A gateway that answers one question."""

    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.send_header("content-length", "12")
        self.end_headers()
        self.wfile.write(b"halfdoor ok\n")

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def gateway():
    with HTTPServer(("127.0.0.1", 0), Status) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def state(tmp_path, monkeypatch):
    settle_in(monkeypatch, str(tmp_path))
    return tmp_path / "state" / "halfdoor"


def listening(tmp_path, address):
    """A configuration with that address."""
    path = tmp_path / "config.toml"
    path.write_text(f'[server]\nlisten = "{address}"\n')
    return str(path)


@pytest.fixture
def nobody(tmp_path):
    """A configuration whose address nobody listens on."""
    return listening(tmp_path, "127.0.0.1:9")


def test_the_newest_exchanges_are_listed_with_whole_ids(state, nobody):
    written(state)
    lines = halfdoor("ps", "-n", "2", "--config", nobody).stdout.splitlines()
    assert lines[0] == "no gateway answers on 127.0.0.1:9; `halfdoor serve` starts one"
    assert lines[1].split() == [
        "ID",
        "AGE",
        "BY",
        "MODEL",
        "ZONE",
        "RULE",
        "TOKENS",
        "MS",
        "RESULT",
    ]
    assert lines[2].split()[0] == exchange_id(19)
    told = decided(19)
    assert lines[2].split()[2:] == [
        *f"{told.tool} {told.project}".split(),
        "qwen-coder",
        "device",
        "no-keys",
        "3,000+120",
        "1,400",
        "answered",
    ]
    assert len(lines) == 4


def test_a_gateway_that_runs_is_seen(state, tmp_path, gateway):
    told = halfdoor("ps", "--config", listening(tmp_path, gateway)).stdout
    assert f"the gateway answers on {gateway}" in told
    assert "no exchange has been recorded yet" in told


def test_a_gateway_that_was_told_another_address_is_not_denied(state, nobody, gateway):
    Live(state, lambda: time.time_ns() // 1_000_000).opened(gateway)
    assert f"the gateway answers on {gateway}" in halfdoor("ps", "--config", nobody).stdout
    told = json.loads(halfdoor("ps", "--json", "--config", nobody).stdout)
    assert (told["listen"], told["running"]) == (gateway, True)


def test_programs_get_the_same(state, tmp_path, gateway):
    written(state)
    told = json.loads(halfdoor("ps", "--json", "--config", listening(tmp_path, gateway)).stdout)
    assert told["running"] is True
    assert len(told["exchanges"]) == 10
    assert told["exchanges"][0]["usage"]["output_tokens"] == 120
    assert told["exchanges"][0]["result"] == "answered"


def test_exchanges_under_way_and_refused_are_told_apart(state, nobody):
    file = LogFile(state / FILE, LogKeys.load_or_create(state))
    file.append([decided(1), decided(2, plan=(), refusal="rule")], last=True)
    file.close()
    told = json.loads(halfdoor("ps", "--json", "--config", nobody).stdout)
    assert [exchange["result"] for exchange in told["exchanges"]] == ["refused", "open"]


def test_a_log_that_cannot_be_read_is_an_error_and_not_an_empty_list(state, nobody):
    state.mkdir(parents=True)
    (state / FILE).write_bytes(b"no database " * 500)
    with pytest.raises(LogError, match="is damaged"):
        halfdoor("ps", "--config", nobody)


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        ("2026-11-21T11:59:52.000Z", "8s"),
        ("2026-11-21T11:57:00.000Z", "3m"),
        ("2026-11-21T07:00:00.000Z", "5h"),
        ("2026-11-09T12:00:00.000Z", "12d"),
        ("2026-11-21T12:00:05.000Z", "0s"),
    ],
)
def test_ages_are_told_in_one_unit(time, shown):
    assert age(time, datetime(2026, 11, 21, 12, tzinfo=UTC)) == shown


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_a_narrow_screen_loses_columns_and_not_the_ids(width):
    shown = StringIO()
    screen = Console(file=shown, force_terminal=True, color_system=None, width=width)
    row = (
        "hd_01kaj2m3n4p5qr",
        "12d",
        "claude shop",
        "qwen3-coder:30b",
        "device",
        "secret",
        "5+2",
        "43",
        "failed",
    )
    show(screen, TITLES, [row])
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "hd_01kaj2m3n4p5qr" in lines[1]
    assert "failed" in lines[1]
    assert ("claude shop" in lines[1]) == (width >= 80)
    assert ("43" in lines[1]) == (width >= 100)


def test_a_table_on_a_terminal_keeps_to_its_width():
    shown = StringIO()
    screen = Console(file=shown, force_terminal=True, color_system=None, width=80)
    row = (
        "hd_01kaj2m3n4p5qr",
        "12d",
        "a-model-with-a-long-name-indeed",
        "network",
        "path:payments/**",
    )
    show(screen, ("ID", "AGE", "MODEL", "ZONE", "RULE"), [row, row])
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert all("hd_01kaj2m3n4p5qr"[:10] in line for line in lines[1:])


class Widened(Status):
    """A gateway that found one of its models elsewhere."""

    more: ClassVar[dict[str, object]] = {}

    def do_GET(self):
        if self.path == "/healthz":
            super().do_GET()
            return
        near = {"name": "qwen", "backend": "o", "dialect": "d", "scripted": False}
        near |= {"context_tokens": None, "zone": "device", "claimed": "device"} | self.more
        told = {"models": [near, near | {"name": "helper", "zone": "cloud"}]}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(handler):
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def wide():
    with served(Widened) as there:
        yield there


def test_a_model_that_was_found_elsewhere_is_told_by_ps(state, tmp_path, wide):
    config = listening(tmp_path, wide)
    said = halfdoor("ps", "--config", config).stdout.splitlines()
    assert said[1] == "!! helper counts as cloud, not device: `halfdoor doctor`"
    told = json.loads(halfdoor("ps", "--json", "--config", config).stdout)
    assert [model["name"] for model in told["widened"]] == ["helper"]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Loaded("ollama", True, 4096, None, 0.809, 12), "loaded, 4,096 tokens, 81% in GPU memory (ollama, asked 12 s ago)"),
        (Loaded("llamacpp", True, 8192, 4, None, 0), "loaded, 8,192 tokens, 4 requests at once (llamacpp, asked 0 s ago)"),
        (Loaded("lmstudio", False, None, None, None, 3), "not loaded (lmstudio, asked 3 s ago)"),
    ],
)  # fmt: skip
def test_what_an_engine_holds_is_told_in_a_line(model, words):
    assert held(model) == words


class Holding(Widened):
    """A gateway whose engine has said what it holds."""

    held: ClassVar = {"engine": "ollama", "loaded": True, "context_tokens": 4096}
    more: ClassVar[dict[str, object]] = {"held": held | {"slots": None, "gpu": 1.0, "age_s": 2}}


def test_ps_lists_what_is_loaded_for_people_and_for_programs(state, tmp_path):
    with served(Holding) as there:
        config = listening(tmp_path, there)
        said = halfdoor("ps", "--config", config).stdout.splitlines()
        told = json.loads(halfdoor("ps", "--json", "--config", config).stdout)
    assert "qwen: loaded, 4,096 tokens, 100% in GPU memory (ollama, asked 2 s ago)" in said
    assert told["models"][0]["held"]["context_tokens"] == 4096
