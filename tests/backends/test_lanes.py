from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.backends.lanes import Lanes, Waiter

# Who comes ("a", lane), who gives up (a number among those who wait), whose turn it is (None).
steps = st.lists(st.sampled_from("abcd") | st.integers(0, 9) | st.none(), max_size=60)


def anyone(_):
    return True


def waiting(*lanes):
    """Lanes in which these wait, by lane, and the waiters."""
    found, waiters = Lanes(), [Waiter(lane, "m") for lane in lanes]
    for waiter in waiters:
        found.add(waiter)
    return found, waiters


def served(lanes):
    """All that wait, in the order in which they are taken."""
    order = []
    while (waiter := lanes.take(anyone, 0.0)) is not None:
        order.append(waiter)
    return order


def test_a_session_that_asks_for_fifty_things_does_not_keep_another_waiting():
    lanes, waiters = waiting(*"a" * 50)
    late = Waiter("b", "m")
    lanes.add(late)
    assert lanes.place(late) == 2
    assert served(lanes)[:3] == [waiters[0], late, waiters[1]]


@settings(max_examples=200, deadline=None)
@given(steps)
def test_between_two_turns_of_a_session_every_other_that_waits_has_one(script):
    """So whoever is the first of its session is passed by each other session once at most."""
    lanes = Lanes()
    passed: dict[Waiter, list[str]] = {}
    for step in script:
        if isinstance(step, str):
            waiter = Waiter(step, "m")
            lanes.add(waiter)
            passed[waiter] = []
        elif step is None and (taken := lanes.take(anyone, 0.0)):
            del passed[taken]
            heads = {next(each for each in lanes if each.lane == w.lane) for w in lanes}
            for head in heads:
                passed[head].append(taken.lane)
        elif isinstance(step, int) and step < len(lanes):
            gone = list(lanes)[step]
            lanes.remove(gone)
            del passed[gone]
        assert sorted(map(id, lanes)) == sorted(map(id, passed))
    for waiter, by in passed.items():
        others = [lane for lane in by if lane != waiter.lane]
        assert len(others) == len(set(others))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=30), st.integers(0, 8))
def test_places_say_when_each_is_served_and_every_place_is_had_once(names, before):
    lanes, _ = waiting(*names)
    for _ in range(min(before, len(names))):
        lanes.take(anyone, 0.0)
    places = {waiter: lanes.place(waiter) for waiter in lanes}
    assert list(places.values()) == list(range(1, len(lanes) + 1))
    assert served(lanes) == list(places)


def test_who_gives_up_is_gone_at_once_and_twice_is_once():
    lanes, (first, second) = waiting("a", "b")
    lanes.remove(first)
    lanes.remove(first)
    assert (len(lanes), lanes.place(first), lanes.place(second)) == (1, 0, 1)


def test_who_does_not_fit_is_passed_and_it_is_noted_since_when():
    lanes, (first, second, third) = waiting("a", "b", "a")
    assert lanes.take(lambda each: each is not first, 5.0) is third
    assert (first.held_s, second.held_s) == (5.0, None)
    lanes.take(lambda each: each is second, 9.0)
    assert lanes.longest_held() is first
    assert first.held_s == 5.0
