import dataclasses
import json

import pytest
from msgspec import structs

from halfdoor.canon.cards import Alias
from halfdoor.canon.commands import Append, Call, Remember, Short
from halfdoor.canon.events import UNSIGNED
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import FREE, Budget, Price, Spending, Usage
from halfdoor.canon.request import Actor
from halfdoor.canon.rules import Rule
from halfdoor.canon.scene import Scene, Unwell
from halfdoor.errors import ClientError
from halfdoor.flow.exchange import exchange
from halfdoor.wiring import DIALECTS
from tests.helpers.house import (
    AWS_KEY,
    CLOUD,
    CLOUD_CHAT,
    DEFAULTS,
    LOCAL,
    house,
    messages_body,
    request,
)
from tests.helpers.playbook import (
    PERMIT,
    SCENE,
    answered,
    begin,
    call,
    decided,
    faulted,
    held,
    hung_up,
    outcome,
    playbook,
    remember,
    reserve,
    settle,
    unrecorded,
)

BOTH = [CLOUD, LOCAL]


def line(asked, cards=BOTH, **more):
    return playbook(exchange(asked, Actor(tool="test"), house(cards, **more)))


def counting(**fields):
    return DIALECTS["anthropic_messages"].read(
        "/v1/messages/count_tokens", (), "", messages_body(**fields)
    )


def body_of(command):
    assert isinstance(command, Call)
    return json.loads(command.outbound.body)


def test_a_harmless_request_goes_where_the_configuration_prefers():
    script = line(request(text="hello"))
    script << begin() >> SCENE << decided(plan=["sonnet", "qwen"], ceiling="cloud") >> PERMIT
    script << call("sonnet") >> answered(stop="end") << outcome(result="answered", model="sonnet")
    assert script.ends() is None


def test_secret_in_a_tool_result_stays_local():
    script = line(request(tool_result=f"key = {AWS_KEY}"))
    script << begin() >> SCENE << decided(plan=["qwen"], ceiling="device", rule="secret") >> PERMIT
    script << call("qwen") >> faulted("timeout") << outcome(result="failed", model="qwen")
    reply = script.ends()  # and never Call("sonnet")
    assert reply.status == 400
    assert b"secret" in reply.body
    assert b"sonnet" in reply.body
    assert dict(reply.headers)["x-halfdoor-rule"] == "secret"


def test_a_count_of_tokens_goes_to_the_vendor_that_would_be_asked():
    script = line(counting(text="hello"))
    script << begin() >> SCENE << decided(plan=["sonnet"]) >> PERMIT
    script << call("sonnet") >> answered() << outcome(result="answered", model="sonnet")
    assert script.ends() is None
    assert body_of(script.asked[2])["model"] == "claude-sonnet-5"


def test_a_count_that_no_vendor_makes_is_made_here():
    script = line(counting(text="hello"))
    script << begin() >> SCENE << decided(plan=["sonnet"]) >> PERMIT
    script << call("sonnet") >> faulted("status", status=404)
    script << outcome(result="counted", status=404)
    reply = script.ends()
    assert reply.status == 200
    assert json.loads(reply.body)["input_tokens"] > 10


def test_a_count_of_a_secret_text_is_made_here_and_nobody_is_asked():
    script = line(counting(text=f"key = {AWS_KEY}"), [CLOUD])
    script << begin() >> SCENE << decided(plan=[], refusal="") >> PERMIT
    script << outcome(result="counted", status=200)
    assert script.ends().status == 200


def test_an_explicit_choice_that_a_rule_forbids_is_refused_and_recorded():
    script = line(request(text=f"key = {AWS_KEY}", model="sonnet"))
    (
        script
        << begin()
        >> SCENE
        << decided(plan=[], excluded=["sonnet"], refusal="explicit")
        >> PERMIT
    )
    script << outcome(result="refused", status=400)
    reply = script.ends()
    assert reply.status == 400
    said = json.loads(reply.body)["error"]["message"]
    assert all(word in said for word in ("secret", "aws", "messages[0]", "auto"))
    assert AWS_KEY.encode() not in reply.body


def test_an_explicit_choice_is_never_swapped_when_it_fails():
    script = line(request(model="sonnet"))
    script << begin() >> SCENE << decided(plan=["sonnet"], explicit=True) >> PERMIT
    script << call("sonnet") >> faulted("connect") << outcome(result="failed")
    assert script.ends().status == 502


def test_a_failure_before_commit_moves_on_and_after_commit_does_not():
    script = line(request(stream=True))
    script << begin() >> SCENE << decided() >> PERMIT
    (
        script
        << call("sonnet")
        >> faulted("status", 529)
        << call("qwen")
        >> faulted("cut", committed=True)
    )
    script << outcome(result="failed", model="qwen")
    assert script.ends() is None


@pytest.mark.parametrize(
    ("status", "moves_on"),
    [(400, False), (413, False), (422, False), (429, True), (401, True), (500, True)],
)
def test_only_the_backends_own_faults_move_on(status, moves_on):
    script = line(request())
    script << begin() >> SCENE << decided() >> PERMIT << call("sonnet") >> faulted("status", status)
    script << (call("qwen") if moves_on else outcome(result="failed"))


def test_a_backends_error_reaches_a_client_of_the_same_dialect_unmodified():
    words = b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 5 maximum"}}'
    script = line(request(), cards=[CLOUD])
    (
        script
        << begin()
        >> SCENE
        << decided()
        >> PERMIT
        << call("sonnet")
        >> faulted("status", 400, body=words)
    )
    script << outcome(result="failed", status=400)
    assert script.ends().body == words


def test_a_backends_error_is_reworded_in_the_callers_shape_across_dialects():
    words = b'{"error":{"message":"context too long","type":"invalid_request_error","code":"context_length_exceeded"}}'
    script = line(request(), cards=[CLOUD_CHAT])
    (
        script
        << begin()
        >> SCENE
        << decided()
        >> PERMIT
        << call("gpt")
        >> faulted("status", 400, body=words)
    )
    script << outcome(result="failed")
    said = json.loads(script.ends().body)
    assert said["type"] == "error"
    why = "halfdoor: so says backend `openai`: context too long"
    assert said["error"]["message"] == f"prompt is too long ({why})"


def test_a_refused_key_of_ours_is_a_400_because_a_401_would_be_retried():
    script = line(request(), cards=[CLOUD])
    (
        script
        << begin()
        >> SCENE
        << decided()
        >> PERMIT
        << call("sonnet")
        >> faulted("status", 401, body=b"{}")
    )
    script << outcome(result="failed", status=401)
    reply = script.ends()
    assert reply.status == 400
    assert b"refused halfdoor's key" in reply.body


def test_without_a_record_nothing_is_called():
    script = line(request())
    script << begin() >> SCENE << decided() >> unrecorded("the disk is full")
    reply = script.ends()
    assert reply.status == 503
    assert b"the disk is full" in reply.body
    assert not any(isinstance(command, Call) for command in script.asked)


def test_a_hang_up_is_recorded_and_nothing_else_is_tried():
    script = line(request())
    script << begin() >> SCENE << decided() >> PERMIT << call("sonnet") >> hung_up()
    script << outcome(result="hung-up", model="sonnet")
    assert script.ends() is None


def test_an_unknown_model_is_the_callers_error_before_anything_is_decided():
    script = line(request(model="gpt-nonsense"))
    script << begin() >> SCENE
    with pytest.raises(ClientError, match="gpt-nonsense"):
        script << decided()


def test_the_models_own_id_and_its_limit_are_spliced_in():
    card = CLOUD.__class__(
        **{**{f: getattr(CLOUD, f) for f in CLOUD.__struct_fields__}, "max_output_tokens": 50}
    )
    script = line(request(), cards=[card])
    script << begin() >> SCENE << decided(edits=["model", "max-tokens"]) >> PERMIT << call("sonnet")
    sent = body_of(script.asked[-1])
    assert (sent["model"], sent["max_tokens"]) == ("claude-sonnet-5", 50)


def test_between_two_dialects_the_request_is_translated_and_the_log_says_so():
    script = line(request(), cards=[LOCAL])
    script << begin() >> SCENE << decided(edits=["translated"]) >> PERMIT << call("qwen")
    assert body_of(script.asked[-1])["messages"] == [{"role": "user", "content": "hello"}]


def test_what_a_translation_loses_is_told_to_the_client_and_to_the_log():
    script = line(
        request(top_k=5, thinking={"type": "enabled", "budget_tokens": 2000}), cards=[LOCAL]
    )
    lost = ["top-k", "thinking-budget"]
    edits = ["translated", *(f"degraded:{name}" for name in lost)]
    script << begin() >> SCENE << decided(edits=edits) >> PERMIT << call("qwen")
    headers = dict(script.asked[-1].pipe.head(()))
    assert headers["x-halfdoor-degraded"] == ", ".join(lost)


def test_what_passes_in_its_own_dialect_is_not_degraded():
    script = line(request(top_k=5), cards=[CLOUD])
    script << begin() >> SCENE << decided() >> PERMIT << call("sonnet")
    assert "x-halfdoor-degraded" not in dict(script.asked[-1].pipe.head(()))


def test_a_tool_loop_returns_to_the_model_that_made_the_call():
    script = line(request(tool_result="fine"))
    latched = Scene(id=SCENE.id, now_ms=SCENE.now_ms, latched="qwen")
    script << begin() >> latched << decided(plan=["qwen", "sonnet"]) >> PERMIT << call("qwen")


def test_what_a_labelled_exchange_answers_is_remembered_with_its_labels():
    script = line(request(text=f"key = {AWS_KEY}"))
    script << begin() >> SCENE << decided() >> PERMIT << call("qwen")
    script >> answered(texts=("x" * 80,), calls=("toolu_9",)) << remember()
    kept = script.asked[-1]
    assert isinstance(kept, Remember)
    assert [label.name for label in kept.labels] == ["derived:secret"]
    assert len(kept.marks) == 2


def test_what_a_harmless_exchange_answers_leaves_only_its_call_ids():
    script = line(request())
    script << begin() >> SCENE << decided() >> PERMIT << call("sonnet")
    script >> answered(texts=("x" * 80,), calls=("toolu_9",)) << remember()
    assert len(script.asked[-1].marks) == 1


def test_the_log_never_holds_the_model_name_a_stranger_typed():
    alias = Alias("gpt-*", ("qwen",))
    script = line(request(model=f"gpt-{AWS_KEY}"), aliases=(alias,))
    script << begin() >> SCENE << decided(asked="gpt-*")
    entry = script.asked[-1]
    assert isinstance(entry, Append)
    assert AWS_KEY not in str(entry.entry)


def test_a_rule_on_a_path_holds_what_a_tool_read_there():
    rules = (*DEFAULTS, Rule("pay", "path:payments/**", Zone.DEVICE))
    body = {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "Read",
        "input": {"file_path": "/w/src/payments/core.py"},
    }
    said = [{"role": "user", "content": "go"}, {"role": "assistant", "content": [body]}]
    said.append(
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}],
        }
    )
    script = line(request(messages=said), rules=rules)
    script << begin() >> SCENE << decided(plan=["qwen"], ceiling="device", rule="pay")


def test_the_answer_is_remembered_before_its_outcome_is_awaited():
    script = line(request(text=f"key = {AWS_KEY}"))
    script << begin() >> SCENE << decided() >> PERMIT << call("qwen")
    script >> hung_up(committed=True) << remember() << outcome(result="hung-up")


def test_a_labelled_answer_can_be_remembered_before_its_last_bytes_go_out():
    secret, plain = (line(request(text=text)) for text in (f"key = {AWS_KEY}", "hello"))
    for script, target, kept in ((secret, "qwen", True), (plain, "sonnet", False)):
        script << begin() >> SCENE << decided() >> PERMIT << call(target)
        assert (script.asked[-1].keep is not None) == kept


@pytest.mark.parametrize(
    ("latched", "others", "seal", "kept"),
    [
        ("", {}, "", False),
        ("sonnet", {}, "", True),
        ("sonnet", {b"x" * 16: "engine"}, "", False),  # nobody knows which of the two made it
        ("sonnet", {}, UNSIGNED, False),  # made in another dialect
    ],
)
def test_thinking_that_nobody_sealed_goes_back_to_its_maker_only(latched, others, seal, kept):
    thought = {"type": "thinking", "thinking": "hm", "signature": seal}
    use = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "a.py"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}
    said = [{"role": "user", "content": "go"}, {"role": "assistant", "content": [thought, use]}]
    script = line(request(messages=[*said, {"role": "user", "content": [result]}]), cards=[CLOUD])
    (
        script
        << begin()
        >> Scene(id=SCENE.id, now_ms=0, latched=latched, origins=others)
        << decided()
        >> PERMIT
        << call("sonnet")
    )
    assert (thought in body_of(script.asked[-1])["messages"][1]["content"]) == kept


TEAM = Budget("team", 10**12, "month")
PRICED = structs.replace(CLOUD, price=Price(3_000_000, 15_000_000))
FREELY = structs.replace(LOCAL, price=FREE)


def paid(*cards):
    with_team = dataclasses.replace(house(cards), budgets=(TEAM,))
    return playbook(exchange(request(text="hi"), Actor(tool="test"), with_team))


def test_money_is_held_before_a_call_and_settled_with_its_cost():
    script = paid(PRICED, FREELY)
    script << begin() >> SCENE << decided(plan=["sonnet", "qwen"]) >> PERMIT
    script << reserve("team") >> held(script) << call("sonnet")
    script >> answered(usage=Usage(10, 2)) << settle(10 * 3_000_000 + 2 * 15_000_000)
    script >> None << outcome(result="answered", cost=60_000_000)
    assert script.ends() is None


def test_who_comes_too_late_for_a_purse_is_answered_by_what_costs_nothing():
    script = paid(PRICED, FREELY)
    script << begin() >> SCENE << decided(plan=["sonnet", "qwen"]) >> PERMIT
    script << reserve("team") >> Short(("team", ""), 5) << call("qwen") >> answered()
    script << outcome(result="answered", model="qwen", cost=0)
    assert script.ends() is None


def test_who_comes_too_late_and_finds_nobody_else_hears_what_is_left_and_until_when():
    script = paid(PRICED)
    month = structs.replace(SCENE, spending=Spending(until={"month": "soon"}))
    script << begin() >> month << decided() >> PERMIT
    script << reserve("team") >> Short(("team", ""), 5) << outcome(result="failed")
    assert b"budget `team` has 0.000000000005 USD left until soon" in script.ends().body


def test_a_ledger_that_cannot_be_kept_sends_nothing_that_costs():
    script = paid(PRICED)
    script << begin() >> SCENE << decided(plan=["sonnet"]) >> PERMIT
    script << reserve("team") >> unrecorded("the ledger is broken")
    script << outcome(result="failed")
    reply = script.ends()
    assert reply.status == 400
    assert b"the ledger is broken" in reply.body


def test_an_empty_budget_is_a_400_that_names_it():
    script = paid(PRICED)
    empty = structs.replace(SCENE, spending=Spending({("team", ""): 10**12}, {"month": "soon"}))
    script << begin() >> empty << decided(plan=[], refusal="budget", excluded=["sonnet"])
    script >> PERMIT << outcome(result="refused", status=400)
    reply = script.ends()
    assert reply.status == 400
    assert b"budget `team` (1.00 USD a month) has 0.00 USD left until soon" in reply.body


def test_an_answer_says_who_was_passed_over_and_the_log_keeps_it():
    script = line(request(text="hello"))
    tired = structs.replace(SCENE, unwell={("anthropic", "claude-sonnet-5"): Unwell("429", 900)})
    script << begin() >> tired << decided(plan=["qwen", "sonnet"], unwell=["sonnet: 429"]) >> PERMIT
    script << call("qwen")
    headers = script.asked[-1].pipe.head(())
    assert ("x-halfdoor-fallback", "sonnet: 429") in headers


def fallback(script):
    """What the answer to the last call says of it."""
    return dict(script.asked[-1].pipe.head(())).get("x-halfdoor-fallback")


def test_the_answer_that_falls_back_says_so_itself():
    script = line(request(text="hello"))
    script << begin() >> SCENE << decided(instead_of=[]) >> PERMIT << call("sonnet")
    assert fallback(script) is None
    script >> faulted("status", 529) << call("qwen")
    assert fallback(script) == "sonnet: 529"


def test_an_error_names_those_that_were_tried_before_the_last():
    script = line(request(text="hello"))
    script << begin() >> SCENE << decided() >> PERMIT << call("sonnet") >> faulted("timeout")
    script << call("qwen") >> faulted("status", 500) << outcome(result="failed")
    headers = dict(script.ends().headers)
    assert (headers["x-halfdoor-model"], headers["x-halfdoor-fallback"]) == (
        "qwen",
        "sonnet: timeout",
    )


def test_an_answer_says_whose_budget_kept_the_first_choice_from_it():
    script = paid(PRICED, FREELY)
    empty = structs.replace(SCENE, spending=Spending({("team", ""): 10**12}, {"month": "soon"}))
    script << begin() >> empty << decided(plan=["qwen"], instead_of=["sonnet: budget team"])
    script >> PERMIT << call("qwen")
    assert fallback(script) == "sonnet: budget team"


def test_who_would_not_have_been_asked_first_is_not_fallen_back_from():
    script = playbook(exchange(request(text="hello"), Actor(), house([LOCAL, CLOUD])))
    tired = structs.replace(SCENE, unwell={("anthropic", "claude-sonnet-5"): Unwell("429", 900)})
    script << begin() >> tired << decided(plan=["qwen", "sonnet"], instead_of=[]) >> PERMIT
    script << call("qwen")
    assert fallback(script) is None


def test_a_turn_that_the_first_choice_failed_before_says_so():
    script = line(request(text="hello"))
    again = structs.replace(SCENE, failed=("sonnet",))
    script << begin() >> again << decided(plan=["qwen"]) >> PERMIT << call("qwen")
    assert fallback(script) == "sonnet: failed this turn"


TOO_LONG = b'{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":5021,"n_ctx":4096}}'


def test_a_prompt_too_long_for_one_model_moves_on_to_the_next():
    script = line(request(), cards=[LOCAL, CLOUD])
    script << begin() >> SCENE << decided() >> PERMIT << call("qwen")
    script >> faulted("status", 400, body=TOO_LONG)
    script << call("sonnet")


def test_a_prompt_too_long_for_all_is_told_in_the_words_that_the_tool_acts_on():
    script = line(request(), cards=[LOCAL])
    script << begin() >> SCENE << decided() >> PERMIT << call("qwen")
    script >> faulted("status", 400, body=TOO_LONG)
    script << outcome(result="failed", status=400)
    said = json.loads(script.ends().body)["error"]
    assert said["message"].startswith("prompt is too long: 5021 tokens > 4096 maximum (halfdoor: ")


def test_a_prompt_too_long_for_the_near_model_is_told_so_also_where_a_rule_keeps_it_near():
    """The tool can shorten it, and then it is answered; no other words make it do so."""
    script = line(request(text=f"key = {AWS_KEY}"), cards=[LOCAL, CLOUD])
    script << begin() >> SCENE << decided() >> PERMIT << call("qwen")
    script >> faulted("status", 400, body=TOO_LONG)
    script << outcome(result="failed", status=400)
    said = json.loads(script.ends().body)["error"]["message"]
    assert said.startswith("prompt is too long: 5021 tokens > 4096 maximum (halfdoor: ")
    assert said.endswith("; rule `secret` (label `secret`) keeps it from `sonnet`)")
