import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Kind
from halfdoor.config.cards import aliases, cards
from halfdoor.config.check import check
from halfdoor.config.defaults import default_config
from halfdoor.config.found import PROVIDERS, Discovered, Engine, FoundModel
from halfdoor.config.model import Config, Tables
from halfdoor.config.parse import Source, tables
from halfdoor.config.writing import commented

OLLAMA = Engine(
    "ollama",
    "http://127.0.0.1:11434/v1",
    (FoundModel("qwen3-coder:30b", 32768), FoundModel("gpt-oss:120b-cloud", elsewhere=True)),
)
ANTHROPIC = PROVIDERS[0]


def read_back(config):
    source = Source("config.toml", commented(config))
    read = tables(source, Tables)
    check(source, read)
    return Config(server=read.server, backends=read.backends, models=read.models, names=read.names)


def test_nothing_found_gives_two_scripted_models():
    near, far = cards(default_config(Discovered()))
    assert (near.scripted, near.zone, near.dialect) == (True, Zone.DEVICE, "openai_chat")
    assert (far.scripted, far.zone, far.dialect) == (True, Zone.CLOUD, "anthropic_messages")


def test_an_engine_without_models_is_nothing():
    found = Discovered(engines=(Engine("vllm", "http://127.0.0.1:8000/v1"),))
    assert all(card.scripted for card in cards(default_config(found)))


def test_what_is_asked_for_goes_to_its_vendor_first_and_home_next():
    config = default_config(Discovered((OLLAMA,), (ANTHROPIC,)))
    chosen = {alias.match: alias.choose for alias in aliases(config)}
    assert chosen["claude-*"] == ("claude", "qwen3-coder:30b", "gpt-oss:120b-cloud")
    assert chosen["gpt-*"] == ("qwen3-coder:30b", "gpt-oss:120b-cloud")
    assert "*" not in chosen


def test_a_model_that_an_engine_runs_elsewhere_is_in_the_cloud():
    zones = {card.name: card.zone for card in cards(default_config(Discovered((OLLAMA,))))}
    assert zones == {"qwen3-coder:30b": Zone.DEVICE, "gpt-oss:120b-cloud": Zone.CLOUD}


def test_two_engines_with_the_same_model_keep_both():
    twin = Engine("lmstudio", "http://127.0.0.1:1234/v1", (FoundModel("qwen3-coder:30b"),))
    names = [card.name for card in cards(default_config(Discovered((OLLAMA, twin))))]
    assert "lmstudio/qwen3-coder:30b" in names


def test_engines_and_vendors_that_fill_in_the_middle_are_asked_for_it_in_their_way():
    llamacpp = Engine("llamacpp", "http://127.0.0.1:8080/v1", (FoundModel("qwen"),))
    vllm = Engine("vllm", "http://127.0.0.1:8000/v1", (FoundModel("big"),))
    found = cards(default_config(Discovered((OLLAMA, llamacpp, vllm), PROVIDERS)))
    fills = {card.backend: card.fim.value for card in found if Kind.COMPLETION in card.kinds}
    assert fills == {"ollama": "", "ollama-cloud": "", "llamacpp": "infill", "mistral": "mistral"}


@pytest.mark.parametrize("found", [Discovered(), Discovered((OLLAMA,), PROVIDERS)])
def test_the_written_file_reads_back_the_same(found):
    config = default_config(found)
    assert read_back(config) == config


def test_scripted_models_are_loudly_labelled():
    assert commented(default_config(Discovered())).count("NOT A MODEL") == 2


IDS = st.text(min_size=1, max_size=40).filter(str.strip) | st.sampled_from(["auto", "a b", "a-b"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds(FoundModel, IDS, st.none() | st.integers(1, 10**6), st.booleans())))
def test_whatever_an_engine_calls_its_models_can_be_written_and_read(models):
    config = default_config(Discovered((Engine("vllm", "http://[::1]:8000/v1", tuple(models)),)))
    assert read_back(config) == config
