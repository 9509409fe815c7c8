import json

import pytest

from halfdoor.dialects.overlong import overlong, worded


def error(message, **more):
    return json.dumps({"error": {"message": message, **more}}).encode()


LLAMA = {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 5021, "n_ctx": 4096}
SAID = {
    "llama.cpp": (error("the request exceeds the available context size", **LLAMA), 5021, 4096),
    "llama.cpp, older": (error("the request exceeds the available context size. try more"), 0, 0),
    "Anthropic": (error("prompt is too long: 210432 tokens > 200000 maximum"), 210432, 200000),
    "OpenAI": (
        error(
            "This model's maximum context length is 128000 tokens. However, your messages resulted "
            "in 130001 tokens.",
            code="context_length_exceeded",
        ),
        130001,
        128000,
    ),
    "OpenAI, in words of its own": (error("Too much.", code="context_length_exceeded"), 0, 0),
    "vLLM": (
        error(
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
            "in the messages, Please reduce the length of the messages."
        ),
        5000,
        4096,
    ),
    "llama-cpp-python": (
        error("Requested tokens (5000) exceed context window of 4096"),
        5000,
        4096,
    ),
    "SGLang": (
        error("The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
        5000,
        4096,
    ),
    "LM Studio": (
        error(
            "Trying to keep the first 5000 tokens when context the overflows. However, the model "
            "is loaded with context length of only 4096 tokens, which is not enough."
        ),
        0,
        4096,
    ),
    "Ollama, of a chat": (b'{"error":"prompt too long; exceeded max context length"}', 0, 0),
    "Ollama": (b'{"error":"the input length exceeds the context length"}', 0, 0),
}


@pytest.mark.parametrize("who", SAID)
def test_a_prompt_that_is_too_long_is_known_in_each_servers_words(who):
    body, tokens, window = SAID[who]
    found = overlong(400, body)
    assert found
    assert (found.tokens, found.window) == (tokens, window)


OTHERS = [
    b"",
    b"{",
    b"[]",
    b'{"error":null}',
    b'{"error":{"message":3}}',
    error("max_tokens: 9 > 8, which is the maximum allowed number of output tokens"),
    error("you exceeded your current quota"),
    error("no such model"),
]


@pytest.mark.parametrize("body", OTHERS)
def test_other_errors_are_not_taken_for_it(body):
    assert overlong(400, body) is None


@pytest.mark.parametrize("status", [429, 500, 503])
def test_nor_is_an_error_that_blames_somebody_else(status):
    assert overlong(status, SAID["vLLM"][0]) is None


def test_a_vendors_own_words_are_known_and_an_engines_imitation_is_not():
    anthropic = b'{"type":"error","error":{"type":"x","message":"prompt is too long: 9 tokens > 8 maximum"}}'
    openai, llama = SAID["OpenAI"][0], SAID["llama.cpp"][0]
    for body, dialect, is_own in [
        (anthropic, "anthropic_messages", True),
        (llama, "anthropic_messages", False),
        (openai, "openai_chat", True),
        (openai, "openai_responses", True),
        (llama, "openai_chat", False),
    ]:
        found = overlong(400, body)
        assert found
        assert worded(body, found, dialect) == is_own
