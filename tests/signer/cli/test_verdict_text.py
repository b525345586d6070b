"""What `drvsign verify` prints on a terminal of 80 columns, and in a pipe."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.verification.assessment import Assessment
from signer.asn1.oids import EKU_WHQL_ATTESTED
from signer.cli.output import Output
from signer.codeintegrity.consequences import consequences
from signer.policy.findings import Finding
from signer.policy.judge import judge_all
from signer.policy.machine_state import MachineState
from signer.policy.targets import all_targets, targets_for
from signer.reports.formats import ReportOptions, render
from signer.reports.matrix import matrix_rows
from signer.reports.sink import PlainSink
from signer.reports.verdict_text import joined_findings
from tests.support.policy_builder import Sample, by_microsoft, cross_signed, driver

SWITCHES = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def assessed(sample: Sample) -> Assessment:
    targets = targets_for("x64")
    verdicts = judge_all("kernel", sample.evidence, sample.paths, targets, SWITCHES)
    said = tuple(
        consequences("kernel", verdict, sample.evidence, target)
        for verdict, target in zip(verdicts, targets, strict=True)
    )
    return Assessment(Path("sample.sys"), "image", sample.evidence, sample.paths, said)


@pytest.fixture
def assessment() -> Assessment:
    return assessed(driver(cross_signed("2016-05-02"), by_microsoft(EKU_WHQL_ATTESTED).nested()))


def printed(monkeypatch: pytest.MonkeyPatch, assessment: Assessment, columns: int | None) -> list[str]:
    stream = Terminal() if columns else io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", str(columns or 80))
    monkeypatch.setenv("NO_COLOR", "1")
    render("text", [assessment], Output(), ReportOptions(matrix=True))
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()


def finding(label: str, message: str = "the signature of {} uses SHA-1", hint: str | None = None) -> Finding:
    return Finding("sha1", "warning", message.format(label), "page", hint, "rule", label)


EMBEDDED, LISTED = "'Red Hat' (embedded signature)", "'Red Hat' (catalog 'a.cat')"
JOINED = "the signature of 'Red Hat' (embedded signature and catalog 'a.cat') uses SHA-1"


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([finding(EMBEDDED), finding(LISTED)], [JOINED]),
        (
            [finding(EMBEDDED), finding(LISTED, "{} is expired")],
            ["the signature of " + EMBEDDED + " uses SHA-1", LISTED + " is expired"],
        ),
        (
            [finding(EMBEDDED), finding("'Other' (catalog 'a.cat')")],
            [finding(EMBEDDED).message, finding("'Other' (catalog 'a.cat')").message],
        ),
        ([finding(EMBEDDED), finding(EMBEDDED)], [finding(EMBEDDED).message]),
        (
            [finding(EMBEDDED)._replace(severity="error"), finding(LISTED)],
            [finding(EMBEDDED).message, finding(LISTED).message],
        ),
    ],
    ids=["same signer", "other message", "other signer", "same signature", "other severity"],
)
def test_one_cause_of_several_signatures_is_one_message(findings: list[Finding], expected: list[str]) -> None:
    assert [one.message for one in joined_findings(findings)] == expected


def test_a_joined_message_keeps_the_hint_that_any_of_them_has() -> None:
    (one,) = joined_findings([finding(EMBEDDED), finding(LISTED, hint="Sign it again.")])
    assert one.hint == "Sign it again."


def test_a_matrix_fits_on_80_columns_and_nothing_of_its_reasons_is_lost(monkeypatch, assessment):
    lines = printed(monkeypatch, assessment, 80)
    text = " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= 80
    assert "Windows Vista SP2 x64 does not support in kernel-mode signatures. Sign it with SHA-1 as well" in text
    assert text.count("does not support in kernel-mode signatures") == 1, "equal reasons appear once"


@pytest.mark.parametrize("columns", [80, 400, None], ids=["80 columns", "400 columns", "a pipe"])
def test_equal_neighbours_are_one_row_and_no_row_has_another_verdict(monkeypatch, assessment, columns):
    """The rows together are every target once, with its own verdict."""
    expected = {what.verdict.target: (what.verdict.outcome, what.verdict.rule) for what in assessment.consequences}
    found = {}
    for row in matrix_rows(assessment.consequences):
        found.update({one.name: (row.first.verdict.outcome, row.first.verdict.rule) for one in row.targets})
        assert len({(one.release.edition, one.s_mode, one.architecture) for one in row.targets}) == 1
    assert found == expected
    labels = [row.label for row in matrix_rows(assessment.consequences)]
    lines = printed(monkeypatch, assessment, columns)
    assert [line[1:].partition("   ")[0].rstrip() for line in lines if re.match(r" (win|vista|server)", line)] == labels
    assert len(labels) < len(expected) / 2


def test_a_release_that_was_not_checked_parts_its_neighbours(assessment):
    without = [one for one in assessment.consequences if one.verdict.target != "win11-23h2-x64"]
    labels = [row.label for row in matrix_rows(without)]
    assert not any(label.startswith("win10") and label.endswith("win11-26h2 x64") for label in labels)
    assert any(label.endswith("… win11-22h2 x64") for label in labels)
    assert "win11-24h2 … win11-26h2 x64" in labels


def test_the_next_step_is_that_of_the_reason(assessment):
    steps = {what.verdict.target: what.next_step for what in assessment.consequences}
    assert steps["win11-24h2-x64"] is None
    assert steps["vista-x64"] == steps["server2008-x64"]
    assert "HLK test results" in str(steps["win10-22h2-x64-smode"])
    assert {target.name for target in all_targets()} >= set(steps)


def explained(assessments: list[Assessment], options: ReportOptions | None = None) -> list[str]:
    lines: list[str] = []
    render("text", assessments, PlainSink(lines.append), options)
    return "".join(lines).splitlines()


@pytest.fixture
def three(assessment: Assessment) -> list[Assessment]:
    """Three files with equal verdicts on one release."""
    one = replace(assessment, consequences=assessment.consequences[-1:])
    return [replace(one, path=Path(name)) for name in ("a.sys", "b.sys", "c.sys")]


def test_equal_findings_are_explained_once(three: list[Assessment]) -> None:
    once = explained(three[:1])
    lines = explained(three)
    assert lines[: len(once)] == once
    assert len(once) > 1
    assert [line.endswith("; findings as for a.sys)") for line in lines[len(once) :]] == [True, True]


def test_the_earlier_verdict_of_the_same_file_is_named_by_its_target(assessment: Assessment) -> None:
    rejected = [one for one in assessment.consequences if one.verdict.outcome == "rejected"]
    lines = explained([replace(assessment, consequences=tuple(rejected))])
    assert any(f"; findings as for {rejected[0].verdict.target})" in line for line in lines)


def test_more_detail_explains_every_verdict(three: list[Assessment]) -> None:
    assert not any("findings as for" in line for line in explained(three, ReportOptions(verbose=True)))


def test_beyond_the_limit_a_verdict_has_its_reason(three: list[Assessment], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.reports.verdict_text._MAX_EXPLAINED", 0)
    reason = three[0].consequences[0].verdict.reason
    assert reason is not None
    lines = explained(three)
    assert len(lines) == 3
    assert all(line.endswith(f"): {reason.message}") for line in lines)
