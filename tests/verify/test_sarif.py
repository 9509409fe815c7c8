"""SARIF 2.1.0, held to the specification: only its properties, all that it requires, its values.

The tables are written from the text of the standard (OASIS, sections 3.13 to 3.58), for the objects
that halfdoor writes.
"""

import json
import re
from typing import Any

import msgspec
import pytest

from halfdoor.canon.checks import Finding, Status
from halfdoor.verify.base import judged, nothing, skipped
from halfdoor.verify.sarif import sarif

TEXT, NUMBER, FLAG = str, int, bool
# object: {property: (required, kind)}; a kind in a list is an array of it.
SPEC: dict[str, dict[str, tuple[bool, Any]]] = {
    "log": {"$schema": (False, TEXT), "version": (True, TEXT), "runs": (True, ["run"])},
    "run": {
        "tool": (True, "tool"), "invocations": (False, ["invocation"]), "results": (False, ["result"]),
        "columnKind": (False, TEXT),
    },
    "tool": {"driver": (True, "component"), "extensions": (False, ["component"])},
    "component": {"name": (True, TEXT), "version": (False, TEXT), "rules": (False, ["descriptor"])},
    "descriptor": {
        "id": (True, TEXT), "shortDescription": (False, "message"), "properties": (False, "bag"),
    },
    "bag": {"tags": (False, [TEXT])},
    "invocation": {
        "executionSuccessful": (True, FLAG), "toolExecutionNotifications": (False, ["notification"]),
    },
    "notification": {
        "message": (True, "message"), "level": (False, TEXT), "descriptor": (False, "reference"),
    },
    "reference": {"id": (False, TEXT)},
    "message": {"text": (False, TEXT)},
    "result": {
        "ruleId": (False, TEXT), "ruleIndex": (False, NUMBER), "level": (False, TEXT),
        "message": (True, "message"), "locations": (False, ["location"]),
        "partialFingerprints": (False, "prints"),
    },
    "prints": {"halfdoor/v1": (True, TEXT)},
    "location": {"physicalLocation": (False, "physical")},
    "physical": {"artifactLocation": (False, "artifact"), "region": (False, "region")},
    "artifact": {"uri": (False, TEXT)},
    "region": {"startLine": (False, NUMBER), "startColumn": (False, NUMBER)},
}  # fmt: skip
LEVELS = {"none", "note", "warning", "error"}


def hold(kind, value):
    """Assert that a value is what the standard allows."""
    if isinstance(kind, list):
        assert isinstance(value, list)
        for each in value:
            hold(kind[0], each)
    elif isinstance(kind, str):
        assert set(value) <= set(SPEC[kind]), (kind, value)
        for name, (required, below) in SPEC[kind].items():
            assert name in value or not required, (kind, name)
            if name in value:
                hold(below, value[name])
    else:
        assert type(value) is kind
        assert kind is not NUMBER or value >= 0


FOUND = Finding("lint", "a b/ü.py", 3, 2, "F821", "no such name", "write another", "CWE-1")
WHOLE = Finding("review", "", 0, 0, "unreviewed", "nobody looked")
RESULTS = (
    judged("lint", (FOUND, msgspec.structs.replace(FOUND, line=9)), "1 file"),
    judged("review", (WHOLE,), "1 commit"),
    judged("syntax", (), "1 file"),
    nothing("types", "none"),
)


@pytest.mark.parametrize("results", [(), RESULTS, (*RESULTS, skipped("imports", "no sandbox"))])
def test_the_document_is_what_the_standard_allows(results):
    document = json.loads(msgspec.json.encode(sarif(results, "1.0")))
    hold("log", document)
    assert document["version"] == "2.1.0"
    for run in document["runs"]:
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert len(rules) == len(set(rules))
        assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
        for result in run["results"]:
            assert rules[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in LEVELS
            for location in result.get("locations", ()):
                physical = location["physicalLocation"]
                assert re.fullmatch(r"[A-Za-z0-9/._~%-]+", physical["artifactLocation"]["uri"])
                assert physical.get("region", {"startLine": 1})["startLine"] >= 1


def test_a_skip_is_told_and_the_run_then_did_not_succeed():
    (run,) = sarif((skipped("imports", "no sandbox"),), "1")["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (note,) = invocation["toolExecutionNotifications"]
    assert (note["descriptor"]["id"], "no sandbox" in note["message"]["text"]) == ("imports", True)


def test_a_finding_that_moved_has_the_same_fingerprint_and_another_has_not():
    (run,) = sarif(RESULTS, "1")["runs"]
    first, second, other = (each["partialFingerprints"]["halfdoor/v1"] for each in run["results"])
    assert (first == second, first == other) == (True, False)
    assert all(each.status is not Status.SKIPPED for each in RESULTS)


def test_notes_are_told_and_make_no_run_fail():
    document = sarif([], "1.0", ["inner was not looked at"])
    hold("log", document)
    (invocation,) = document["runs"][0]["invocations"]
    (note,) = invocation["toolExecutionNotifications"]
    assert (note["level"], note["message"]["text"]) == ("note", "inner was not looked at")
    assert invocation["executionSuccessful"]
