"""The real Codex through a real halfdoor: Responses in, every dialect out."""

import pytest

from tests.clients.conftest import FARS, tapped
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, model
from tests.helpers.scenes import Refuse, Say, Scene, Use

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]

EVERY_FAR = pytest.mark.parametrize("far", FARS)
# Glued, so that this file holds no whole one.
KEY = b"AKIA" + b"Q3XRLNPD" + b"7WJ2ZKTE"


def runs(command: str, call_id: str) -> Use:
    return Use("exec_command", {"cmd": command}, call_id)


@EVERY_FAR
def test_a_turn_that_writes_a_file(line, codex, far):
    there = line(far)
    there.fake.play(
        Scene((Say("I write it."), runs("printf 'RATE = 2\\n' > rate.py", "call_w1"))),
        Scene((Say("The rate is doubled."),)),
    )
    ran = codex("Write rate.py.", there.url)
    assert (ran.code, "The rate is doubled." in ran.said) == (0, True), ran.said
    assert (codex.project / "rate.py").read_text() == "RATE = 2\n"
    assert [sent.status for sent in there.posts] == [200, 200]
    assert "call_w1" in there.fake.last.heard.results


def test_its_namespaced_tools_have_flat_names_on_the_way_and_their_own_at_home(line, codex):
    there = line("openai_chat")
    codex("hello", there.url)
    names = there.fake.last.heard.tools
    assert "exec_command" in names
    assert any("__" in name for name in names)
    assert len(set(names)) == len(names)


@EVERY_FAR
def test_a_refusal_is_one_request_and_its_words_are_shown(line, codex, far):
    there = line(far)
    there.fake.default = Scene(trouble=Refuse(400, "no, because of X-17"))
    ran = codex("hello", there.url)
    assert ran.code != 0
    assert "X-17" in ran.said
    assert len(there.posts) == 1


def test_a_key_in_a_file_that_it_reads_stays_on_the_device(codex):
    (codex.project / "settings.env").write_text(f"access={KEY.decode()}\n")
    with FakeModel() as cloud, FakeModel() as device:
        tables = {
            "backends": [
                backend("cloud", cloud, "openai_responses", "cloud"),
                backend("device", device, "openai_chat"),
            ],
            "models": [model("cloud", "cloud", "large"), model("device", "device", "small")],
            "names": [{"match": "far", "choose": ["cloud", "device"]}],
        }
        cloud.play(Scene((runs("cat settings.env", "call_r1"),)))
        device.default = Scene((Say("It sets the access key."),))
        with tapped(**tables) as tap:
            ran = codex("What does settings.env set?", tap.url)
        assert (ran.code, "It sets the access key." in ran.said) == (0, True), ran.said
        assert device.saw(KEY)
        assert len(cloud.seen) == 1
        assert not cloud.saw(KEY)
