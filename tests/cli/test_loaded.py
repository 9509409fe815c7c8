import asyncio

import pytest

from halfdoor.cli.loaded import cut_off, windows
from halfdoor.config.model import Config
from halfdoor.config.tables.backends import Backend
from halfdoor.config.tables.models import Model
from halfdoor.errors import BackendError
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.schema import FILE
from tests.backends.test_engines import PROPS, PS, VLLM
from tests.record.samples import decided, outcome

ROOT = "http://127.0.0.1:9"


def findings(pages, dialect="openai_chat", model_id="qwen3", *, zone="device", **stated):
    """What doctor says of one model whose engine has these pages."""
    asked = []

    async def ask(url, permit):
        asked.append(url)
        if not pages:
            raise BackendError("cannot be reached", kind="connect")
        body = pages.get(url.removeprefix(ROOT))
        return (404, b"") if body is None else (200, body)

    config = Config(
        backends=(Backend(name="b", dialect=dialect, url=f"{ROOT}/v1", zone=zone),),
        models=(Model(name="m", backend="b", id=model_id, **stated),),
    )
    found = asyncio.run(windows(config, ask))
    return [(f.state, f.said, f.hint) for f in found], asked


def test_a_window_too_small_for_coding_tools_is_a_warning_that_says_how_to_mend_it():
    ((state, said, hint),), _ = findings({"/api/ps": PS})
    assert (state, said.partition(";")[0]) == ("warn", "is loaded with a window of 4,096 tokens")
    assert "OLLAMA_CONTEXT_LENGTH" in hint


def test_a_large_window_is_well():
    found, _ = findings({"/v1/models": VLLM}, model_id="Qwen/Qwen3-8B")
    assert found == [("ok", "is loaded with a window of 40,960 tokens", "")]


def test_a_claim_beyond_what_is_loaded_is_a_warning():
    ((state, said, hint),), _ = findings({"/props": PROPS}, context_tokens=131_072)
    assert state == "warn"
    assert "8,192 tokens, and configured with 131,072" in said
    assert hint.startswith("write `context_tokens = 8192`")


def test_a_window_that_is_asked_for_is_no_claim():
    found, _ = findings({"/api/ps": PS}, "ollama", context_tokens=32_768)
    assert found == [("ok", "is asked for with a window of 32,768 tokens", "")]


@pytest.mark.parametrize("pages", [{}, {"/": b""}])
def test_of_an_engine_that_does_not_tell_nothing_is_said(pages):
    assert findings(pages)[0] == []


def test_a_cloud_is_not_asked():
    assert findings({"/v1/models": VLLM}, zone="cloud") == ([], [])


def test_prompts_that_an_engine_cut_off_are_counted(tmp_path):
    file = LogFile(tmp_path / FILE, LogKeys.load_or_create(tmp_path))
    cut = [outcome(i, notices=("truncated",)) for i in (1, 3)]
    file.append([decided(1), cut[0], decided(2), outcome(2), decided(3), cut[1]], last=True)
    file.close()
    (found,) = cut_off(tmp_path)
    assert (found.state, found.about) == ("warn", "model qwen-coder")
    assert found.said == "cut off, or left out a part of, 2 prompts of the newest 200"


def test_where_nothing_was_cut_off_nothing_is_said(tmp_path):
    assert list(cut_off(tmp_path)) == []
