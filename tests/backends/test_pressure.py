"""The engines' own pages, in the shapes that their documentation shows (November 2026)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.backends import pressure
from halfdoor.backends.pressure import PAGES, Load, Pressed, read

VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="Qwen/Qwen3-8B"} 3.0
vllm:num_requests_running{engine="1",model_name="Qwen/Qwen3-8B"} 4.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="Qwen/Qwen3-8B"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 9.0
vllm:kv_cache_usage_perc{engine="0",model_name="Qwen/Qwen3-8B"} 0.25
"""
LLAMACPP = """\
# HELP llamacpp:requests_processing Number of requests processing.
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 4
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 7
"""
SLOTS = '[{"id":0,"n_ctx":8192,"is_processing":true},{"id":1,"n_ctx":8192,"is_processing":false}]'
OLDER_SLOTS = '[{"id":0,"state":1,"prompt":"..."},{"id":1,"state":0,"prompt":""}]'

(METRICS,) = PAGES["vllm"]
CPP_METRICS, CPP_SLOTS = PAGES["llamacpp"]


def said(page, text, status=200):
    return read(page, status, text.encode())


def test_vllm_tells_what_runs_and_waits_over_all_of_its_engines():
    assert said(METRICS, VLLM) == Pressed(7, 2)


def test_llama_cpp_tells_it_with_metrics_and_what_runs_without():
    assert said(CPP_METRICS, LLAMACPP) == Pressed(4, 7)
    assert said(CPP_SLOTS, SLOTS) == said(CPP_SLOTS, OLDER_SLOTS) == Pressed(1, 0)


def test_what_is_ours_is_taken_off_what_others_have():
    assert Pressed(7, 2).beside(4) == Load(others=5, behind=2)
    assert Pressed(1, 0).beside(3) == Load(others=0, behind=0)


@pytest.mark.parametrize(
    "value",
    ["NaN", "+Inf", "-1", "2.5", "1e300", "1000001", "0x10", "1_0", "", "many", "1 2 3", "9" * 400],
)
def test_a_strange_number_is_no_answer(value):
    assert said(METRICS, VLLM.replace("} 2.0", f"}} {value}")) is None


def test_a_label_may_hold_anything_in_its_quotes():
    odd = VLLM.replace("Qwen/Qwen3-8B", r"a} 99 \" vllm:num_requests_running 5")
    assert said(METRICS, odd) == Pressed(7, 2)


@pytest.mark.parametrize("page", [METRICS, CPP_METRICS, CPP_SLOTS])
@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '[{"id":0}]', "[" * 5000, "<html>"])
def test_a_page_of_something_else_is_no_answer(page, text):
    assert said(page, text) is None


def test_a_page_that_is_missing_or_too_long_is_no_answer():
    assert said(METRICS, VLLM, 404) is None
    assert said(METRICS, VLLM + "#" * pressure.MOST_BYTES) is None
    many = "\n".join(f'vllm:num_requests_waiting{{engine="{i}"}} 1' for i in range(300))
    assert said(METRICS, f"vllm:num_requests_running 1\n{many}\n") is None
    slots = ",".join(['{"is_processing":true}'] * 5000)
    assert said(CPP_SLOTS, f"[{slots}]") is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_whatever_comes_is_numbers_within_bounds_or_no_answer(noise, at):
    whole = VLLM.encode()
    body = whole[:at] + noise + whole[at:]
    for page in (METRICS, CPP_METRICS, CPP_SLOTS):
        found = read(page, 200, body)
        assert found is None or (found.running >= 0 and found.waiting >= 0)
