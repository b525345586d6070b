"""Verdicts as callers use them: the finding that explains one, the error of a rejected file, and merged findings."""

from __future__ import annotations

import pytest

from signer.errors import VerificationError
from signer.policy.findings import Finding, Outcome, Severity, Verdict, merged


def finding(code: str, severity: Severity, *, rule: str = "", hint: str | None = None) -> Finding:
    return Finding(code, severity, f"the {code}", "a page", hint, rule)


ERROR, OTHER = finding("e1", "error"), finding("e2", "error")
WARNING, INFO = finding("w1", "warning"), finding("i1", "info")
ALL = (INFO, WARNING, ERROR, OTHER)


@pytest.mark.parametrize(
    ("outcome", "applicable", "accepted", "decided"),
    [
        ("accepted", True, True, True),
        ("rejected", True, False, True),
        ("unknown", True, False, False),
        ("not-applicable", False, False, True),
    ],
)
def test_the_four_outcomes(outcome: Outcome, applicable: bool, accepted: bool, decided: bool) -> None:
    verdict = Verdict("win11", outcome, "a rule", ())
    assert (verdict.applicable, verdict.accepted, verdict.decided) == (applicable, accepted, decided)
    with pytest.raises(TypeError, match="accepted"):
        bool(verdict)


@pytest.mark.parametrize(
    ("outcome", "rule", "findings", "expected"),
    [
        pytest.param("accepted", "r", ALL, INFO, id="accepted: an info"),
        pytest.param("rejected", "r", ALL, ERROR, id="rejected: the first error"),
        pytest.param("unknown", "r", ALL, WARNING, id="unknown: a warning"),
        pytest.param("not-applicable", "r", ALL, INFO, id="not applicable: an info"),
        pytest.param("accepted", "r", (WARNING, ERROR), WARNING, id="none fits: the first"),
        pytest.param("rejected", "e2", ALL, OTHER, id="the one with the code of the rule"),
        pytest.param(
            "accepted", "r", (INFO, finding("w2", "warning", rule="r")), finding("w2", "warning", rule="r"), id="waived"
        ),
        pytest.param("rejected", "r", (), None, id="no findings"),
    ],
)
def test_the_finding_that_explains_the_outcome(
    outcome: Outcome, rule: str, findings: tuple[Finding, ...], expected: Finding | None
) -> None:
    """It is of the deciding rule, else of the severity that fits the outcome."""
    assert Verdict("win11", outcome, rule, findings).reason == expected


def test_an_accepted_file_raises_nothing() -> None:
    Verdict("win11", "accepted", "r", (INFO,)).require_accepted()


HINTED = finding("e3", "error", hint="Do this.")
LATER = finding("e4", "error", hint="Do that.")
ADVICE = finding("w3", "warning", hint="Another day.")


@pytest.mark.parametrize(
    ("outcome", "findings", "message", "hint"),
    [
        pytest.param("rejected", ALL, "rejected for win11: the e1; the e2", None, id="all errors"),
        pytest.param("rejected", (ADVICE, ERROR, HINTED, LATER), "the e1; the e3; the e4", "Do this.", id="first hint"),
        pytest.param("unknown", (INFO, ADVICE), "unknown for win11: the w3", None, id="no error: the explanation"),
        pytest.param("rejected", (), "rejected for win11: a rule", None, id="no findings: the rule"),
    ],
)
def test_another_outcome_raises_an_error_with_the_reasons(
    outcome: Outcome, findings: tuple[Finding, ...], message: str, hint: str | None
) -> None:
    verdict = Verdict("win11", outcome, "a rule", findings)
    with pytest.raises(VerificationError) as raised:
        verdict.require_accepted()
    assert message in raised.value.message
    assert (raised.value.hint, raised.value.verdict) == (hint, verdict)


def test_findings_of_several_verdicts_are_merged_errors_first() -> None:
    first, second = (INFO, ERROR, WARNING), (OTHER, INFO, finding("w2", "warning"))
    found = merged([Verdict("a", "rejected", "r", first), Verdict("b", "rejected", "r", second)])
    assert [one.code for one in found] == ["e1", "e2", "w1", "w2", "i1"]


def test_codes_are_listed_once_in_their_order() -> None:
    verdict = Verdict("win11", "rejected", "r", (ERROR, WARNING, ERROR._replace(message="another")))
    assert verdict.codes == ("e1", "w1")
    assert verdict.as_json()["findings"] == ["e1", "w1"]
