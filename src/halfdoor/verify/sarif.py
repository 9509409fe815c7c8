"""Results as SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), for those who collect them.

Skipped checks are notifications of the run, and the run then says that it did not succeed: a reader
that looks at results alone would take silence for a pass.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from halfdoor.canon.checks import Finding, Result, Status

VERSION: Final = "2.1.0"
SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def sarif(results: Iterable[Result], version: str, said: Iterable[str] = ()) -> dict[str, Any]:
    """The document, ready for JSON. version: halfdoor's. said: notes about the run as a whole."""
    results = tuple(results)
    found = [finding for result in results for finding in result.findings]
    rules = {_rule_id(each): _rule(each) for each in found}
    order = list(rules)
    skipped = [each for each in results if each.status is Status.SKIPPED]
    run = {
        "tool": {"driver": {"name": "halfdoor", "version": version, "rules": list(rules.values())}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(skipped, said)],
        "results": [_result(each, order.index(_rule_id(each))) for each in found],
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _invocation(skipped: list[Result], said: Iterable[str]) -> dict[str, Any]:
    notes = [
        {
            "level": "error",
            "message": {"text": f"skipped: {each.saw}"},
            "descriptor": {"id": each.check},
        }
        for each in skipped
    ]
    told = [{"level": "note", "message": {"text": each}} for each in said]
    return {"executionSuccessful": not notes, "toolExecutionNotifications": notes + told}


def _rule_id(finding: Finding) -> str:
    return f"{finding.check}/{finding.code}"


def _rule(finding: Finding) -> dict[str, Any]:
    tags = [finding.check, *([f"external/cwe/{finding.cwe.lower()}"] if finding.cwe else [])]
    return {
        "id": _rule_id(finding),
        "shortDescription": {"text": f"{finding.check}: {finding.code}"},
        "properties": {"tags": tags},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    hint = f"; fix: {finding.hint}" if finding.hint else ""
    result: dict[str, Any] = {
        "ruleId": _rule_id(finding),
        "ruleIndex": index,
        "level": "error",
        "message": {"text": finding.message + hint},
        "partialFingerprints": {"halfdoor/v1": _print(finding)},
    }
    if finding.path:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path)}}
        if finding.line:
            column = {"startColumn": finding.column} if finding.column else {}
            place["region"] = {"startLine": finding.line, **column}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _uri(path: str) -> str:
    """A relative reference: `a b.py` is `a%20b.py`."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/~")


def _print(finding: Finding) -> str:
    """The same for the same finding when its line has moved."""
    said = f"{finding.check}\0{finding.code}\0{finding.path}\0{finding.message}"
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:32]
