"""Real source files, unchanged, raise no alarm: the price of a false one is a turn kept at home."""

import importlib
import inspect
import time

import pytest

from halfdoor.detect.paths import PathDetector
from halfdoor.detect.secrets import SecretDetector
from halfdoor.detect.survey import Surveyor
from halfdoor.reading.engine import Engine
from halfdoor.reading.prints import Prints
from halfdoor.reading.secret_formats import FORMATS
from tests.detect.bodies import assistant, call, messages, request, result, user

ENGINE = Engine(FORMATS)
# 1 KB to 400 KB, with those that speak of keys, tokens and passwords all day.
MODULES = [
    "this", "getpass", "secrets", "hmac", "netrc", "base64", "ssl", "uuid", "smtplib", "ftplib",
    "urllib.request", "urllib.parse", "http.client", "http.cookies", "http.server", "imaplib",
    "tokenize", "configparser", "logging.handlers", "argparse", "typing", "pydoc_data.topics",
    "email.message", "asyncio.sslproto", "unittest.mock", "html.entities", "_pydecimal",
]  # fmt: skip


def source(module):
    return inspect.getsource(importlib.import_module(module))


def surveyed(*texts):
    made = Surveyor((SecretDetector(ENGINE), PathDetector(("payments/**",))), Prints(b"k" * 32))
    turns = [user(result(text, call_id=f"t{n}")) for n, text in enumerate(texts)]
    return made.survey(request(messages(*turns))).labels


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_the_standard_library_raises_no_alarm(module):
    assert surveyed(source(module)) == ()


def test_a_module_with_line_numbers_or_as_a_diff_raises_no_alarm():
    lines = source("http.client").split("\n")
    numbered = "\n".join(f"{n:6}\t{line}" for n, line in enumerate(lines))
    diff = "\n".join(f"+{line}" for line in lines)
    assert surveyed(numbered, diff) == ()


def test_a_warm_turn_costs_far_less_than_a_cold_one():
    made = Surveyor((SecretDetector(ENGINE), PathDetector(("payments/**",))), Prints(b"k" * 32))
    text = source("argparse")
    turns = [
        turn
        for n in range(53)
        for turn in (
            assistant(call("Read", call_id=f"t{n}", path="a.py")),
            user(result(f"{n}{text[:6000]}", call_id=f"t{n}")),
        )
    ]
    body = request(messages(*turns))

    def cost():
        start = time.process_time()
        made.survey(body)
        return time.process_time() - start

    cold = cost()
    assert min(cost() for _ in range(5)) * 4 < cold
