"""Routes in the line: who is planned, what is said of it, and when nothing moves."""

import datetime as dt
from dataclasses import replace

import msgspec

from halfdoor.canon.asks import Agent, Task
from halfdoor.canon.commands import Begin, Call, Remember
from halfdoor.canon.money import Budget, Price
from halfdoor.canon.request import Actor, Kind
from halfdoor.canon.routes import Match, Parameters, Route
from halfdoor.canon.scene import Pin, Scene
from halfdoor.flow.pins import Pins
from halfdoor.flow.weighing import weigh
from tests.helpers.house import CLOUD, CLOUD_CHAT, LOCAL, house, request
from tests.helpers.playbook import SCENE, answered
from tests.properties.test_promises import Run

CARDS = (CLOUD, LOCAL)
NEAR = Route("near", Match(tasks=(Task.DOCUMENT,)), models=("qwen",))
STEADY = Route("steady", parameters=Parameters(temperature=0.0, seed=3, system="Be brief."))


def weighed(asked=None, *, scene=SCENE, actor=None, routes=(NEAR,), cards=CARDS, **fields):
    place = house(cards, routes=routes, **fields)
    asked = asked or request(text="add docstrings to a.py")
    found = place.surveyor.survey(asked)
    return weigh(asked, actor or Actor(), found, scene, place)


def planned(*args, **fields):
    return [target.name for target in weighed(*args, **fields).targets]


def test_a_route_puts_its_models_first_and_keeps_the_others_behind():
    assert planned() == ["qwen", "sonnet"]
    assert planned(request(text="fix a.py")) == ["sonnet", "qwen"]


def test_9_a_model_asked_by_its_own_name_has_no_route():
    asked = request(text="add docstrings", model="sonnet")
    found = weighed(asked, routes=(NEAR, STEADY))
    assert [t.name for t in found.targets] == ["sonnet"]
    assert found.choice.route is None


def test_only_leaves_nobody_else():
    only = msgspec.structs.replace(NEAR, only=True)
    assert planned(routes=(only,)) == ["qwen"]


def test_what_the_only_models_may_not_see_is_refused():
    from tests.helpers.house import AWS_KEY

    only = Route("far", models=("sonnet",), only=True, source="config.toml:9")
    found = weighed(request(text=f"the key is {AWS_KEY}"), routes=(only,))
    assert not found.targets
    assert "held to zone `device`" in found.verdict.refusal
    assert "route `far` (config.toml:9) allows only `sonnet`" in found.verdict.refusal


def test_a_route_never_lets_a_model_see_what_a_rule_forbids():
    from tests.helpers.house import AWS_KEY

    far = Route("far", models=("sonnet",))
    assert planned(request(text=f"the key is {AWS_KEY}"), routes=(far,)) == ["qwen"]


def test_a_route_may_name_a_strategy_for_all():
    assert planned(routes=(Route("near", strategy="local_first"),)) == ["qwen", "sonnet"]


def test_a_count_goes_where_its_question_will():
    asked = msgspec.structs.replace(request(text="add docstrings"), kind=Kind.COUNT)
    cards = (CLOUD, msgspec.structs.replace(CLOUD, name="second", model_id="s2"))
    to_second = msgspec.structs.replace(NEAR, models=("second",))
    assert planned(asked, cards=cards, routes=(to_second,)) == ["second"]


def test_hours_are_those_of_the_configured_zone():
    import dataclasses
    from zoneinfo import ZoneInfo

    night = Route("night", Match(hours=((1320, 360),)), models=("qwen",))
    at = dt.datetime(2026, 7, 1, 21, 30, tzinfo=dt.UTC)
    scene = Scene(id="hd_1", now_ms=int(at.timestamp() * 1000))
    assert planned(scene=scene, routes=(night,)) == ["sonnet", "qwen"]
    place = dataclasses.replace(house(CARDS, routes=(night,)), time_zone=ZoneInfo("Europe/Vienna"))
    asked = request(text="hello")
    found = weigh(asked, Actor(), place.surveyor.survey(asked), scene, place)
    assert [t.name for t in found.targets] == ["qwen", "sonnet"]


def test_a_tool_is_who_it_is_taken_for_in_the_log():
    to_near = Route("claude", Match(tools=("claude*",)), models=("qwen",))
    asked = request(text="hello", headers=(("user-agent", "claude-cli/2"),))
    assert planned(asked, actor=Actor(tool="claude-code"), routes=(to_near,))[0] == "qwen"
    assert planned(asked, actor=Actor(tool="aider"), routes=(to_near,))[0] == "sonnet"


# --- Inside a tool loop (promise 7) ---


LOOP = request(text="add docstrings to a.py", tool_result="the file")
LATER = Route("later", Match(context_over=0), models=("sonnet",))


def test_7_inside_a_loop_the_route_that_began_it_holds():
    pin = Scene(id="hd_1", now_ms=9, pin=Pin("qwen", "near", 5))
    found = weighed(LOOP, scene=pin, routes=(LATER, NEAR))
    assert (found.targets[0].name, found.choice.route.name) == ("qwen", "near")
    assert weighed(scene=pin, routes=(LATER, NEAR)).choice.route.name == "later"


def test_7_a_session_without_a_route_gets_none_in_its_loop():
    pin = Scene(id="hd_1", now_ms=9, pin=Pin("sonnet", "", 5))
    found = weighed(LOOP, scene=pin, routes=(NEAR,))
    assert (found.targets[0].name, found.choice.route) == ("sonnet", None)


def test_7_who_made_the_calls_is_believed_before_the_pin():
    scene = Scene(id="hd_1", now_ms=9, latched="qwen", pin=Pin("sonnet", "", 5))
    assert weighed(LOOP, scene=scene, routes=()).targets[0].name == "qwen"


def test_7_results_without_ids_are_a_loop_too():
    call = {"function": {"name": "Read", "arguments": {"path": "a.py"}}}
    said = [{"role": "user", "content": "go"}, {"role": "assistant", "tool_calls": [call]}]
    asked = request(dialect="openai_chat", messages=[*said, {"role": "tool", "content": "text"}])
    scene = Scene(id="hd_1", now_ms=9, pin=Pin("qwen", "", 5))
    found = weighed(asked, scene=scene, routes=())
    assert (found.targets[0].name, found.choice.latched) == ("qwen", "qwen")


def test_7_a_rule_still_moves_a_loop():
    from tests.helpers.house import AWS_KEY

    asked = request(text="read it", tool_result=f"the key is {AWS_KEY}")
    scene = Scene(id="hd_1", now_ms=9, latched="sonnet", pin=Pin("sonnet", "", 5))
    assert planned(asked, scene=scene) == ["qwen"]


# --- What is remembered, and said ---


def run(asked, place, scene=SCENE):
    return Run(asked, scene, iter([answered()] * 6), place)


def keep(pins, made):
    """What the driver does with what is remembered."""
    for command in made.asked:
        if isinstance(command, Remember) and command.pin:
            pins.hold(command.pins, command.pin)


def test_who_answered_is_remembered_for_the_session_and_the_agent():
    place = house(CARDS, routes=(NEAR,))
    headers = (("x-claude-code-session-id", "s1"),)
    child = (*headers, ("x-claude-code-agent-id", "a1"))
    pins = Pins()
    for sent, text in ((headers, "add docstrings"), (child, "fix it")):
        keep(pins, run(request(text=text, headers=sent), place))
    begun = [next(c for c in run(request(text="x", headers=h), place).asked if isinstance(c, Begin))
             for h in (headers, child)]  # fmt: skip
    found = [pins.find(command.pins) for command in begun]
    kept = [(pin.model, pin.route, pin.came, pin.at_ms) for pin in found if pin]
    assert kept == [("qwen", "near", "near", SCENE.now_ms), ("sonnet", "", "", SCENE.now_ms)]


def test_a_talk_without_an_id_is_known_by_its_turns():
    place = house(CARDS, routes=(NEAR,))
    pins = Pins()
    keep(pins, run(LOOP, place))
    said = msgspec.json.decode(LOOP.body)["messages"]
    answer = {"role": "assistant", "content": "I did."}
    more = request(messages=[*said, answer, {"role": "user", "content": "and now?"}])
    begun = next(c for c in run(more, place).asked if isinstance(c, Begin))
    pin = pins.find(begun.pins)
    assert pin is not None
    assert (pin.model, pin.route, pin.at_ms) == ("qwen", "near", SCENE.now_ms)
    other = msgspec.structs.replace(more, model="claude-x")
    begun = next(c for c in run(other, place).asked if isinstance(c, Begin))
    assert pins.find(begun.pins) is None


def test_what_is_remembered_of_sessions_is_bounded():
    pins = Pins(kept=2)
    for name in (b"a", b"b", b"c"):
        pins.hold((name,), Pin("m", "", 0))
    assert pins.find((b"a",)) is None
    assert pins.find((b"x", b"b")) is not None
    assert pins.find(()) is None


def test_the_log_says_what_was_chosen_by_and_the_numbers():
    cheap = msgspec.structs.replace(LOCAL, price=Price(0, 0))
    dear = msgspec.structs.replace(CLOUD, price=Price(3_000_000, 15_000_000))
    place = house((dear, cheap, CLOUD_CHAT), strategy="cheapest")
    entry = run(request(text="fix a.py"), place).entries[0]
    assert [p.model for p in entry.plan] == ["qwen", "sonnet", "gpt"]
    choice = entry.choice
    assert (choice.task, choice.agent, choice.languages) == ("fix", "main", ("python",))
    assert (choice.route, choice.strategy, choice.kept) == ("", "cheapest", "")
    assert choice.tokens > 10
    sonnet = choice.tokens * 3_000_000 + 100 * 15_000_000
    assert [(e.model, e.cost) for e in choice.expected] == [
        ("qwen", 0),
        ("sonnet", sonnet),
        ("gpt", None),
    ]


def test_who_waits_for_results_is_named():
    scene = Scene(id="hd_1", now_ms=9, latched="qwen")
    entry = run(LOOP, house(CARDS), scene).entries[0]
    assert entry.choice.kept == "qwen"


def test_a_warm_cache_ends_five_minutes_after_its_last_answer():
    warm = msgspec.structs.replace(CLOUD, price=Price(10, 0, cached_input=1))
    cold = msgspec.structs.replace(CLOUD, name="cold", model_id="c", price=Price(5, 0))
    place = {"cards": (warm, cold), "strategy": "cheapest", "routes": ()}
    for age_ms, first in ((299_000, "sonnet"), (301_000, "cold")):
        scene = Scene(id="hd_1", now_ms=age_ms, pin=Pin("sonnet", "", 0))
        assert planned(request(text="hello"), scene=scene, **place)[0] == first


# --- Parameters ---


def sent(asked, routes=(STEADY,), cards=(CLOUD,)):
    made = run(asked, house(cards, routes=routes))
    call = next(c for c in made.asked if isinstance(c, Call))
    outcome = made.entries[-1]
    return msgspec.json.decode(call.outbound.body), outcome.attempts[0].edits, call


def test_the_log_has_the_values_that_a_route_sets_and_of_its_text_a_hash():
    place = house((CLOUD,), routes=(STEADY,))
    made = run(request(text="hello"), place)
    hashed = place.mac(b"Be brief.")
    assert made.entries[0].choice.sets == ("temperature 0.0", "seed 3", f"system {hashed}")
    assert run(request(text="hello"), house((CLOUD,))).entries[0].choice.sets == ()


def test_parameters_are_set_in_the_clients_own_bytes_and_named():
    body, edits, call = sent(request(text="hello"))
    assert (body["temperature"], body["system"]) == (0.0, "Be brief.")
    assert edits == ("model", "temperature", "not-set:seed", "system")
    assert b'"messages":[{"role":"user","content":"hello"}]' in call.outbound.body


def test_parameters_are_set_in_a_translation():
    body, edits, _ = sent(request(text="hello"), cards=(LOCAL,))
    assert (body["temperature"], body["seed"]) == (0.0, 3)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert edits == ("translated", "temperature", "seed", "system")


def test_a_model_that_refuses_sampling_settings_gets_none_of_a_route_in_either_way():
    route = Route("r", parameters=Parameters(temperature=0.5, stop=("END",), system="Be brief."))
    for card in (CLOUD, LOCAL):
        fixed = msgspec.structs.replace(card, fixed_sampling=True)
        body, edits, _ = sent(request(text="hello"), (route,), (fixed,))
        assert body.keys().isdisjoint({"temperature", "stop", "stop_sequences"})
        assert edits[-3:] == ("not-set:temperature", "not-set:stop", "system")


def test_a_window_must_take_the_system_text_of_a_route_too():
    long = Route("long", parameters=Parameters(system="word " * 2000))
    small = msgspec.structs.replace(LOCAL, context_tokens=1024)
    asked = request(text="hello")
    assert [t.name for t in weighed(asked, routes=(), cards=(CLOUD, small)).targets][1:] == ["qwen"]
    found = weighed(asked, routes=(long,), cards=(CLOUD, small))
    assert [unfit.target for unfit in found.unfit] == ["qwen"]


def test_a_budget_must_bear_the_system_text_of_a_route_too():
    long = Route("long", parameters=Parameters(system="word " * 2000))
    priced = msgspec.structs.replace(CLOUD, price=Price(1_000_000, 1_000_000))
    asked, most = request(text="hello"), []
    for routes in ((), (long,)):
        place = replace(house((priced,), routes=routes), budgets=(Budget("team", 10**15, "month"),))
        found = weigh(asked, Actor(), place.surveyor.survey(asked), SCENE, place)
        most.append(found.dues["sonnet"].most)
    assert most[0]
    assert most[1]
    assert most[1] - most[0] >= 2000 * 1_000_000


def test_without_parameters_a_body_stays_byte_for_byte():
    plain, _, call = sent(request(text="hello"), routes=())
    assert "temperature" not in plain
    _, _, same = sent(request(text="hello"), routes=(Route("x", strategy="prefer"),))
    assert same.outbound.body == call.outbound.body


def test_a_pinned_route_keeps_its_parameters_in_the_loop():
    steady = msgspec.structs.replace(STEADY, match=Match(agents=(Agent.MAIN,), context_under=1))
    scene = Scene(id="hd_1", now_ms=9, pin=Pin("sonnet", "steady", 5))
    made = run(LOOP, house((CLOUD,), routes=(steady,)), scene)
    call = next(c for c in made.asked if isinstance(c, Call))
    assert msgspec.json.decode(call.outbound.body)["temperature"] == 0.0
