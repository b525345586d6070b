"""The model of reports: fingerprints, counts and the summary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from signer.reports.model import Finding, Report, Subject, worst
from tests.support.reports import HOSTILE, hostile, linted, rejected, report

PATH = PurePosixPath("hello.inf")


def marks(*findings: Finding) -> list[str]:
    return [mark for _, mark in report(Subject("hello.inf", "inf", "rejected", findings)).identified()]


def test_a_fingerprint_does_not_depend_on_the_line_but_on_file_code_and_message() -> None:
    first = Finding("1324", "error", "message", PATH, 3)
    (mark,) = marks(first)
    assert marks(replace(first, line=9)) == [mark]
    others = [replace(first, code="1325"), replace(first, message="other"), replace(first, file=PurePosixPath("x.inf"))]
    assert len({mark, *(marks(one)[0] for one in others)}) == 4


def test_equal_findings_on_different_lines_have_different_fingerprints() -> None:
    first = Finding("1324", "error", "message", PATH, 3)
    assert len(set(marks(first, replace(first, line=9), replace(first, line=11)))) == 3


def test_notes_are_no_problems() -> None:
    one = report(rejected(), linted())
    assert [finding.level for finding in one.findings()] == ["error", "warning", "note"]
    assert [finding.level for finding, _ in one.identified()] == ["error", "warning"]


def test_the_same_finding_of_two_subjects_counts_once() -> None:
    assert len(list(report(rejected(), rejected()).problems())) == 1


def test_the_summary_counts_subjects_and_problems() -> None:
    assert report(rejected(), linted()).summary == "1 accepted, 1 rejected; 1 error, 1 warning"
    assert report().summary == "nothing was checked; 0 errors, 0 warnings"


def test_a_report_with_a_failed_subject_was_not_executed() -> None:
    assert report(rejected()).executed
    assert not Report("verify", (Subject("x", "image", "failed"),), {}, 3).executed


def test_fingerprints_of_hostile_text_are_hexadecimal() -> None:
    assert HOSTILE in next(iter(hostile().subjects)).name
    assert all(len(mark) == 32 and int(mark, 16) for _, mark in hostile().identified())


def test_the_worst_verdict() -> None:
    assert worst(["accepted", "unknown", "rejected"]) == "rejected"
    assert worst(["not-applicable", "accepted"]) == "accepted"
    assert worst([]) == "accepted"
