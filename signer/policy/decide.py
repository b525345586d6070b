"""Combine the results of a policy's rules into a verdict, the same way for every policy.

Each signature is evaluated along each of its paths, and its best path counts. The best signature counts for the file,
because one valid signature is enough to load it. A signature is rejected by the first rule that rejects it, unknown if
a rule is undecided and none rejects, and accepted otherwise. File rules apply in addition; rules that waive a rejection
apply last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

from signer.policy.classify import MICROSOFT_CLASSES
from signer.policy.evaluation import EvaluationContext, naming
from signer.policy.findings import Finding, Outcome, SignatureVerdict, Verdict
from signer.policy.machine_state import MachineState
from signer.policy.rules import Rule, RuleResult, Subject
from signer.policy.subjects import FileSubject, SignaturePath, SignatureSubject
from signer.policy.targets import Target
from signer.records import dataclass

_PREFERENCE: tuple[Outcome, ...] = ("accepted", "unknown", "rejected")


@dataclass(frozen=True, eq=False)
class Policy:
    """The rules of one policy, in the order of evaluation."""

    name: str
    file_rules: tuple[Rule[FileSubject], ...]
    """Rules about the file; they reject it independently of its signatures."""
    signature_rules: tuple[Rule[SignaturePath], ...]
    """Rules about one signature along one path."""
    outcome_rules: tuple[Rule[Decision], ...]
    """Rules about the file and the outcome of its signatures; these may waive a rejection."""
    without_signature: str = "unsigned"
    """The rule that rejects a file without a signature."""

    def rules(self) -> tuple[Rule[FileSubject] | Rule[SignaturePath] | Rule[Decision], ...]:
        """Return every rule."""
        return (*self.file_rules, *self.signature_rules, *self.outcome_rules)


class AttributedResult(NamedTuple):
    """A rule's result with the rule's name and source."""

    rule: str
    source: str
    result: RuleResult

    @property
    def finding(self) -> Finding:
        """The result as a finding."""
        return self.result.finding(self.source, rule=self.rule)


@dataclass(frozen=True, slots=True)
class EvaluatedPath:
    """One signature along one path, with the results of the rules and their outcome."""

    candidate: SignaturePath
    results: tuple[AttributedResult, ...]
    outcome: Outcome
    """The outcome of the results."""
    rule: str
    """The deciding rule: the first that rejects or is undecided, otherwise the last that allows."""

    @classmethod
    def of(cls, candidate: SignaturePath, results: tuple[AttributedResult, ...]) -> EvaluatedPath:
        """Combine the results of the rules."""
        outcome: Outcome = "accepted"
        rule = "accepted"
        for one in results:
            effect = one.result.effect
            if effect == "rejects":
                outcome, rule = "rejected", one.rule
                break
            if effect == "undecided" and outcome == "accepted":
                outcome, rule = "unknown", one.rule
            elif effect == "allows" and outcome == "accepted":
                rule = one.rule
        return cls(candidate, results, outcome, rule)

    @property
    def by_microsoft(self) -> bool:
        """Whether it is accepted as Microsoft's own signature, which needs no exception."""
        return self.outcome == "accepted" and self.candidate.signed.classification in MICROSOFT_CLASSES

    def rule_index(self, order: dict[str, int]) -> int:
        """Return the index of the deciding rule: a signature that fails a later rule is the more informative one."""
        return order.get(self.rule, len(order))


@dataclass(frozen=True)
class Decision:
    """A file, the outcome of its signatures, and the results of the file rules so far."""

    subject: FileSubject
    signatures: tuple[EvaluatedPath, ...]
    """The best path of each signature, in the order of the evidence."""
    best: EvaluatedPath | None
    file: tuple[AttributedResult, ...] = ()

    @cached_property
    def waived(self) -> AttributedResult | None:
        """The result that waives a rejection; only results after it count."""
        return next((one for one in self.file if one.result.effect == "waives"), None)

    @cached_property
    def effective(self) -> tuple[AttributedResult, ...]:
        """The results about the file that are not waived."""
        return self.file if self.waived is None else self.file[self.file.index(self.waived) + 1 :]

    @cached_property
    def outcome(self) -> Outcome:
        """The outcome so far."""
        effects = {one.result.effect for one in self.effective}
        signatures: Outcome = "accepted" if self.waived else self.best.outcome if self.best else "rejected"
        if "rejects" in effects:
            return "rejected"
        return "unknown" if signatures == "accepted" and "undecided" in effects else signatures

    @property
    def rule(self) -> str:
        """The deciding rule."""
        wanted = {"rejected": "rejects", "unknown": "undecided", "accepted": "allows"}[self.outcome]
        named = [one.rule for one in self.effective if one.result.effect == wanted]
        if named:
            return named[-1] if wanted == "allows" else named[0]
        if self.waived is not None:
            return self.waived.rule
        return self.best.rule if self.best is not None else "unsigned"

    def rejected_by(self, rules: frozenset[str]) -> bool:
        """Return whether one of these rules rejects the file or its best signature, or is undecided about it."""
        results = (*self.file, *(self.best.results if self.best is not None else ()))
        return any(one.rule in rules and one.result.effect in ("rejects", "undecided") for one in results)


def decide(policy: Policy, subject: FileSubject, targets: Sequence[Target], machine: MachineState) -> list[Verdict]:
    """Return the verdicts of a policy on a file for these targets, in their order."""
    found: dict[str, Verdict] = {}
    for context, rules, alike in _alike(policy, tuple(targets), machine):
        decision = evaluate(rules, subject, context)
        findings = _findings(decision)
        signatures = tuple(_signature_verdict(evaluated) for evaluated in decision.signatures)
        for target in alike:
            named = naming(target, findings)
            found[target.name] = Verdict(target.name, decision.outcome, decision.rule, named, signatures)
    return [found[target.name] for target in targets]


@lru_cache
def _alike(
    policy: Policy, targets: tuple[Target, ...], machine: MachineState
) -> list[tuple[EvaluationContext, Policy, list[Target]]]:
    """Group the targets that the rules of a policy can't distinguish, cached for the files of a run."""
    found: dict[tuple[EvaluationContext, Policy], list[Target]] = {}
    for target in targets:
        found.setdefault((EvaluationContext.of(target, machine), policy_for(policy, target)), []).append(target)
    return [(context, rules, alike) for (context, rules), alike in found.items()]


@cache
def policy_for(policy: Policy, target: Target) -> Policy:
    """Return the policy with only the rules that apply to a target: the same object for targets with equal rules."""
    return _with_rules(
        policy,
        applicable(policy.file_rules, target),
        applicable(policy.signature_rules, target),
        applicable(policy.outcome_rules, target),
    )


@cache
def _with_rules(
    policy: Policy,
    file_rules: tuple[Rule[FileSubject], ...],
    signature_rules: tuple[Rule[SignaturePath], ...],
    outcome_rules: tuple[Rule[Decision], ...],
) -> Policy:
    return replace(policy, file_rules=file_rules, signature_rules=signature_rules, outcome_rules=outcome_rules)


def applicable(rules: Sequence[Rule[Subject]], target: Target) -> tuple[Rule[Subject], ...]:
    """Return the rules that apply to a target."""
    return tuple([rule for rule in rules if target in rule.releases])


def evaluate(policy: Policy, subject: FileSubject, context: EvaluationContext) -> Decision:
    """Evaluate every rule of a policy on a file; the policy is that of `policy_for`."""
    order = {rule.name: place for place, rule in enumerate(policy.signature_rules)}
    signatures = tuple([_best_path(policy, signed, context, order) for signed in subject.signatures])
    decision = Decision(subject, signatures, _best(signatures, order), _results(policy.file_rules, subject, context))
    for rule in policy.outcome_rules:
        results = _results((rule,), decision, context)
        if results:
            decision = Decision(subject, signatures, decision.best, (*decision.file, *results))
    return decision


def _best_path(
    policy: Policy, signed: SignatureSubject, context: EvaluationContext, order: dict[str, int]
) -> EvaluatedPath:
    rules = policy.signature_rules
    if signed.signature.undecidable and signed.signature.signer is None:  # the other rules need a signer
        rules = tuple(rule for rule in rules if rule.name == "digest")
    evaluated = [EvaluatedPath.of(candidate, _results(rules, candidate, context)) for candidate in signed.candidates]
    best = _best(evaluated, order)
    assert best is not None
    return best


def _best(evaluated: Sequence[EvaluatedPath], order: dict[str, int]) -> EvaluatedPath | None:
    """Return the best result: accepted (Microsoft's first), then unknown, then rejected by the latest rule.

    The first of equals wins.
    """
    if len(evaluated) == 1:
        return evaluated[0]
    return min(
        evaluated,
        key=lambda one: (_PREFERENCE.index(one.outcome), not one.by_microsoft, -one.rule_index(order)),
        default=None,
    )


def _results(
    rules: Sequence[Rule[Subject]], subject: Subject, context: EvaluationContext
) -> tuple[AttributedResult, ...]:
    return tuple(
        [AttributedResult(rule.name, rule.source, result) for rule in rules for result in rule.check(subject, context)]
    )


def _signature_verdict(evaluated: EvaluatedPath) -> SignatureVerdict:
    signed = evaluated.candidate.signed
    codes = tuple(dict.fromkeys(one.result.code for one in evaluated.results))
    return SignatureVerdict(signed.place, signed.classification, evaluated.outcome, evaluated.rule, codes)


def _findings(decision: Decision) -> tuple[Finding, ...]:
    """Return every result as a finding. If the file is accepted, a rejection without effect becomes a warning.

    Where Microsoft's signature is the reason, results about other signatures need no action: they become notes.
    """
    accepted = decision.outcome == "accepted"
    settled = accepted and decision.best is not None and decision.best.by_microsoft
    findings = [_finding(one, accepted=accepted) for one in decision.file]
    for evaluated in _best_first(decision):
        label = evaluated.candidate.signed.label
        own = [_finding(one, accepted=accepted, label=label) for one in evaluated.results]
        is_other = settled and evaluated is not decision.best
        findings += [one._replace(severity="info", hint=None) for one in own] if is_other else own
    return tuple(dict.fromkeys(findings))


def _finding(one: AttributedResult, *, accepted: bool, label: str = "") -> Finding:
    waived = accepted and one.result.effect == "rejects"
    return one.result.finding(one.source, "warning" if waived else None, one.rule, label)


def _best_first(decision: Decision) -> list[EvaluatedPath]:
    return sorted(decision.signatures, key=lambda evaluated: evaluated is not decision.best)
