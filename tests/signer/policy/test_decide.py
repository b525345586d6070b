"""Combining rule results: the effect of a waiver, the deciding rule, the signature that counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.policy.decide import AttributedResult, Decision, EvaluatedPath, Policy, decide
from signer.policy.evaluation import EvaluationContext
from signer.policy.findings import Outcome, Verdict
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.rules import Effect, Rule, RuleResult
from signer.policy.subjects import FileSubject, SignaturePath
from signer.policy.targets import Target
from tests.support.policy_builder import Sign, by_microsoft, commercial, driver

TARGET, MACHINE = Target.parse("win10-22h2-x64"), MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))


def verdict_of(policy: Policy, subject: FileSubject) -> Verdict:
    """Return the verdict of a policy on one target."""
    (verdict,) = decide(policy, subject, [TARGET], MACHINE)
    return verdict


def subject(*signs: Sign) -> FileSubject:
    sample = driver(*signs)
    return FileSubject.of(sample.evidence, sample.paths)


def results(*effects: Effect) -> tuple[AttributedResult, ...]:
    """Return results of rules that are named by their index."""
    return tuple(
        AttributedResult(f"rule {place}", "a page", RuleResult(effect, f"code-{place}", "a reason"))
        for place, effect in enumerate(effects)
    )


def evaluated(*effects: Effect) -> EvaluatedPath:
    """Return one signature with these results."""
    (signed,) = subject(commercial()).signatures
    return EvaluatedPath.of(signed.candidates[0], results(*effects))


@pytest.mark.parametrize(
    ("effects", "outcome", "rule"),
    [
        ([], "accepted", "accepted"),
        (["notes", "warns"], "accepted", "accepted"),
        (["allows", "notes"], "accepted", "rule 0"),
        (["allows", "allows"], "accepted", "rule 1"),
        (["undecided", "allows"], "unknown", "rule 0"),
        (["allows", "undecided", "undecided"], "unknown", "rule 1"),
        (["undecided", "rejects"], "rejected", "rule 1"),
        (["rejects", "rejects"], "rejected", "rule 0"),
        (["rejects", "allows"], "rejected", "rule 0"),
    ],
)
def test_the_outcome_of_one_signature(effects: list[Effect], outcome: Outcome, rule: str) -> None:
    found = evaluated(*effects)
    assert (found.outcome, found.rule) == (outcome, rule)


@pytest.mark.parametrize(
    ("signature", "file", "outcome", "rule"),
    [
        ([], [], "accepted", "accepted"),
        (["allows"], ["notes"], "accepted", "rule 0"),
        (["allows"], ["notes", "allows"], "accepted", "rule 1"),
        (["allows"], ["allows", "allows"], "accepted", "rule 1"),
        (["allows"], ["notes", "rejects", "rejects"], "rejected", "rule 1"),
        (["allows"], ["undecided", "undecided"], "unknown", "rule 0"),
        (["allows"], ["undecided", "rejects"], "rejected", "rule 1"),
        (["undecided"], ["rejects"], "rejected", "rule 0"),
        (["rejects"], ["undecided"], "rejected", "rule 0"),
        (["rejects"], ["notes", "waives"], "accepted", "rule 1"),
        (["rejects"], ["rejects", "waives"], "accepted", "rule 1"),
        (["rejects"], ["waives", "rejects"], "rejected", "rule 1"),
        (["rejects"], ["waives", "undecided"], "unknown", "rule 1"),
        (["rejects"], ["allows", "waives"], "accepted", "rule 1"),
        (["rejects"], ["waives", "notes", "allows"], "accepted", "rule 2"),
    ],
)
def test_the_outcome_of_a_file(signature: list[Effect], file: list[Effect], outcome: Outcome, rule: str) -> None:
    """A waiver waives the results before it, not those after it."""
    best = evaluated(*signature)
    decision = Decision(subject(commercial()), (best,), best, results(*file))
    assert (decision.outcome, decision.rule) == (outcome, rule)


def test_a_file_without_a_signature_is_rejected_unless_that_is_waived() -> None:
    assert (Decision(subject(), (), None).outcome, Decision(subject(), (), None).rule) == ("rejected", "unsigned")
    waived = Decision(subject(), (), None, results("waives"))
    assert (waived.outcome, waived.rule) == ("accepted", "rule 0")


@pytest.mark.parametrize(
    ("signature", "file", "expected"),
    [
        (["rejects"], [], True),
        (["undecided"], [], True),
        (["allows"], [], False),
        (["notes"], ["rejects"], True),
        (["notes"], ["notes", "rejects"], False),
    ],
)
def test_who_rejected_it(signature: list[Effect], file: list[Effect], expected: bool) -> None:
    best = evaluated(*signature)
    decision = Decision(subject(commercial()), (best,), best, results(*file))
    assert decision.rejected_by(frozenset({"rule 0"})) == expected
    assert not Decision(subject(), (), None).rejected_by(frozenset({"rule 0"}))


def by_name(**outcomes: list[Effect]) -> Policy:
    """A policy whose rules say about each signature what is given for its program's name, in this order."""

    def rule(place: int) -> Rule[SignaturePath]:
        def check(candidate: SignaturePath, context: EvaluationContext) -> tuple[RuleResult, ...]:
            effects = outcomes[candidate.signature.program_name or ""]
            return (RuleResult(effects[place], f"code-{place}", "a reason"),) if place < len(effects) else ()

        return Rule(f"rule {place}", "A rule.", "a page", check)

    return Policy("sample", (), tuple(map(rule, range(3))), ())


@pytest.mark.parametrize(
    ("outcomes", "rule", "codes"),
    [
        pytest.param({"a": ["rejects"], "b": ["allows"]}, "rule 0", ("code-0",), id="an accepted one counts"),
        pytest.param(
            {"a": ["rejects"], "b": ["undecided"]}, "rule 0", ("code-0",), id="an undecided before a rejected"
        ),
        pytest.param(
            {"a": ["rejects"], "b": ["notes", "rejects"]}, "rule 1", ("code-0", "code-1"), id="the one that got further"
        ),
        pytest.param({"a": ["allows"], "b": ["notes", "allows"]}, "rule 1", ("code-0", "code-1"), id="the later rule"),
    ],
)
def test_the_best_signature_counts(outcomes: dict[str, list[Effect]], rule: str, codes: tuple[str, ...]) -> None:
    signs = [commercial().having(program_name=name) for name in outcomes]
    verdict = verdict_of(by_name(**outcomes), subject(*signs))
    assert verdict.rule == rule
    assert verdict.signatures[1].codes == codes
    best = verdict.signatures[1].outcome
    assert verdict.outcome == best


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param(["notes"], ["undecided"], id="accepted before unknown"),
        pytest.param(["notes"], ["notes", "notes", "undecided"], id="also if the unknown one got further"),
        pytest.param(["undecided"], ["notes", "notes", "rejects"], id="unknown before rejected"),
    ],
)
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_the_better_outcome_counts_whatever_the_order(better: list[Effect], worse: list[Effect], order: str) -> None:
    signs = [commercial().having(program_name=name) for name in order]
    verdict = verdict_of(by_name(a=better, b=worse), subject(*signs))
    assert verdict.outcome == verdict.signatures[order.index("a")].outcome


def test_microsofts_signature_counts_before_another_that_is_accepted() -> None:
    """It needs no exception that may end."""
    signs = (commercial().having(program_name="a"), by_microsoft(EKU_WHQL).having(program_name="b"))
    verdict = verdict_of(by_name(a=["notes", "notes", "allows"], b=["allows"]), subject(*signs))
    assert verdict.rule == "rule 0"


def test_the_findings_of_the_best_signature_come_first_and_a_rejection_without_effect_warns() -> None:
    signs = [commercial().having(program_name=name) for name in ("a", "b")]
    verdict = verdict_of(by_name(a=["rejects"], b=["notes", "allows"]), subject(*signs))
    assert [(one.code, one.severity) for one in verdict.findings] == [
        ("code-0", "info"),
        ("code-1", "info"),
        ("code-0", "warning"),
    ]
    rejected = verdict_of(by_name(a=["rejects"], b=["rejects"]), subject(*signs))
    assert [one.severity for one in rejected.findings] == ["error"]


def test_microsofts_signature_leaves_no_advice_about_others() -> None:
    """A driver that passed HLK is not told to be submitted to Microsoft because of its vendor's own signature."""
    new = driver(commercial(), by_microsoft(EKU_WHQL))
    machine = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))
    verdict = judge("kernel", new.evidence, new.paths, Target.parse("win11-24h2-x64"), machine)
    assert verdict.outcome == "accepted"
    advice = [one.rule for one in verdict.findings if one.hint or one.severity != "info"]
    assert set(advice) <= {"block-list"}
    alone = driver(commercial())
    verdict = judge("kernel", alone.evidence, alone.paths, Target.parse("win11-24h2-x64"), machine)
    assert verdict.outcome == "rejected"
    assert any(one.hint for one in verdict.findings)


UNREADABLE = "signature-unverifiable"


@pytest.mark.parametrize(
    ("sign", "outcome", "rule"),
    [
        pytest.param(Sign(None, ()).broken(UNREADABLE), "unknown", "digest", id="undecidable, the signer unknown"),
        pytest.param(commercial().broken(UNREADABLE), "rejected", "root", id="undecidable, the signer known"),
        pytest.param(Sign(None, ()).broken(), "rejected", "digest", id="broken, the signer unknown"),
        pytest.param(Sign(None, ()), "rejected", "root", id="intact, the signer unknown"),
    ],
)
def test_only_an_unreadable_signature_of_an_unknown_signer_meets_one_rule(sign: Sign, outcome: str, rule: str) -> None:
    sample = driver(sign)
    machine = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), machine)
    assert (verdict.outcome, verdict.rule) == (outcome, rule)
