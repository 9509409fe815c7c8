import asyncio

from halfdoor.backends import guard
from halfdoor.backends.switch import Switch
from halfdoor.canon.labels import Zone
from halfdoor.config.offline import flag


def test_without_the_flag_nothing_is_added(tmp_path):
    assert Switch(tmp_path).rules() == ()
    assert not guard.is_offline()


def test_the_flag_adds_the_rule_from_the_next_request_on_and_shuts_the_guard(tmp_path):
    switch = Switch(tmp_path)
    flag(tmp_path).touch()
    [rule] = switch.rules()
    assert (rule.name, rule.label, rule.ceiling) == ("offline", "*", Zone.DEVICE)
    assert rule.source == "halfdoor offline on"
    assert guard.is_offline()


def test_a_flag_that_is_removed_changes_nothing_before_a_restart(tmp_path):
    switch = Switch(tmp_path)
    flag(tmp_path).touch()
    switch.rules()
    flag(tmp_path).unlink()
    assert switch.offline
    assert len(switch.rules()) == 1


def test_what_began_offline_adds_no_second_rule(tmp_path):
    flag(tmp_path).touch()
    switch = Switch(tmp_path, "--offline")
    assert switch.rules() == ()
    assert guard.is_offline()


def test_a_process_that_went_offline_for_another_reason_follows_with_its_rules(tmp_path):
    switch = Switch(tmp_path)
    guard.go_offline()
    assert len(switch.rules()) == 1


async def test_an_idle_process_sees_the_flag_without_any_request(tmp_path, monkeypatch):
    monkeypatch.setattr("halfdoor.backends.switch.LOOK_S", 0.001)
    switch = Switch(tmp_path)
    watching = asyncio.create_task(switch.watch())
    await asyncio.sleep(0)
    assert not watching.done()
    flag(tmp_path).touch()
    await watching
    assert switch.offline
