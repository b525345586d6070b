"""What `drvsign verify` prints on a terminal of 80 columns, and in a pipe."""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.verification.assessment import Assessment
from signer.asn1.oids import EKU_WHQL_ATTESTED
from signer.cli.output import Output
from signer.codeintegrity.consequences import consequences
from signer.policy.judge import judge_all
from signer.policy.machine_state import MachineState
from signer.policy.targets import all_targets, targets_for
from signer.reports.formats import ReportOptions, render
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


def test_a_matrix_fits_on_80_columns_and_nothing_of_its_reasons_is_lost(monkeypatch, assessment):
    lines = printed(monkeypatch, assessment, 80)
    text = " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    rows = [line for line in lines if re.match(r" (win|vista|server)", line)]
    assert len(rows) == len(assessment.consequences), "one row for each target"
    for what in assessment.consequences:
        row = next(line for line in rows if line.split()[0] == what.verdict.target)
        assert row.split()[1:3] == [what.verdict.outcome, what.verdict.rule]
        assert re.fullmatch(r"\d+", row.split()[3])
    assert "is an attestation signature; Windows Server 2016 x64 requires an HLK one. Submit the driver" in text
    assert text.count("requires an HLK one.") == 1, "equal reasons appear once"


def test_a_matrix_in_a_pipe_has_a_reason_in_each_row(monkeypatch, assessment):
    lines = printed(monkeypatch, assessment, None)
    row = next(line for line in lines if line.startswith(" server2025-x64 "))
    assert row.endswith("Windows Server 2025 x64 requires an HLK one")


def test_a_wide_terminal_has_the_reasons_in_the_rows(monkeypatch, assessment):
    lines = printed(monkeypatch, assessment, 400)
    assert any("Reason" in line for line in lines)
    assert not any("Why" in line for line in lines)


def test_the_next_step_is_that_of_the_reason(assessment):
    steps = {what.verdict.target: what.next_step for what in assessment.consequences}
    assert steps["win11-24h2-x64"] is None
    assert steps["server2022-x64"] == steps["win10-22h2-x64-smode"]
    assert "HLK test results" in str(steps["win10-22h2-x64-smode"])
    assert {target.name for target in all_targets()} >= set(steps)
