import io
import json
import sys
from pathlib import Path

import pytest

from tests.cli.test_cost import SONNET, logged

EXAMPLES = Path(__file__).parents[2] / "examples"
CONFIG = """
[[backends]]
name = "near"
dialect = "openai_chat"
url = "http://127.0.0.1:9/v1"
zone = "device"
[[backends]]
name = "far"
dialect = "anthropic_messages"
url = "https://api.vendor.example"
zone = "cloud"
[[models]]
name = "small"
backend = "near"
id = "s"
[[models]]
name = "large"
backend = "far"
id = "l"
[[names]]
match = "claude-*"
choose = ["large", "small"]
"""
READS = {
    "model": "claude-x",
    "max_tokens": 9,
    "messages": [
        {"role": "user", "content": "look"},
        {
            "role": "assistant",
            "content": [
                {
                    "type": "tool_use",
                    "id": "toolu_1",
                    "name": "Read",
                    "input": {"file_path": "/home/me/shop/payments/invoice.py"},
                }
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "total = 3"}],
        },
    ],
}


@pytest.fixture
def file(home):
    """The user's configuration."""
    path = home / "config.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


def test_a_key_stays_and_it_is_said_what_may_not_see_it(halfdoor, file):
    said = halfdoor("explain", EXAMPLES / "key.json", "--config", file)
    assert said.code == 0
    for line in (
        "found      secret (aws-access-key-id), 1 in messages[2]",
        "rule       secret: no wider than device",
        "permitted  small (device)",
        "excluded   large (cloud): rule secret, label secret",
    ):
        assert line in said.out.splitlines()


def test_a_guessed_dialect_is_called_a_guess(halfdoor, file):
    body = EXAMPLES / "harmless.json"
    assert "a guess" in halfdoor("explain", body, "--config", file).out
    told = halfdoor("explain", body, "--dialect", "anthropic_messages", "--config", file).out
    assert "asked      claude-sonnet-5 (anthropic_messages)" in told


def test_a_project_keeps_a_folder_on_the_device(halfdoor, file, home):
    (home / ".halfdoor.toml").write_text('[[rules]]\nlabel="path:payments/**"\nceiling="device"\n')
    (home / "read.json").write_text(json.dumps(READS))
    said = halfdoor("explain", home / "read.json", "--config", file, "--json")
    told = json.loads(said.out)
    assert told["rule"] == "path:payments/**"
    assert [target["model"] for target in told["plan"]] == ["small"]


def test_a_refusal_is_3_with_its_hint(halfdoor, file):
    body = (EXAMPLES / "key.json").read_text().replace("claude-sonnet-5", "large")
    asked = file.with_name("large.json")
    asked.write_text(body)
    said = halfdoor("explain", asked, "--config", file)
    assert said.code == 3
    assert "permitted  nobody" in said.out
    assert "\nhint       " in said.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# not JSON", "the body is not the JSON expected here"),
        ('{"model": "a", "model": "b", "messages": []}', "holds the same key twice"),
        ('{"model": "nobody", "messages": []}', "no model here answers to `nobody`"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_with_its_file(halfdoor, file, text, said):
    body = file.with_name("body.json")
    body.write_text(text)
    told = halfdoor("explain", body, "--config", file)
    assert told.code == 1
    assert told.err.startswith(f"error: {body}: ")
    assert said in told.err


def test_standard_input_is_read_and_named(halfdoor, file, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[")))
    assert "(standard input): " in halfdoor("explain", "-", "--config", file).err


@pytest.mark.parametrize("name", ["absent", ""])
def test_what_is_no_file_is_an_error_with_a_hint(halfdoor, file, home, name):
    said = halfdoor("explain", home / name, "--config", file)
    assert said.code == 1
    assert "cannot be read" in said.err
    assert "hint: give a request body" in said.err


def test_an_unknown_dialect_lists_the_known_ones(halfdoor, file):
    said = halfdoor("explain", EXAMPLES / "key.json", "--dialect", "smoke", "--config", file)
    assert (said.code, "one of: anthropic_messages, ollama, openai_chat" in said.err) == (1, True)


def test_what_a_rule_requires_of_every_request_is_told(halfdoor, file):
    file.write_text(
        CONFIG.replace('zone = "cloud"', 'zone = "cloud"\nregion = "us"')
        + '[[rules]]\nname = "eu"\nlabel = "*"\nrequire = { region = ["eu"], training = "never" }\n'
    )
    said = halfdoor("explain", EXAMPLES / "harmless.json", "--config", file)
    assert said.code == 0
    unmet = "not on its terms: region, training"
    assert f"excluded   large (cloud): rule eu, label *, {unmet}" in said.out.splitlines()
    told = json.loads(
        halfdoor("explain", EXAMPLES / "harmless.json", "--config", file, "--json").out
    )
    assert told["excluded"][0]["unmet"] == ["region", "training"]


RATES = "usd_per_million_tokens = { input = 3, output = 15, cache_write = 3 }"
PRICED = CONFIG.replace('id = "l"', f'id = "l"\n{RATES}')


def test_a_budget_that_is_used_up_is_seen_as_the_gateway_sees_it(halfdoor, file, home):
    file.write_text(PRICED + '[[budgets]]\nname = "b"\nlimit_usd = 1.500001\n')
    asked = ("explain", EXAMPLES / "harmless.json", "--config", file)
    assert "permitted  large (cloud)" in halfdoor(*asked).out
    assert not (home / ".local/state").exists()
    logged(home / ".local/state/halfdoor", ({}, SONNET, {}))
    said = halfdoor(*asked).out.splitlines()
    assert "permitted  small (device)" in said
    assert "excluded   large (cloud): budget b, it has not enough left" in said


def test_a_model_without_a_price_is_left_out_in_the_words_of_why(halfdoor, file):
    file.write_text(CONFIG + '[[budgets]]\nname = "b"\nlimit_usd = 1\n')
    said = halfdoor("explain", EXAMPLES / "harmless.json", "--config", file).out.splitlines()
    assert "excluded   large (cloud): budget b, no price is known" in said


def test_what_the_cheapest_is_chosen_by_is_told(halfdoor, file):
    file.write_text(PRICED + '[routing]\nstrategy = "cheapest"\n')
    said = halfdoor("explain", EXAMPLES / "harmless.json", "--config", file).out
    assert "tokens, expected to cost: small 0.00 USD, large 0." in said


def test_a_link_is_explained_as_the_file_it_leads_to(halfdoor, file, home):
    shop = home / "shop"
    (shop / "payments").mkdir(parents=True)
    (shop / ".git").mkdir()
    (shop / "docs").symlink_to("payments")
    (shop / ".halfdoor.toml").write_text('[[rules]]\nlabel="path:payments/**"\nceiling="device"\n')
    body = json.dumps(READS).replace("/home/me/shop/payments/invoice.py", "docs/invoice.py")
    (home / "read.json").write_text(body)
    asked = halfdoor("explain", home / "read.json", "--config", file, "--project", shop, "--json")
    label = json.loads(asked.out)["labels"][0]
    assert (label["label"], label["places"]) == ("path:payments/**", ["paths"])
