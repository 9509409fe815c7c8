"""The real Claude Code through a real halfdoor, to models that keep what they were sent."""

import json
import re

import pytest

from tests.clients.conftest import ASKED, FARS, tapped
from tests.clients.rows import write
from tests.clients.tools import CLAUDE, ROOT
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, model
from tests.helpers.scenes import Say, Scene, Think, Use

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]

CHATTY = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ""}
KEY = b"AKIA" + b"Q3XRLNPD" + b"7WJ2ZKTE"
DONE = Scene((Say("Written."),))
DIALECTS = pytest.mark.parametrize("dialect", ["anthropic_messages", "openai_chat"])


def test_the_version_that_runs_is_the_pinned_one(claude):
    pinned = json.loads((ROOT / "clients/package.json").read_text())["dependencies"]
    told = claude.run(str(CLAUDE), "--version").said
    assert told.split()[0] == pinned["@anthropic-ai/claude-code"]


def test_a_file_is_written_and_a_messages_backend_gets_the_clients_bytes_but_for_the_model(
    line, claude
):
    there = line("anthropic_messages")
    there.fake.play(Scene((Say("I write it."), write())))
    there.fake.default = DONE
    ran = claude("Write hello.txt.", there.url)
    assert (ran.code, ran.said) == (0, "Written.\n")
    assert (claude.project / "hello.txt").read_text() == "Hello from a model.\n"
    named, splice = b'"model":"claude-sonnet-4-5"', b'"model":"real-model"'
    assert [seen.body for seen in there.fake.seen] == [
        sent.body.replace(named, splice, 1) for sent in there.posts
    ]
    assert len(there.posts) == 2
    assert there.fake.last.heard
    assert "toolu_01write" in there.fake.last.heard.results


def test_under_the_asked_name_a_messages_backend_gets_the_clients_bytes_exactly(claude):
    with FakeModel() as fake:
        far = backend("far", fake, "anthropic_messages", vendor="anthropic")
        with tapped(backends=[far], models=[model(ASKED, "far", ASKED)]) as tap:
            fake.play(Scene((Think("It wants a file."), write())))
            claude("Write hello.txt.", tap.url)
        sent = tap.posts()
        assert [seen.body for seen in fake.seen] == [one.body for one in sent]
        # Claude Code brings thinking back only to a model of the name that thought it.
        assert fake.last.heard
        assert fake.last.heard.thinking == ["It wants a file."]
        # What its vendor's protocol asks a gateway to forward as an open list.
        for name in ("anthropic-version", "anthropic-beta", "x-claude-code-session-id"):
            assert {seen.fields[name] for seen in fake.seen} == {one.headers[name] for one in sent}
        assert not any("authorization" in seen.fields for seen in fake.seen)


@pytest.mark.parametrize("far", [far for far in FARS if far != "anthropic_messages"])
def test_a_file_is_written_through_anothers_backend_which_sees_nothing_of_the_vendors_own(
    line, claude, far
):
    there = line(far)
    there.fake.play(Scene((Say("I write it."), write())))
    there.fake.default = DONE
    ran = claude("Write hello.txt.", there.url)
    assert (ran.code, ran.said) == (0, "Written.\n")
    assert (claude.project / "hello.txt").read_text() == "Hello from a model.\n"
    device = json.loads(json.loads(there.posts[0].body)["metadata"]["user_id"])["device_id"]
    assert b"x-anthropic-billing-header" in there.posts[0].body
    for foreign in (b"x-anthropic-billing-header", device.encode(), b"cache_control"):
        assert not there.fake.saw(foreign), foreign
    for seen in there.fake.seen:
        assert not {"metadata", "user", "context_management", "thinking"} & set(seen.json())
        assert not any(name.startswith(("anthropic-", "x-claude-")) for name in seen.fields)
    assert there.fake.last.heard
    assert "hello.txt" in there.fake.last.heard.results["toolu_01write"]


@DIALECTS
def test_a_search_tool_of_the_vendors_is_no_function_of_an_engine(line, claude, dialect):
    there = line(dialect)
    there.fake.play(Scene((Use("WebSearch", {"query": "halfdoor"}, "toolu_01web"),)))
    there.fake.default = DONE
    ran = claude("Search for it.", there.url, "--allowedTools", "WebSearch")
    assert ran.code == 0
    assert b'"web_search_20250305"' in there.posts[1].body
    # It forces the choice, so nobody is asked in its vendor's place: its model hears why.
    assert b'"tool_choice":{"type":"tool","name":"web_search"}' in there.posts[1].body
    assert not there.fake.saw(b"web_search_20250305")
    assert len(there.fake.seen) == 2
    assert there.fake.last.heard
    assert "only its vendor runs" in there.fake.last.heard.results["toolu_01web"]


def test_an_engine_of_its_own_protocol_sees_nothing_of_the_vendors_own(claude):
    with FakeModel() as fake:
        engine = backend("engine", fake, "anthropic_messages")
        with tapped(backends=[engine], models=[model(ASKED, "engine", "qwen3")]) as tap:
            fake.play(Scene((Say("I write it."), write())))
            fake.default = DONE
            ran = claude("Write hello.txt.", tap.url)
        assert (ran.code, ran.said) == (0, "Written.\n")
        device = json.loads(json.loads(tap.posts()[0].body)["metadata"]["user_id"])["device_id"]
        for foreign in (b"x-anthropic-billing-header", device.encode()):
            assert any(foreign in sent.body for sent in tap.posts())
            assert not fake.saw(foreign), foreign
        assert not any(name.startswith("x-claude-") for seen in fake.seen for name in seen.fields)


@DIALECTS
def test_a_sub_agent_asks_under_its_own_id_and_reports_back(line, claude, dialect):
    there = line(dialect)
    task = {"description": "greet", "prompt": "Say hello.", "subagent_type": "general-purpose"}
    report = "The helper says hello to whoever asked for it."
    there.fake.play(Scene((Use("Agent", task, "toolu_01agent"),)), Scene((Say(report),)))
    there.fake.default = DONE
    ran = claude("Ask a helper.", there.url)
    assert (ran.code, ran.said) == (0, "Written.\n")
    agents = [bool(sent.headers.get("x-claude-code-agent-id")) for sent in there.posts]
    assert agents == [False, True, False]
    assert there.fake.last.heard
    assert report in there.fake.last.heard.results["toolu_01agent"]


@DIALECTS
def test_the_title_is_asked_for_beside_the_turn_and_both_are_answered(line, claude, dialect):
    there = line(dialect)
    there.fake.default = Scene((Say('{"title": "A greeting"}'),))
    ran = claude("Say hello.", there.url, variables=CHATTY)
    assert ran.code == 0
    assert [sent.status for sent in there.posts] == [200, 200]
    titles = [sent for sent in there.posts if b'"json_schema"' in sent.body]
    assert len(titles) == 1
    asked = [seen.json() for seen in there.fake.seen if b'"json_schema"' in seen.body]
    assert "response_format" in asked[0] or "output_config" in asked[0]


@DIALECTS
def test_context_counts_are_answered_and_no_model_is_asked_for_them(line, claude, dialect):
    there = line(dialect)
    ran = claude("/context", there.url)
    assert ran.code == 0
    assert re.search(r"\*\*Tokens:\*\* [\d.]+k", ran.said)
    counts = there.tap.posts("/v1/messages/count_tokens")
    assert len(counts) >= 15
    # 0: the client took the connection's end for the answer, and asked again.
    assert {sent.status for sent in counts} <= {200, 0}
    # A vendor that has no such endpoint says 404, and the count is made here.
    assert {seen.path for seen in there.fake.seen} <= {"/v1/messages/count_tokens"}


# --- a planted key ---


@pytest.fixture
def both(claude):
    """A cloud that is preferred and a device that may see all; a file with a key to read."""
    (claude.project / "settings.env").write_text(f"region=eu\naccess={KEY.decode()}\n")
    with FakeModel() as cloud, FakeModel(open_fields=True) as device:
        names = [{"match": "claude-*", "choose": ["cloud", "device"]}]
        with tapped(
            backends=[
                backend("cloud", cloud, "anthropic_messages", "cloud"),
                backend("device", device, "openai_chat"),
            ],
            models=[model("cloud", "cloud", "*"), model("device", "device", "small")],
            names=names,
        ) as tap:
            yield tap, cloud, device


def read(path):
    return Use("Read", {"file_path": str(path)}, "toolu_01read")


def test_a_key_in_a_file_that_it_reads_never_reaches_the_cloud_and_the_device_ends_the_turn(
    claude, both
):
    tap, cloud, device = both
    cloud.default = Scene((read(claude.project / "settings.env"),))
    device.play(Scene((write(),)))
    device.default = DONE
    ran = claude("Read settings.env and write hello.txt.", tap.url, variables=CHATTY)
    assert (ran.code, ran.said) == (0, "Written.\n")
    assert (claude.project / "hello.txt").exists()
    assert cloud.seen
    assert not cloud.saw(KEY)
    assert device.saw(KEY)
    rules = [sent.answered["x-halfdoor-rule"] for sent in tap.posts() if KEY in sent.body]
    assert rules == ["secret", "secret"]


def test_a_key_that_a_sub_agent_reads_never_reaches_the_cloud_nor_does_its_report(claude, both):
    tap, cloud, device = both
    task = {"description": "look", "prompt": "Look at it.", "subagent_type": "general-purpose"}
    report = "The settings name the region eu and hold one credential, which I do not repeat here."
    cloud.play(Scene((Use("Agent", task, "toolu_01agent"),)))
    cloud.default = Scene((read(claude.project / "settings.env"),))
    device.play(Scene((Say(report),)))
    device.default = DONE
    ran = claude("Have a helper look at settings.env.", tap.url)
    assert (ran.code, ran.said) == (0, "Written.\n")
    assert device.saw(KEY)
    assert not cloud.saw(KEY)
    assert not cloud.saw(report.encode())


def test_every_model_is_discovered_under_a_name_that_it_takes_up_and_answers_by_it(line, claude):
    there = line("openai_chat")
    variables = {**CHATTY, "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1"}
    ran = claude("Hello.", there.url, model="claude-halfdoor-far", variables=variables)
    assert ran.code == 0, ran.said
    asked = [sent for sent in there.tap.sent if sent.path == "/v1/models"]
    assert [(sent.method, sent.status) for sent in asked] == [("GET", 200)]
    kept = (claude.home / ".claude/cache/gateway-models.json").read_text()
    assert '"claude-halfdoor-far"' in kept
    assert {seen.json()["model"] for seen in there.fake.seen} == {"real-model"}
