import tomllib

import pytest
from hypothesis import given

from halfdoor.config.connect import forms, lines
from halfdoor.config.connect.change import Unfit
from halfdoor.config.tools.aider import AIDER
from halfdoor.config.tools.codex import CODEX
from halfdoor.config.tools.continues import CONTINUE
from halfdoor.config.tools.tool import Wish, wished
from tests.config.connect.texts import WISH, place, toml_texts, yaml_texts

SETTINGS = {tool.name: wished(place(tool), WISH) for tool in (AIDER, CODEX, CONTINUE)}


def codex(text, wish=WISH):
    return lines.toml_changed(text, wished(place(CODEX), wish))


def continued(text):
    return lines.yaml_changed(text, SETTINGS["continue"])


@given(toml_texts())
def test_codex_reads_what_was_put_in_and_all_else_as_before(text):
    after, _ = codex(text)
    expected = tomllib.loads(text) | {"model_provider": "halfdoor", "model": "auto"}
    ours = {"name": "halfdoor", "base_url": f"{WISH.root}/v1", "wire_api": "responses"}
    expected["model_providers"] = expected.get("model_providers", {}) | {"halfdoor": ours}
    assert tomllib.loads(after) == expected


@given(toml_texts())
def test_toml_taken_out_again_is_the_same_but_for_a_last_newline(text):
    after, changes = codex(text)
    before, left = forms.undone("toml", after, changes)
    assert (before.rstrip(), left) == (text.rstrip(), ())


@given(yaml_texts())
def test_yaml_taken_out_again_is_the_same_but_for_a_last_newline(text):
    for settings in (SETTINGS["aider"], SETTINGS["continue"]):
        try:
            after, changes = lines.yaml_changed(text, settings)
        except Unfit:
            continue
        before, left = forms.undone("yaml", after, changes)
        assert (before.rstrip(), left) == (text.rstrip(), ())


def test_what_a_person_adds_meanwhile_stays():
    after, changes = codex('model = "gpt-5"\n')
    more = after.replace('"halfdoor"  #', '"mine"  #') + "\n[history]\nmax_bytes = 1\n"
    before, left = forms.undone("toml", more, changes)
    assert tomllib.loads(before) == {
        "model": "gpt-5",
        "model_provider": "mine",
        "history": {"max_bytes": 1},
    }
    assert left == ()


def test_a_table_that_somebody_changed_is_left_and_its_lines_are_named():
    after, changes = codex("")
    before, left = forms.undone("toml", after.replace("/v1", "/v2"), changes)
    assert "base_url" in before
    assert 'wire_api = "responses"' in left


def test_a_window_that_is_known_is_told():
    after, _ = codex("", Wish(WISH.root, context=32_768))
    assert tomllib.loads(after)["model_context_window"] == 32_768


def test_a_token_is_named_by_its_variable():
    after, _ = codex("", Wish(WISH.root, env="HALFDOOR_TOKEN_ANA"))
    assert tomllib.loads(after)["model_providers"]["halfdoor"]["env_key"] == "HALFDOOR_TOKEN_ANA"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("model = ", "no TOML"),
        ('model = """\nx"""\n', "longer than a line"),
        ('[model_providers.halfdoor]\nname = "mine"\n', "already"),
        ("model_providers = { a = { b = 1 } }\n", "no TOML"),
    ],
)
def test_a_toml_file_that_cannot_be_changed_by_lines_is_refused(text, why):
    with pytest.raises(Unfit, match=why):
        codex(text)


def test_continues_entry_goes_first_at_the_lists_own_indent():
    after, _ = continued("name: x\nmodels:\n- name: a\n  model: b\ncontext: []\n")
    assert after.startswith('name: x\nmodels:\n- name: "halfdoor"  # by')
    assert '\n  apiBase: "' in after
    assert after.endswith("- name: a\n  model: b\ncontext: []\n")


def test_a_file_without_models_gets_them_at_its_end():
    after, _ = continued("name: x")
    assert after.startswith('name: x\nmodels:\n  - name: "halfdoor"  # by')


@pytest.mark.parametrize(
    "text",
    [
        "models: [{name: a}]\n",
        "models: &all\n  - name: a\n",
        "models:\n  a: b\n",
        '"models":\n  - name: a\n',
        "models:\n  - a: b\nmodels:\n  - c: d\n",
        "{models: []}\n",
        "- a\n",
        "a: b\n---\nc: d\n",
        "a: b\n...\n",
        "? a\n: b\n",
        "\ta: b\n",
        "models:\n",
    ],
)
def test_a_yaml_shape_that_is_not_recognised_is_refused(text):
    with pytest.raises(Unfit):
        continued(text)


@pytest.mark.parametrize(
    "value", ["|\n  x", "&a x", "[x]", "{a: b}", "x\n  y", "*a", '"x" y', "!t x"]
)
def test_a_yaml_value_that_is_not_plain_is_not_replaced(value):
    with pytest.raises(Unfit, match="no plain value"):
        lines.yaml_changed(f"model: {value}\n", SETTINGS["aider"])


def test_a_plain_yaml_value_is_replaced_and_comes_back():
    text = "model: gpt-5  # mine\nopenai-api-base: http://h:1/v1\n"
    after, changes = lines.yaml_changed(text, SETTINGS["aider"])
    assert 'model: "openai/auto"' in after
    assert "gpt-5" not in after
    assert forms.undone("yaml", after, changes) == (text, ())
