"""Nothing tries to leave: measured by the kernel in a network namespace without a way out."""

import pytest

from tests.offline.sealed import inside, unsealable

NOTHING = {"no-route": 0, "datagrams": 0, "packets": 0}


@pytest.fixture
def story(tmp_path, processes):
    """Run a story in a sealed namespace. Skipped, and never passed, where that cannot be."""
    if why := unsealable():
        pytest.skip(why)
    return lambda name: inside(name, tmp_path)


def test_offline_a_whole_day_tries_to_leave_zero_times(story):
    report = story("offline")
    told = report["told"]
    assert (told["turn"]["status"], told["turn"]["zone"]) == (200, "device")
    assert told["explicit"]["status"] == 400
    assert "rule `offline` (--offline)" in told["explicit"]["body"]["error"]["message"]
    assert [left["rule"] for left in told["explain"]["excluded"]] == ["offline", "offline"]
    assert told["why"]["decided"]["rule"] == "offline"
    assert "not asked: halfdoor is offline" in told["doctor"]
    assert told["verify"]["whole"] is True
    assert told["verify"]["size"] >= 6
    assert report["counted"] == NOTHING
    assert not report["seen"]


def test_a_gateway_that_nobody_configured_asks_nobody(story):
    report = story("unconfigured")
    assert report["told"]["status"]["scripted"] is True
    assert report["counted"] == NOTHING
    assert not report["seen"]


def test_a_gateway_that_nobody_uses_asks_nobody(story):
    report = story("idle")
    assert report["counted"] == NOTHING
    assert not report["seen"]


def test_the_counters_count_a_gateway_that_does_try(story):
    report = story("online")
    assert report["told"]["named"]["status"] == report["told"]["numbered"]["status"] == 502
    assert report["counted"]["no-route"] > 0
    if report["seen"] is not None:
        assert any("192.0.2.7" in line for line in report["seen"])


def test_without_namespaces_there_is_a_reason_to_skip_and_no_pass(monkeypatch, processes):
    monkeypatch.setattr("tests.offline.sealed.shutil.which", lambda _: None)
    assert unsealable() == "no `unshare` here"
