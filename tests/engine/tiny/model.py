"""A language model of 5 MB with real probabilities, made in a second without training.

A bigram table written as the weights of a `llama` graph: the embedding is the identity, attention
and feed-forward add nothing, so what the last layer sees is which token came last, and its row of
the table is the answer. What it learnt from is `text.py`. Two answers are scripted, each with a
probability of nearly one: `CALL`, as text, where tools are offered, and `DONE` after a result.
"""

import math
import struct
from collections.abc import Sequence
from importlib import resources
from itertools import pairwise
from typing import Final

from tests.engine.tiny.bpe import Tokenizer
from tests.engine.tiny.gguf import F16, F32, Tensor, Value, written
from tests.engine.tiny.text import functions

NAME: Final = "halfdoor-tiny"
TOOL: Final = "Write"
ARGUMENTS: Final = {"file_path": "hello.txt", "content": "written by a real engine"}
CALL: Final = (
    '<tool_call>\n{"name": "Write", "arguments": {"file_path": "hello.txt", '
    '"content": "written by a real engine"}}\n</tool_call>'
)
DONE: Final = "The file is written."
CONTEXT_TOKENS: Final = 131072

_SIZE: Final = 1024
_HEAD: Final = 32
_FUNCTIONS: Final = 600
_CONTROL: Final = (
    "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", "<|call|>", "<|done|>",
    "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>",
)  # fmt: skip
_PIECE: Final = 16
# Pooling of embeddings: the mean of the tokens of a text.
_MEAN: Final = 1
_NORMAL, _IS_CONTROL, _USER_DEFINED = 1, 3, 4
# Added to each count, so that nothing is impossible. Log-probability of what a script forbids.
_SMOOTHING: Final = 0.01
_NEVER: Final = -30.0


def made() -> bytes:
    """The whole GGUF file, the same on every machine."""
    scripts = (_cut(CALL), _cut(DONE))
    pieces = [piece for script in scripts for piece in script]
    merges = _SIZE - 256 - len(_CONTROL) - len(pieces)
    texts = functions(_FUNCTIONS)
    tokenizer = Tokenizer(texts, merges)
    tokens = [*tokenizer.tokens, *_CONTROL, *pieces]
    ids = {token: number for number, token in enumerate(tokens)}
    rows = _learnt([tokenizer.ids(text) for text in texts], ids)
    for mark, script in zip(("<|call|>", "<|done|>"), scripts, strict=True):
        for here, following in pairwise((mark, *script, "<|end|>")):
            rows[ids[here]] = _forced(ids[following])
    return written(_facts(tokens, tokenizer, len(pieces)), _tensors(rows))


def _cut(text: str) -> list[str]:
    """Pieces that an engine's buffer for one token holds; a piece's first two letters are its own."""
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]


def _learnt(texts: Sequence[Sequence[int]], ids: dict[str, int]) -> list[list[float]]:
    """Row by token, column by what follows: log-probabilities."""
    counts = [[_SMOOTHING] * _SIZE for _ in range(_SIZE)]
    end = ids["<|end|>"]
    for text in texts:
        for mark in ("<|assistant|>", "<|fim_middle|>"):
            counts[ids[mark]][text[0]] += 1
        for here, following in pairwise((*text, end)):
            counts[here][following] += 1
    return [_logs(row) for row in counts]


def _logs(counts: Sequence[float]) -> list[float]:
    total = math.fsum(counts)
    return [math.log(count / total) for count in counts]


def _forced(following: int) -> list[float]:
    return [0.0 if number == following else _NEVER for number in range(_SIZE)]


def _facts(tokens: list[str], tokenizer: Tokenizer, pieces: int) -> dict[str, Value]:
    ids = {token: number for number, token in enumerate(tokens)}
    learnt = len(tokenizer.tokens)
    kinds = [_NORMAL] * learnt + [_IS_CONTROL] * len(_CONTROL) + [_USER_DEFINED] * pieces
    template = resources.files(__package__).joinpath("template.jinja").read_text("utf-8")
    return {
        "general.architecture": "llama",
        "general.name": NAME,
        "general.file_type": F16,
        "llama.block_count": 1,
        "llama.context_length": CONTEXT_TOKENS,
        "llama.embedding_length": _SIZE,
        "llama.feed_forward_length": _HEAD,
        "llama.attention.head_count": 1,
        "llama.attention.head_count_kv": 1,
        "llama.attention.key_length": _HEAD,
        "llama.attention.value_length": _HEAD,
        "llama.attention.layer_norm_rms_epsilon": 1e-9,
        "llama.rope.dimension_count": _HEAD,
        "llama.vocab_size": _SIZE,
        "llama.pooling_type": _MEAN,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": [f"{left} {right}" for left, right in tokenizer.merges],
        "tokenizer.ggml.bos_token_id": ids["<|end|>"],
        "tokenizer.ggml.eos_token_id": ids["<|end|>"],
        "tokenizer.ggml.eot_token_id": ids["<|end|>"],
        "tokenizer.ggml.fim_pre_token_id": ids["<|fim_prefix|>"],
        "tokenizer.ggml.fim_suf_token_id": ids["<|fim_suffix|>"],
        "tokenizer.ggml.fim_mid_token_id": ids["<|fim_middle|>"],
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": template,
    }


def _tensors(rows: list[list[float]]) -> list[Tensor]:
    # The norm makes a one in one place of a row of d numbers into the root of d.
    root = math.sqrt(_SIZE)
    columns = [[row[to] / root for row in rows] for to in range(_SIZE)]
    identity = ([float(at == token) for at in range(_SIZE)] for token in range(_SIZE))
    ones = struct.pack(f"<{_SIZE}f", *[1.0] * _SIZE)
    nothing = bytes(2 * _SIZE * _HEAD)
    into, out = (_SIZE, _HEAD), (_HEAD, _SIZE)
    return [
        Tensor("token_embd.weight", (_SIZE, _SIZE), F16, b"".join(map(_halves, identity))),
        Tensor("blk.0.attn_norm.weight", (_SIZE,), F32, ones),
        Tensor("blk.0.attn_q.weight", into, F16, nothing),
        Tensor("blk.0.attn_k.weight", into, F16, nothing),
        Tensor("blk.0.attn_v.weight", into, F16, nothing),
        Tensor("blk.0.attn_output.weight", out, F16, nothing),
        Tensor("blk.0.ffn_norm.weight", (_SIZE,), F32, ones),
        Tensor("blk.0.ffn_gate.weight", into, F16, nothing),
        Tensor("blk.0.ffn_up.weight", into, F16, nothing),
        Tensor("blk.0.ffn_down.weight", out, F16, nothing),
        Tensor("output_norm.weight", (_SIZE,), F32, ones),
        Tensor("output.weight", (_SIZE, _SIZE), F16, b"".join(map(_halves, columns))),
    ]


def _halves(row: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(row)}e", *row)
