from halfdoor.backends.swaps import Models


def models(*loaded):
    found = Models()
    found.tell(loaded, 0.0)
    return found


def test_where_the_engine_does_not_say_every_model_counts_as_loaded():
    unknown = Models()
    unknown.begin("a", 1.0)
    assert unknown.here("b")
    assert unknown.free("b")


def test_a_model_that_is_not_loaded_is_free_to_be_once_nobody_else_answers():
    engine = models("a")
    engine.begin("a", 1.0)
    assert not engine.free("b")
    engine.end("a")
    assert engine.free("b")


def test_ollamas_tag_makes_no_other_model():
    engine = models("a:latest", "b")
    assert engine.here("a")
    assert engine.here("b:latest")


def test_who_was_loaded_for_a_request_counts_as_loaded_and_what_was_there_before_no_longer():
    engine = models("a")
    engine.begin("b", 5.0)
    assert (engine.here("a"), engine.here("b"), engine.busy) == (False, True, ("b",))


def test_what_the_engine_said_before_a_swap_is_void_and_after_it_holds():
    engine = models("a")
    engine.begin("b", 5.0)
    engine.tell(["a"], 4.0)
    assert not engine.here("a")
    engine.tell(["a", "b"], 6.0)
    assert engine.here("a")


def test_while_the_new_model_is_being_loaded_the_engine_may_still_name_the_old_one():
    engine = models("a")
    engine.begin("b", 5.0)
    engine.tell(["a"], 6.0)
    assert not engine.here("a")
    engine.end("b")
    engine.tell(["a"], 7.0)
    assert engine.here("a")


def test_what_was_loaded_together_once_has_room_together_again():
    engine = models("a", "b", "c")
    engine.tell(["a"], 1.0)
    assert not engine.here("b")  # nobody answers, and it is not loaded
    engine.begin("a", 2.0)
    assert engine.here("b")
    engine.begin("b", 3.0)
    assert engine.here("a")
    assert engine.here("c")
    assert not engine.here("d")


def test_only_so_many_sets_are_remembered():
    engine = Models()
    for number in range(100):
        engine.tell([f"m{number}", "a"], float(number))
    assert len(engine._together) == 16
