"""Assessments as the model of reports: levels follow the verdict, equal findings of several targets are one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from catalogs.verification.assessment import Assessment
from signer.codeintegrity.consequences import consequences
from signer.errors import FileError, Interrupted
from signer.policy.findings import Finding, Place, Verdict
from signer.policy.judge import judge_all
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.reports.verdict_report import report_of, summarize
from tests.support.policy_builder import Sample, cross_signed, day, driver, unknown_issuer

TARGETS = [Target.parse(name) for name in ("win10-1607-x64", "win10-1703-x64", "win11-25h2-x64", "server2025-x64")]
UNSURE = Finding("unsure", "warning", "no source decides", "nowhere", rule="expiry")


def assessed(sample: Sample, path: str = "sample.sys", **state: object) -> Assessment:
    machine = MachineState(at=day("2026-11-24"), **state)
    verdicts = judge_all("kernel", sample.evidence, sample.paths, TARGETS, machine)
    pairs = zip(verdicts, TARGETS, strict=True)
    found = tuple(consequences("kernel", verdict, sample.evidence, target) for verdict, target in pairs)
    return Assessment(Path(path), "image", sample.evidence, sample.paths, found)


def with_verdict(outcome: str, *findings: Finding, rule: str = "expiry") -> Assessment:
    """Return an assessment with this verdict on the last target alone."""
    one = assessed(driver(cross_signed("2016-05-02")))
    verdict = Verdict(TARGETS[-1].name, outcome, rule, findings)
    return replace(one, consequences=(replace(one.consequences[-1], verdict=verdict),))


def test_a_rejection_has_an_error_at_the_file_with_title_fix_and_source() -> None:
    summary = summarize(assessed(driver(unknown_issuer())))
    assert summary.subject.result == "rejected"
    first = summary.subject.findings[0]
    assert (first.level, first.file, first.line) == ("error", Path("sample.sys"), None)
    assert first.source
    rule = next(one for one in summary.rules if one.code == first.code)
    assert rule.title.endswith(".")
    assert rule.source == first.source


def test_one_finding_names_all_targets_that_have_it() -> None:
    subject = summarize(assessed(driver(unknown_issuer()))).subject
    errors = [one for one in subject.findings if one.level == "error"]
    assert len(errors) == 1
    assert errors[0].targets == tuple(target.name for target in TARGETS)
    assert [check.targets for check in subject.checks] == [
        ("win10-1607-x64", "win10-1703-x64"),
        ("win11-25h2-x64",),
        ("server2025-x64",),
    ]


def test_accepted_files_have_no_errors() -> None:
    subject = summarize(with_verdict("accepted", replace_severity("warning"))).subject
    assert (subject.result, [one.level for one in subject.findings]) == ("accepted", ["warning"])


@pytest.mark.parametrize("severity", ["error", "warning", "info"])
def test_an_undecided_file_has_a_warning_and_no_error(severity: str) -> None:
    subject = summarize(with_verdict("unknown", replace_severity(severity))).subject
    assert (subject.result, [one.level for one in subject.findings]) == ("unknown", ["warning"])


@pytest.mark.parametrize("severity", ["error", "warning", "info"])
def test_a_rejected_file_has_one_error(severity: str) -> None:
    subject = summarize(with_verdict("rejected", replace_severity(severity))).subject
    assert (subject.result, [one.level for one in subject.findings]) == ("rejected", ["error"])


def test_a_file_that_is_for_no_target_is_rejected_with_an_error() -> None:
    subject = summarize(with_verdict("not-applicable", replace_severity("info"))).subject
    assert (subject.result, [one.level for one in subject.findings]) == ("rejected", ["error"])


@pytest.mark.parametrize("error", [FileError("not found", path="gone.sys"), Interrupted("gone.sys")])
def test_what_could_not_be_verified_has_the_error(error: FileError | Interrupted) -> None:
    summary = summarize(Assessment(Path("gone.sys"), "image", error=error))
    assert summary.subject.result == "failed"
    (finding,) = summary.subject.findings
    assert (finding.code, finding.level, finding.message) == (error.code, "error", error.message)


def test_a_finding_about_a_package_is_at_its_inf() -> None:
    one = replace(with_verdict("rejected", UNSURE), kind="package", inf="hello.inf", path=Path("driver"))
    (finding,) = summarize(one).subject.findings
    assert (finding.file, finding.line) == (Path("driver/hello.inf"), 1)
    (finding,) = summarize(replace(one, inf_line=7)).subject.findings
    assert (finding.file, finding.line) == (Path("driver/hello.inf"), 7)


def test_a_finding_with_a_line_of_its_own_is_there_even_in_another_inf_of_the_package() -> None:
    found = UNSURE._replace(place=Place(Path("driver/second.inf"), 31))
    one = replace(with_verdict("rejected", found), kind="package", inf="hello.inf", path=Path("driver"), inf_line=7)
    (finding,) = summarize(one).subject.findings
    assert (finding.file, finding.line) == (Path("driver/second.inf"), 31)


def test_a_signature_has_its_facts_and_its_chain() -> None:
    (signature,) = summarize(assessed(driver(cross_signed("2016-05-02")))).subject.signatures
    assert signature.title.endswith("(embedded)")
    assert dict(signature.facts)["Class"] == "cross-signed"
    assert len(signature.chain) >= 2


def test_of_rules_with_one_code_the_error_counts() -> None:
    found = [summarize(with_verdict(word, replace_severity("error"))) for word in ("unknown", "rejected", "unknown")]
    report = report_of("verify", found, 1)
    assert report.rules["unsure"].level == "error"
    assert len(report.subjects) == 3


def replace_severity(severity: str) -> Finding:
    return UNSURE._replace(severity=severity)
