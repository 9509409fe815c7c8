"""The engines' own pages, in the shapes that their documentation shows (November 2026)."""

import json
from typing import Any

import pytest

from halfdoor.backends.engines import PAGES, among, read, slots, windows
from halfdoor.canon.cards import Resident

PS = b"""{"models":[{"name":"qwen3:latest","model":"qwen3:latest","size":6591830464,
 "digest":"a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a",
 "details":{"parent_model":"","format":"gguf","family":"qwen3","families":["qwen3"],
 "parameter_size":"8.2B","quantization_level":"Q4_K_M"},
 "expires_at":"2026-11-21T16:47:07.93355-07:00","size_vram":5333539264,"context_length":4096}]}"""
PROPS = b"""{"default_generation_settings":{"id":0,"id_task":-1,"n_ctx":8192,"speculative":false,
 "is_processing":false,"params":{"n_predict":-1,"temperature":0.8},"prompt":"","next_token":{}},
 "total_slots":4,"model_path":"/models/q.gguf","chat_template":"...","build_info":"b9000",
 "modalities":{"vision":false},"is_sleeping":false}"""
VLLM = b"""{"object":"list","data":[{"id":"Qwen/Qwen3-8B","object":"model","created":1763700000,
 "owned_by":"vllm","root":"Qwen/Qwen3-8B","parent":null,"max_model_len":40960,"permission":[]}]}"""
LMSTUDIO = b"""{"object":"list","data":[
 {"id":"qwen3-4b","object":"model","type":"llm","publisher":"lmstudio-community","arch":"qwen3",
  "compatibility_type":"gguf","quantization":"Q4_K_M","state":"loaded","max_context_length":32768,
  "loaded_context_length":8192},
 {"id":"qwen2-vl-7b-instruct","object":"model","type":"vlm","publisher":"mlx-community",
  "arch":"qwen2_vl","compatibility_type":"mlx","quantization":"4bit","state":"not-loaded",
  "max_context_length":32768}]}"""
LMSTUDIO_V1 = (
    b'{"object":"list","data":[{"id":"qwen3-4b","object":"model","owned_by":"organization_owner"}]}'
)
OLLAMA_V1 = (
    b'{"object":"list","data":[{"id":"qwen3:latest","object":"model","owned_by":"library"}]}'
)
LLAMACPP_V1 = b"""{"object":"list","data":[{"id":"q.gguf","object":"model","owned_by":"llamacpp",
 "meta":{"vocab_type":2,"n_vocab":151936,"n_ctx_train":262144,"n_embd":4096,"n_params":8190735360}}]}"""

BY_ENGINE = {page.engine: page for page in PAGES}


def said(engine, body, status=200):
    found: Any = read(BY_ENGINE[engine], status, body)
    return found


def test_ollama_tells_window_and_share_in_gpu_memory_of_what_is_loaded():
    (model,) = said("ollama", PS)
    assert (model.model_id, model.loaded, model.window) == ("qwen3:latest", True, 4096)
    assert round(model.gpu, 2) == 0.81
    assert said("ollama", b'{"models":[]}') == ()


def test_llama_cpp_tells_the_window_of_one_slot_for_any_name():
    assert said("llamacpp", PROPS) == (Resident("*", True, 8192, 4),)
    assert among("whatever it is called", said("llamacpp", PROPS)) == Resident("*", True, 8192, 4)


def test_a_server_that_sleeps_has_nothing_loaded():
    asleep = PROPS.replace(b'"is_sleeping":false', b'"is_sleeping":true')
    assert said("llamacpp", asleep)[0].loaded is False


def test_vllm_tells_the_longest_that_it_takes():
    assert said("vllm", VLLM) == (Resident("Qwen/Qwen3-8B", True, 40960),)


def test_lm_studio_tells_what_is_loaded_and_how():
    assert said("lmstudio", LMSTUDIO) == (Resident("qwen3-4b", True, 8192),)


@pytest.mark.parametrize(
    "body", [LMSTUDIO_V1, OLLAMA_V1, LLAMACPP_V1, b'{"object":"list","data":[]}']
)
def test_a_list_without_windows_is_not_taken_for_vllm(body):
    """Nor is the length that a model was trained for taken for its window."""
    assert said("vllm", body) is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.engine)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"404 page not found",
        b"[]",
        b"null",
        b'{"models":7}',
        b'{"data":[{"id":1}]}',
        b'{"data":[{"id":"x","max_model_len":-1}]}',
        b'{"default_generation_settings":{"n_ctx":0}}',
        b"\xff",
        b"[" * 5000,
        json.dumps({"error": "Unexpected endpoint or method. (GET /props)"}).encode(),
    ],
)
def test_what_cannot_be_understood_says_nothing(page, body):
    assert read(page, 200, body) is None
    assert read(page, 404, PS) is None


def test_ollamas_tag_is_as_good_as_none():
    found = said("ollama", PS)
    assert among("qwen3", found) is found[0]
    assert among("qwen3:8b", found) is None
    assert dict(windows(found)) == {"qwen3:latest": 4096, "qwen3": 4096}


LMSTUDIO_OWN = b"""{"models":[
 {"type":"llm","publisher":"qwen","key":"qwen/qwen3-4b","quantization":{"name":"Q4_K_M"},
  "loaded_instances":[{"id":"qwen3-work","config":{"context_length":8192,"eval_batch_size":512,
   "parallel":4,"flash_attention":true}}],"max_context_length":262144,"format":"gguf"},
 {"type":"embedding","key":"text-embedding-nomic","loaded_instances":[],"max_context_length":2048}]}"""
LLAMASWAP = b"""{"running":[{"model":"qwen2.5","state":"ready","ttl":600,"proxy":"http://127.0.0.1:5800"},
 {"model":"smollm2","state":"stopping"}]}"""
LMSTUDIO_1 = next(page for page in PAGES if page.path == "/api/v1/models")


def test_lm_studio_tells_how_many_requests_an_instance_takes_at_once():
    found = read(LMSTUDIO_1, 200, LMSTUDIO_OWN)
    assert found == (
        Resident("qwen/qwen3-4b", True, 8192, 4),
        Resident("qwen3-work", True, 8192, 4),
    )
    assert slots(found) == 4
    assert read(LMSTUDIO_1, 200, b'{"models":[{"key":"q"}]}') is None


def test_llama_swap_tells_which_models_run():
    assert said("llamaswap", LLAMASWAP) == (Resident("qwen2.5", True),)
    assert said("llamaswap", b'{"running":[]}') == ()


def test_slots_are_known_only_where_all_that_is_loaded_tells_a_number_to_believe():
    one, two = Resident("a", True, slots=2), Resident("b", True, slots=5)
    assert slots([one, two]) == 5
    assert slots([one, Resident("b", True)]) is None
    assert slots([Resident("a", True, slots=10**9)]) is None
    assert slots([]) is None
