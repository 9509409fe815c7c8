import base64
import json
from typing import Any

import pytest

from halfdoor.errors import ClientError
from halfdoor.reading.passages import passage, plain

LONG = "I have read the file and this is what I found in it, word by word, line by line."
ARGUMENTS = {"file_path": "payments/ledger.py"}


def read(value):
    return passage(json.dumps(value).encode(), "messages[0]", member=False)


def chat_call(arguments):
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "Read", "arguments": arguments},
    }
    return {"role": "assistant", "content": None, "tool_calls": [call]}


CALLS = {
    "messages": {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "call_1", "name": "Read", "input": ARGUMENTS}],
    },
    "chat": chat_call(json.dumps(ARGUMENTS)),
    "ollama": chat_call(ARGUMENTS),
    "responses": {
        "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "Read",
        "arguments": json.dumps(ARGUMENTS),
    },
    "unknown dialect": {"parts": [{"x_call": {"id": "call_1", "name": "Read", "args": ARGUMENTS}}]},
}  # fmt: skip


@pytest.mark.parametrize("dialect", CALLS)
def test_a_call_is_seen_in_every_dialect(dialect):
    seen = read(CALLS[dialect])
    assert ("call_1", "Read", ARGUMENTS) in [(c.id, c.name, c.arguments) for c in seen.calls]
    assert seen.paths == ("payments/ledger.py",)
    assert "payments/ledger.py" in seen.texts
    assert seen.speaks


def test_a_call_with_free_text_has_it_as_input():
    patch = "*** Begin Patch\n*** Add File: a/b.py\n+x\n*** End Patch"
    item = {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": patch}
    seen = read(item)
    assert seen.calls[0].arguments == {"input": patch}
    assert seen.paths == ("a/b.py",)


def test_a_local_shell_call_is_a_call():
    action = {"type": "exec", "command": ["cat", "payments/x.py"]}
    seen = read({"type": "local_shell_call", "call_id": "c", "action": action})
    assert seen.calls[0].id == "c"
    assert "payments/x.py" in seen.paths


ANSWERS = {
    "messages": {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "x"}],
    },
    "chat": {"role": "tool", "tool_call_id": "c1", "content": "x"},
    "chat with name": {"role": "tool", "tool_call_id": "c1", "name": "Read", "content": "x"},
    "responses": {"type": "function_call_output", "call_id": "c1", "output": "x"},
    "custom": {"type": "custom_tool_call_output", "call_id": "c1", "output": "x"},
    "server tool": {"type": "web_search_tool_result", "tool_use_id": "c1", "content": []},
}


@pytest.mark.parametrize("dialect", ANSWERS)
def test_an_answered_call_is_seen_in_every_dialect(dialect):
    seen = read(ANSWERS[dialect])
    assert seen.answered == ("c1",)
    assert not seen.speaks
    assert seen.calls == ()


SPOKEN = {
    "messages": {"role": "assistant", "content": [{"type": "text", "text": LONG}]},
    "thinking": {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": LONG, "signature": "s"}],
    },
    "chat": {"role": "assistant", "content": LONG},
    "reasoning": {"role": "assistant", "content": "x", "reasoning_content": LONG},
    "responses": {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": LONG}],
    },
    "summary": {"type": "reasoning", "summary": [{"type": "summary_text", "text": LONG}]},
}


@pytest.mark.parametrize("dialect", SPOKEN)
def test_what_a_model_said_is_seen_in_every_dialect(dialect):
    assert LONG in read(SPOKEN[dialect]).assistant_texts


REPORTS = {
    "messages": {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "call_1",
                "content": [{"type": "text", "text": LONG}, {"type": "text", "text": "agentId: 7"}],
            }
        ],
    },
    "messages, a string": {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": LONG}],
    },
    "chat": {"role": "tool", "tool_call_id": "call_1", "content": LONG},
}


@pytest.mark.parametrize("dialect", REPORTS)
def test_a_sub_agents_report_is_what_a_model_said_so_its_label_does_not_end_at_its_caller(dialect):
    assert LONG in read(REPORTS[dialect]).assistant_texts


def test_what_a_user_said_and_what_is_short_is_not_the_models():
    assert read({"role": "user", "content": LONG}).assistant_texts == ()
    assert read({"role": "assistant", "content": "Done."}).assistant_texts == ()


def test_seals_and_ciphertexts_of_thinking_are_signatures():
    parts = [
        {"type": "thinking", "thinking": "x", "signature": "sig-1"},
        {"type": "redacted_thinking", "data": "cipher-2"},
        {"type": "reasoning", "encrypted_content": "cipher-3"},
        {"type": "note", "signature": "no seal"},
    ]
    seen = read({"role": "assistant", "content": parts})
    assert seen.signatures == ("sig-1", "cipher-2", "cipher-3")
    assert set(seen.opaque) == {"redacted-thinking", "encrypted-reasoning"}


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8).decode()
OPAQUE = {
    "image": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    "remote-image": {"type": "image_url", "image_url": {"url": "https://h/x.png"}},
    "document": {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PNG}},
    "audio": {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
    "file-reference": {"type": "input_file", "file_id": "file-1"},
    "previous-response": {"previous_response_id": "resp_1"},
    "redacted-thinking": {"type": "redacted_thinking", "data": PNG},
    "encrypted-reasoning": {"type": "reasoning", "encrypted_content": PNG},
    "item-reference": {"type": "item_reference", "id": "msg_1"},
    "binary": {"unknown": {"blob": PNG}},
}  # fmt: skip


@pytest.mark.parametrize("kind", OPAQUE)
def test_what_cannot_be_read_is_named(kind):
    assert kind in read({"role": "user", "content": [OPAQUE[kind]]}).opaque


def test_inline_images_and_ollama_images_are_images():
    assert read(
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG}}
    ).opaque == ("image",)
    assert read({"role": "user", "content": "x", "images": [PNG]}).opaque == ("image",)


def test_plain_conversation_has_nothing_opaque():
    schema = {
        "type": "object",
        "properties": {"file_id": {"type": "string"}, "image": {"type": "string"}},
    }
    tool = {"name": "Read", "description": LONG, "input_schema": schema}
    assert read([tool, *SPOKEN.values(), *ANSWERS.values()]).opaque == ()
    assert passage(b'"previous_response_id":null', "previous_response_id", member=True).opaque == ()


def test_a_text_document_is_read_and_a_broken_one_is_unread():
    source = {
        "type": "base64",
        "media_type": "text/plain",
        "data": base64.b64encode(b"hi you").decode(),
    }
    seen = read({"type": "document", "source": source})
    assert "hi you" in seen.texts
    assert (seen.opaque, seen.unread) == ((), ())
    broken = read({"type": "document", "source": {**source, "data": "/w=="}})
    assert broken.unread == ("text-document",)


def test_a_member_is_read_with_its_key():
    seen = passage(b'"system" : "be brief"', "system", member=True)
    assert set(seen.texts) == {"system", "be brief"}


def test_malformed_json_in_a_block_is_the_callers_error():
    with pytest.raises(ClientError):
        passage(b'{"a":1,"a":2}', "messages[0]", member=False)


def test_text_outside_the_body_is_read_with_what_it_hides():
    said = base64.b64encode(b"a sentence that is long enough").decode()
    assert "a sentence that is long enough" in plain(f"x-note: {said}", "headers").texts


UNEVEN = {
    "a key twice": '{"file_path": "payments/x", "file_path": "/a"}',
    "a number of many digits": '{"file_path": "payments/x", "n": ' + "1" * 5000 + "}",
    "words behind": '{"file_path": "payments/x"} and more',
    "a comma too many": '{"file_path": "payments/x",}',
    "single quotes": "{'file_path': 'payments/x'}",
}


@pytest.mark.parametrize("how", UNEVEN)
def test_arguments_that_readers_take_differently_name_every_path(how):
    paths = read(chat_call(UNEVEN[how])).paths
    assert any(path.startswith("payments/x") for path in paths), paths


def test_another_file_beside_a_completion_is_named_by_its_own_name():
    said = passage(b'{"filename":"payments/ledger.py","text":"def settle(): ..."}', "p", False)
    assert said.paths == ("payments/ledger.py",)
    schema = passage(b'{"properties":{"filename":{"type":"string"},"text":{}}}', "p", False)
    assert schema.paths == ()


def test_reasoning_that_nobody_sealed_is_told_so_that_it_goes_to_no_vendor_that_seals():
    item: dict[str, Any] = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": None,
    }
    assert passage(json.dumps(item).encode(), "", False).signatures == ("",)
