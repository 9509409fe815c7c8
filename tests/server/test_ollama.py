"""What a tool that believes it speaks to Ollama asks besides chatting."""

import json
from typing import Any

import pytest

from halfdoor.canon.cards import Card
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Kind
from halfdoor.errors import ClientError
from halfdoor.server.ollama import PULL, SHOW, Engine

QWEN = Card("qwen:30b", "o", "qwen3", Zone.DEVICE, "ollama", "o", context_tokens=32768)
NOMIC = Card("nomic", "o", "n", Zone.DEVICE, "ollama", "o", kinds=(Kind.EMBEDDING,))
ENGINE = Engine((QWEN, NOMIC), ("qwen:30b", "nomic", "auto"))


def about(path: str, **body: str) -> Any:
    return json.loads(ENGINE.about(path, json.dumps(body).encode()))


def test_every_name_is_listed_with_a_tag():
    names = [model["name"] for model in json.loads(ENGINE.tags())["models"]]
    assert names == ["qwen:30b", "nomic:latest", "auto:latest"]


def test_codex_takes_the_version():
    assert json.loads(ENGINE.version())["version"] >= "0.13.4"


@pytest.mark.parametrize("key", ["model", "name"])
def test_a_model_tells_its_window_and_what_it_can_do(key):
    told = about(SHOW, **{key: "qwen:30b"})
    assert told["model_info"]["halfdoor.context_length"] == 32768
    assert told["capabilities"] == ["completion", "tools"]
    assert about(SHOW, **{key: "nomic:latest"})["capabilities"] == ["embedding"]


def test_pulling_what_is_there_succeeds_and_what_is_not_is_told():
    assert about(PULL, model="auto") == {"status": "success"}
    with pytest.raises(ClientError, match="'strange' not found") as refused:
        about(PULL, model="strange")
    assert refused.value.status == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_cannot_be_read_is_refused(body):
    with pytest.raises(ClientError):
        ENGINE.about(SHOW, body)
