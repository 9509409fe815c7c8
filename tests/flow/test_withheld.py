"""What stays behind on the way to a backend is named in the log and told to the caller."""

import json

from halfdoor.canon.cards import Card
from halfdoor.canon.commands import Call
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Actor
from halfdoor.flow.exchange import exchange
from tests.helpers.house import CLOUD, LOCAL, LOCAL_MESSAGES, house, request
from tests.helpers.playbook import (
    PERMIT,
    SCENE,
    answered,
    begin,
    call,
    decided,
    faulted,
    outcome,
    playbook,
)

SEARCH = {"type": "web_search_20250305", "name": "web_search"}
READ = {"name": "Read", "input_schema": {"type": "object"}}
FORCED = {"tools": [SEARCH], "tool_choice": {"type": "tool", "name": "web_search"}}
OTHER = Card("other", "kimi", "k", Zone.CLOUD, "anthropic_messages", "kimi")


def line(asked, *cards):
    return playbook(exchange(asked, Actor(), house(cards)))


def sent(script):
    command = script.asked[-1]
    assert isinstance(command, Call)
    about = dict(command.pipe.head(()))
    return json.loads(command.outbound.body), about.get("x-halfdoor-degraded", "")


def test_a_tool_that_stays_behind_is_named_in_the_log_and_in_a_header():
    script = line(request(tools=[SEARCH, READ]), LOCAL_MESSAGES)
    script << begin() >> SCENE << decided(edits=["model", "server-tool"]) >> PERMIT << call("llama")
    body, degraded = sent(script)
    assert (body["tools"], degraded) == ([READ], "server-tool")


def test_its_own_vendor_gets_everything_as_it_came():
    script = line(request(tools=[SEARCH], metadata={"user_id": "u"}), CLOUD)
    script << begin() >> SCENE << decided(edits=["model"]) >> PERMIT << call("sonnet")
    body, degraded = sent(script)
    assert (body["tools"], body["metadata"], degraded) == ([SEARCH], {"user_id": "u"}, "")


def test_another_vendor_in_the_cloud_gets_the_tools_and_not_who_asks():
    script = line(request(tools=[SEARCH], metadata={"user_id": "u"}), OTHER)
    script << begin() >> SCENE << decided(edits=["model", "device-id"]) >> PERMIT << call("other")
    body, _ = sent(script)
    assert (body["tools"], "metadata" in body) == ([SEARCH], False)


def test_a_forced_search_moves_on_to_its_vendor_without_asking_an_engine():
    for near in (LOCAL, LOCAL_MESSAGES):
        script = line(request(**FORCED), near, CLOUD)
        script << begin() >> SCENE << decided(plan=[near.name, "sonnet"]) >> PERMIT
        script << call("sonnet") >> answered() << outcome(result="answered", model="sonnet")


def test_where_there_is_no_vendor_it_is_refused_and_nobody_is_asked():
    for near in (LOCAL, LOCAL_MESSAGES):
        script = line(request(**FORCED), near)
        script << begin() >> SCENE << decided() >> PERMIT << outcome(result="failed")
        reply = script.ends()
        assert reply.status == 400
        assert b"only its vendor runs" in reply.body


def test_after_a_failure_the_next_target_gets_what_is_right_for_it():
    script = line(request(tools=[SEARCH, READ]), LOCAL_MESSAGES, CLOUD)
    script << begin() >> SCENE << decided() >> PERMIT << call("llama") >> faulted("connect")
    script << call("sonnet")
    assert sent(script)[0]["tools"] == [SEARCH, READ]
