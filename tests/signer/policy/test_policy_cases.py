"""Every policy case has its expected outcome."""

from __future__ import annotations

import pytest

from tests.signer.policy.cases.registry import Expectation, all_cases

CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Expectation) -> None:
    _, verdict = case.judged()
    findings = "\n".join(f"{finding.severity}: {finding.code}: {finding.message}" for finding in verdict.findings)
    assert (verdict.outcome, verdict.rule) == (case.outcome, case.rule), f"{case.sentence}\n{findings}"
    assert case.code is None or case.code in verdict.codes, findings
    for finding in verdict.findings:
        assert finding.source and finding.message and not finding.message.endswith("."), finding


def test_case_ids_are_unique() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
