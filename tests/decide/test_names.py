import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from halfdoor.canon.cards import Alias, Card, Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Listed, Price
from halfdoor.canon.request import Kind
from halfdoor.decide.names import Candidates, Names, candidates, quoted, target, widened
from halfdoor.errors import ClientError

QWEN = Card("qwen-coder", "ollama", "qwen3-coder:30b", Zone.DEVICE, "openai_chat", "ollama")
SONNET = Card(
    "sonnet", "anthropic", "claude-sonnet-5", Zone.CLOUD, "anthropic_messages", "anthropic"
)
CLAUDE = Card("claude", "anthropic", "*", Zone.CLOUD, "anthropic_messages", "anthropic")
CARDS = [QWEN, SONNET, CLAUDE]
ALIASES = [Alias("claude-*", ("sonnet", "qwen-coder")), Alias("*-haiku-*", ("claude",))]


def asked(name):
    return candidates(name, CARDS, ALIASES)


def test_a_models_own_name_is_explicit():
    assert [t.name for t in asked("qwen-coder").targets] == ["qwen-coder"]
    assert asked("qwen-coder").explicit


def test_the_name_that_claude_code_takes_up_is_the_models_own():
    assert asked("claude-halfdoor-qwen-coder") == asked("qwen-coder")
    assert asked("claude-halfdoor-auto") == asked("auto")


def test_what_only_looks_like_such_a_name_is_a_pattern_like_any_other():
    assert asked("claude-halfdoor-nobody").known == "claude-*"
    assert asked("claude-halfdoor-").known == "claude-*"


def test_a_backends_id_is_explicit_too():
    assert asked("qwen3-coder:30b").targets[0].name == "qwen-coder"
    assert asked("qwen3-coder:30b").explicit


def test_a_pattern_names_its_models_in_order_and_is_what_the_log_may_show():
    found = asked("claude-sonnet-4-5")
    assert [t.name for t in found.targets] == ["sonnet", "qwen-coder"]
    assert (found.known, found.explicit) == ("claude-*", False)


def test_auto_is_every_model_that_needs_no_name_to_send_on():
    assert [t.name for t in asked("auto").targets] == ["qwen-coder", "sonnet"]


def test_a_star_id_sends_on_the_name_asked():
    assert asked("x-haiku-4").targets[0].model_id == "x-haiku-4"


def test_a_star_model_asked_by_its_own_name_has_nothing_to_send():
    with pytest.raises(ClientError, match="needs one"):
        asked("claude")


def test_an_unknown_model_is_told_the_nearest_name():
    with pytest.raises(ClientError, match=r"did you mean `qwen-coder`\?") as caught:
        asked("qwen-codr")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("name", ["gpt-oss:120b-cloud", "x/deepseek:671B-Cloud", "qwen:cloud"])
def test_a_model_that_its_engine_sends_on_is_in_the_cloud_whatever_its_backend_claims(name):
    star = Card("any", "ollama", "*", Zone.DEVICE, "openai_chat", "ollama")
    (target,) = candidates(name, [star], [Alias("*", ("any",))]).targets
    assert (target.model_id, target.zone) == (name, Zone.CLOUD)
    (target,) = candidates("qwen3:8b", [star], [Alias("*", ("any",))]).targets
    assert target.zone is Zone.DEVICE


def test_a_name_of_a_million_letters_is_refused_at_once():
    with pytest.raises(ClientError, match="no model here"):
        candidates("qwen" * 2_000_000, CARDS, [])


def test_a_model_that_was_found_elsewhere_is_there_and_promises_nothing():
    promising = structs.replace(QWEN, terms=Terms("eu", "never", 0))
    who = candidates("auto", [promising, SONNET], ALIASES)
    found = widened(who, {("ollama", "qwen3-coder:30b"): Zone.CLOUD}).targets
    assert (found[0].zone, found[0].terms) == (Zone.CLOUD, Terms())
    assert found[1] is who.targets[1]


def test_a_backend_that_was_found_elsewhere_takes_all_its_models_with_it():
    found = widened(asked("qwen-coder"), {("ollama", ""): Zone.NETWORK}).targets
    assert [target.zone for target in found] == [Zone.NETWORK]


@given(
    st.dictionaries(
        st.tuples(
            st.sampled_from(["ollama", "anthropic"]), st.sampled_from(["", "qwen3-coder:30b"])
        ),
        st.sampled_from(Zone),
    )
)
def test_what_was_found_never_brings_a_model_nearer(found):
    who = asked("auto")
    for before, after in zip(who.targets, widened(who, found).targets, strict=True):
        assert after.zone >= before.zone


def test_a_name_with_the_tag_latest_is_the_name():
    assert asked("qwen-coder:latest").known == "qwen-coder"
    with pytest.raises(ClientError):
        asked("nobody:latest:latest")


def test_where_no_model_does_embeddings_the_hint_names_none():
    with pytest.raises(ClientError) as raised:
        candidates("qwen-coder", CARDS, ALIASES, Kind.EMBEDDING)
    assert raised.value.hint == (
        'give a model that can do it `kinds = ["embedding"]` under [[models]]'
    )


LISTED = Price(3, 15)


def test_a_model_without_a_stated_price_has_its_vendors():
    sent_on = Card("cloud", "b", "*", Zone.CLOUD, "d", "v")
    own = Card("own", "b", "m", Zone.DEVICE, "d", "v", price=Price(0, 0))
    names = (Alias("any-*", ("cloud", "own")),)
    who = quoted(candidates("any-1", (sent_on, own), names), lambda *asked: BY_ID.get(asked, NONE))
    assert [(t.price, t.priced_as) for t in who.targets] == [(LISTED, "any"), (Price(0, 0), "")]


BY_ID = {("b", "any-1"): Listed("any", LISTED)}
NONE = Listed()


def test_an_engine_that_sends_a_model_on_does_not_price_it_as_the_devices_own():
    card = Card("m", "ollama", "big:cloud", Zone.DEVICE, "ollama", "v", price=Price(0, 0))
    assert target(card, "m").price == Price()
    near = Candidates(
        (target(Card("n", "b", "i", Zone.DEVICE, "d", "v", price=LISTED), "n"),), "n", True
    )
    assert widened(near, {("b", "i"): Zone.CLOUD}).targets[0].price == Price()


def test_a_name_that_is_asked_for_again_is_not_looked_up_again():
    asked = []

    def listed(*of):
        asked.append(of)
        return NONE

    star = Card("any", "b", "*", Zone.CLOUD, "d", "v")
    names = Names([star], [Alias("*", ("any",))], listed)
    assert names.candidates("m-1") is names.candidates("m-1")
    assert names.candidates("m-2").targets[0].model_id == "m-2"
    assert asked == [("b", "m-1"), ("b", "m-2")]


def test_a_name_that_is_a_whole_text_is_answered_and_not_remembered():
    star = Card("any", "b", "*", Zone.CLOUD, "d", "v")
    names = Names([star], [Alias("*", ("any",))])
    assert names.candidates("m" * 9999).targets[0].model_id == "m" * 9999
    assert names.candidates("m" * 9999) is not names.candidates("m" * 9999)


def test_a_model_found_further_out_has_the_price_of_the_list_and_not_its_own():
    near = Card("n", "b", "any-1", Zone.DEVICE, "d", "v", price=Price(0, 0))
    names = Names([near], [], lambda *asked: BY_ID.get(asked, NONE))
    who = names.candidates("n")
    assert names.widened(who, {}) is who
    (far,) = names.widened(who, {("b", "any-1"): Zone.CLOUD}).targets
    assert (far.zone, far.price, far.priced_as) == (Zone.CLOUD, LISTED, "any")
