import json

from halfdoor.reading import followed


def texts(value, names=lambda text: False):
    return followed.block(json.dumps(value).encode(), member=False, names=names)


def result(*content):
    return {"type": "tool_result", "tool_use_id": "t1", "content": list(content)}


def test_of_a_turn_with_results_only_what_they_hold_is_followed():
    said = [result({"type": "text", "text": "rate = 3"}), {"type": "text", "text": "be careful"}]
    found = texts({"role": "user", "content": said})
    assert "rate = 3" in found
    assert "be careful" not in found


def test_a_chat_tool_message_is_a_result():
    found = texts({"role": "tool", "tool_call_id": "c1", "content": "rate = 3"})
    assert "rate = 3" in found


def test_a_tools_reminder_in_a_result_is_not_followed():
    whole = "rate = 3\n<system-reminder>\nBe careful.\n</system-reminder>"
    (found,) = (text for text in texts(result(whole)) if "rate" in text)
    assert "careful" not in found


def test_of_other_turns_the_parts_that_name_the_file_are_followed():
    named = "ledger.py:\n" + "rate = 3\n" * 9
    parts = [{"type": "text", "text": text} for text in (named, "be careful")]
    turn = {"role": "user", "content": parts}
    assert texts(turn, lambda text: "ledger.py" in text) == [named]
    assert "be careful" in texts(turn)


def test_a_file_between_reminder_tags_is_no_reminder():
    for whole in (
        f"<system-reminder>{'rate = 3 ' * 400}</system-reminder>",
        "<system-reminder>rate = 3",
    ):
        assert any("rate = 3" in text for text in texts(result(whole)))


def test_tags_without_an_end_take_no_time():
    assert texts(result("<system-reminder>" * 200_000))


def test_of_a_models_turn_all_is_followed_though_only_a_path_names_the_file():
    call = {"file_path": "payments/ledger.py", "content": "rate = 3"}
    for turn in (
        {"role": "assistant", "content": [{"type": "tool_use", "name": "Write", "input": call}]},
        {
            "role": "assistant",
            "tool_calls": [{"function": {"name": "Write", "arguments": json.dumps(call)}}],
        },
    ):
        assert "rate = 3" in texts(turn, lambda text: "ledger.py" in text)


def test_a_path_alone_is_not_what_a_person_says_of_the_file():
    turn = {"role": "user", "content": [{"path": "payments/ledger.py"}, {"text": "rate = 3"}]}
    assert "rate = 3" in texts(turn, lambda text: "ledger.py" in text)


def test_what_a_calls_arguments_write_is_followed_as_the_text_that_it_is():
    call = json.dumps({"file_path": "payments/a.py", "content": "rate = 3\nfee = 4"})
    assert "rate = 3\nfee = 4" in followed.answer([call])
