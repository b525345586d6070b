"""Render a report as SARIF 2.1.0, for GitHub code scanning, editors and other tools (OASIS, with errata 01).

GitHub shows a result at `locations`, the help of its rule, and matches results of two runs by their fingerprints
("SARIF support for code scanning").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from signer.reports import tool
from signer.reports.escape import printable
from signer.reports.links import page_of
from signer.reports.model import Finding, Report, Rule
from signer.version import VERSION

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
"""The name of the root of the sources, which a viewer maps to a folder."""
_RESULTS = '"results": []'


def render(report: Report) -> Iterator[str]:
    """Yield the document in pieces, with one run."""
    index = {code: place for place, code in enumerate(report.rules)}
    before, _, after = json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}).rpartition(_RESULTS)
    yield f'{before}"results": ['
    for number, (finding, fingerprint) in enumerate(report.identified()):
        yield ", " if number else ""
        yield json.dumps(_result(report, finding, fingerprint, index))
    yield f"]{after}\n"


def _run(report: Report) -> dict[str, Any]:
    return {
        "tool": {
            "driver": {
                "name": tool.NAME,
                "version": VERSION,
                "rules": [_rule(rule) for rule in report.rules.values()],
            }
        },
        "automationDetails": {"id": f"drvsign/{report.command.replace(' ', '-')}/"},
        "invocations": [
            {
                "executionSuccessful": report.executed,
                "exitCode": report.exit_code,
                "toolExecutionNotifications": [_notification(report, one) for one in _failures(report)],
            }
        ],
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the sources."}}},
        "columnKind": "unicodeCodePoints",
        "results": [],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    page = page_of(rule.source)
    title = printable(rule.title)
    paragraphs = [rule.help, f"Source: {rule.source}" if rule.source else ""]
    return {
        "id": printable(rule.code),
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {"text": "\n\n".join(map(printable, filter(None, paragraphs))) or title},
        **({"helpUri": page} if page else {}),
        "defaultConfiguration": {"level": rule.level},
    }


def _result(report: Report, finding: Finding, fingerprint: str, index: dict[str, int]) -> dict[str, Any]:
    return {
        "ruleId": printable(finding.code),
        "ruleIndex": index[finding.code],
        "level": finding.level,
        "message": {"text": _message(finding)},
        "locations": [_location(report, finding.file, finding.line)] if finding.file is not None else [],
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1", "drvsignFinding/v1": fingerprint},
        **({"properties": {"targets": [printable(one) for one in finding.targets]}} if finding.targets else {}),
    }


def _message(finding: Finding) -> str:
    """Return the message and the fix; most viewers show the help of the rule elsewhere."""
    return "\n".join(map(printable, filter(None, (finding.message, finding.fix))))


def _location(report: Report, file: PurePath, line: int | None) -> dict[str, Any]:
    uri, is_relative = report.places.uri(file)
    place: dict[str, Any] = {"artifactLocation": {"uri": uri, **({"uriBaseId": ROOT} if is_relative else {})}}
    if line is not None:
        place["region"] = {"startLine": line}
    return {"physicalLocation": place}


def _failures(report: Report) -> Iterator[Finding]:
    """Yield the errors of subjects that could not be checked."""
    for subject in report.subjects:
        if subject.result == "failed":
            yield from (one for one in subject.findings if one.level == "error")


def _notification(report: Report, finding: Finding) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": _message(finding)},
        "locations": [_location(report, finding.file, finding.line)] if finding.file is not None else [],
        "associatedRule": {"id": printable(finding.code)},
    }
