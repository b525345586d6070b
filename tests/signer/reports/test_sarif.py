"""SARIF 2.1.0: the published schema, and what GitHub's code scanning reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath

from signer.reports.escape import printable
from signer.reports.model import Finding, Report, Subject
from signer.reports.places import Places
from tests.support.reports import HOSTILE, hostile, huge, linted, rejected, rendered, report, require_sarif

SAMPLE = report(rejected(), linted())


def run_of(one: Report) -> dict:
    return require_sarif(rendered("sarif", one))


def test_a_report_without_findings_is_a_valid_run_that_was_executed() -> None:
    run = run_of(report(exit_code=0))
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 0, "toolExecutionNotifications": []}]


def test_results_are_the_errors_and_warnings_with_file_and_line() -> None:
    unsigned, lockdown = run_of(SAMPLE)["results"]
    assert (unsigned["ruleId"], unsigned["level"]) == ("unsigned", "error")
    assert unsigned["message"]["text"] == "'hello.sys' is not signed\nSign it."
    assert unsigned["properties"] == {"targets": ["win7-x64"]}
    (place,) = unsigned["locations"]
    assert place["physicalLocation"] == {"artifactLocation": {"uri": "driver/hello.sys", "uriBaseId": "%SRCROOT%"}}
    assert (lockdown["ruleId"], lockdown["level"]) == ("1324", "warning")
    assert lockdown["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}


def test_each_result_has_its_rule_with_help_page_and_default_level() -> None:
    run = run_of(SAMPLE)
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one["ruleId"] for one in run["results"]]
    unsigned = rules[0]
    assert unsigned["shortDescription"]["text"] == "Kernel-mode code has a signature."
    assert unsigned["help"]["text"].startswith("Sign the driver: drvsign sign FILE\n\nSource: windows-driver-docs ")
    page = "https://learn.microsoft.com/windows-hardware/drivers/install/kernel-mode-code-signing-requirements"
    assert unsigned["helpUri"] == page
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["error", "warning"]
    assert "helpUri" not in rules[1]


def test_a_failure_is_a_notification_of_a_run_that_was_not_executed() -> None:
    path = PurePosixPath("gone.inf")
    subject = Subject("gone.inf", "inf", "failed", (Finding("unsigned", "error", "not found", path, 1),))
    (invocation,) = run_of(report(subject, exit_code=3))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 3)
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "not found"
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "gone.inf"


def test_a_path_outside_the_root_is_an_absolute_uri_without_a_base() -> None:
    places = Places(PurePosixPath("/work/driver"), PurePosixPath("/work"))
    one = Report(SAMPLE.command, (rejected("../../tmp/a b.sys"),), SAMPLE.rules, 1, places)
    location = run_of(one)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "file:///tmp/a%20b.sys"}


def test_fingerprints_are_those_of_the_model() -> None:
    found = [one["partialFingerprints"] for one in run_of(SAMPLE)["results"]]
    assert [one["drvsignFinding/v1"] for one in found] == [mark for _, mark in SAMPLE.identified()]
    assert all(one["primaryLocationLineHash"] == f"{one['drvsignFinding/v1']}:1" for one in found)


def test_hostile_text_is_escaped_as_in_the_text_report() -> None:
    text = rendered("sarif", hostile())
    assert text.isascii()
    run = require_sarif(text)
    assert run["results"][0]["message"]["text"] == f"{printable(HOSTILE)}\n{printable(HOSTILE)}"
    assert not any(unicodedata.category(char) == "Cs" for value in texts(run) for char in value)


def texts(value: object) -> Iterator[str]:
    """Yield every string in a document."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(one)


def test_thirty_thousand_results_are_one_document() -> None:
    text = rendered("sarif", huge())
    assert text.count('"ruleId"') == 30_000
    assert require_sarif(rendered("sarif", huge(100)))["results"][99]["ruleId"] == "1324"


def test_two_commands_do_not_replace_each_others_results_on_github() -> None:
    names = {run_of(report(command=name))["automationDetails"]["id"] for name in ("verify", "inf lint")}
    assert names == {"drvsign/verify/", "drvsign/inf-lint/"}
