"""What a parent read reaches its workers whole, whatever the files say by then."""

import io

import pytest

from halfdoor.cli.serve import Standing
from halfdoor.config.handing import handed, received
from halfdoor.config.load import load
from halfdoor.errors import SetupError

CONFIG = """
[server]
listen = "127.0.0.1:4999"
offline = true
[[tokens]]
name = "ana"
env = "ANA"
team = "shop"
[[backends]]
name = "vendor"
dialect = "openai_chat"
url = "https://models.example"
zone = "cloud"
key = "${VENDOR_KEY}"
training = "never"
[[models]]
name = "far"
backend = "vendor"
id = "m"
context_tokens = 8192
[[names]]
match = "claude-*"
choose = ["far"]
[[repositories]]
name = "shop"
root = "/srv/shop"
[[rules]]
label = "path:payments/**"
ceiling = "device"
above = "refuse"
[[budgets]]
name = "team"
limit_usd = 100
period = "month"
mode = "hard"
match = { project = "billing" }
[[routes]]
name = "small"
match = { task = ["document"], context_under = 20_000 }
models = ["far"]
set = { temperature = 0.2 }
"""
TIGHTER = '[[rules]]\nlabel = "*"\nceiling = "network"\n'


@pytest.fixture
def read(tmp_path):
    file = tmp_path / "config.toml"

    def read(text=CONFIG):
        file.write_text(text)
        file.chmod(0o600)
        return load(file, None, {"HOME": str(tmp_path), "VENDOR_KEY": "k"})

    return read


def test_all_that_was_read_is_handed_over(read):
    loaded = read()
    assert received(io.BytesIO(handed(loaded))) == loaded


@pytest.mark.parametrize("length", [0, 3, 4, 40])
def test_a_cut_hand_over_starts_nothing(read, length):
    with pytest.raises(SetupError, match="--worker"):
        received(io.BytesIO(handed(read())[:length]))


def test_a_worker_that_is_replaced_gets_what_held_and_not_a_looser_file(read):
    held = read()
    standing = Standing(held, lambda: read(CONFIG.replace('"device"', '"cloud"')))
    standing.renew()
    assert received(io.BytesIO(standing.handed())) == held


def test_a_worker_that_is_replaced_gets_what_was_tightened_since(read):
    standing = Standing(read(), lambda: read(CONFIG + TIGHTER))
    standing.renew()
    assert received(io.BytesIO(standing.handed())) == read(CONFIG + TIGHTER)


def test_a_broken_file_changes_nothing_for_the_workers_to_come(read):
    held = read()
    standing = Standing(held, lambda: read("["))
    standing.renew()
    assert received(io.BytesIO(standing.handed())) == held
