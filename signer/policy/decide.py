"""How remarks add up to a verdict: the same way for every policy.

Each signature is judged along each of its paths, and its best path counts; the best signature counts for the file, as
one good signature is enough to load it. A signature is rejected by the first rule that rejects it, unknown where a rule
is undecided and none rejects, else accepted. Rules about the file come on top, and what waives a rejection comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from signer.policy.classify import MICROSOFTS
from signer.policy.findings import Finding, Outcome, SignatureVerdict, Verdict
from signer.policy.machine_state import EvaluationContext
from signer.policy.rules import Rule, RuleResult, Subject
from signer.policy.subjects import FileSubject, SignaturePath, SignatureSubject
from signer.policy.targets import Target

_BETTER: dict[Outcome, int] = {"accepted": 0, "unknown": 1, "rejected": 2}


@dataclass(frozen=True, eq=False)
class Policy:
    """The rules of one policy, in the order in which they decide."""

    name: str
    file_rules: tuple[Rule[FileSubject], ...]
    """About the file; they reject whatever its signatures are."""
    signature_rules: tuple[Rule[SignaturePath], ...]
    """About one signature along one path."""
    outcome_rules: tuple[Rule[Decided], ...]
    """About the file and what became of its signatures; these may lift a rejection."""
    without_signature: str = "unsigned"
    """The rule that rejects a file that has no signature."""

    def rules(self) -> tuple[Rule[FileSubject] | Rule[SignaturePath] | Rule[Decided], ...]:
        """Every rule."""
        return (*self.file_rules, *self.signature_rules, *self.outcome_rules)


class AttributedResult(NamedTuple):
    """A remark and the rule that made it."""

    rule: str
    source: str
    remark: RuleResult

    @property
    def finding(self) -> Finding:
        """The remark as a finding."""
        return self.remark.finding(self.source, rule=self.rule)


@dataclass(frozen=True, slots=True)
class Judged:
    """One signature along one path, and all that was said about it."""

    candidate: SignaturePath
    stated: tuple[AttributedResult, ...]
    outcome: Outcome
    """What these remarks add up to."""
    rule: str
    """The rule that decided: the first that says no or does not know, else the last that says why."""

    @classmethod
    def of(cls, candidate: SignaturePath, stated: tuple[AttributedResult, ...]) -> Judged:
        """What remarks add up to."""
        outcome: Outcome = "accepted"
        rule = "accepted"
        for one in stated:
            effect = one.remark.effect
            if effect == "rejects":
                outcome, rule = "rejected", one.rule
                break
            if effect == "undecided" and outcome == "accepted":
                outcome, rule = "unknown", one.rule
            elif effect == "allows" and outcome == "accepted":
                rule = one.rule
        return cls(candidate, stated, outcome, rule)

    @property
    def is_microsofts(self) -> bool:
        """Whether it is accepted as Microsoft's own signature, which no exception for others has to let in."""
        return self.outcome == "accepted" and self.candidate.signed.classification in MICROSOFTS

    def depth(self, order: dict[str, int]) -> int:
        """How far it came: a signature that fails at a later rule tells more about the file."""
        return order.get(self.rule, len(order))


@dataclass(frozen=True)
class Decided:
    """A file, what became of its signatures, and what has been said about the file itself so far."""

    subject: FileSubject
    signatures: tuple[Judged, ...]
    """The best path of each signature, in the order of the evidence."""
    best: Judged | None
    file: tuple[AttributedResult, ...] = field(default=())

    @property
    def waived(self) -> AttributedResult | None:
        """What lifted a rejection; only what is said after it counts."""
        return next((stated for stated in self.file if stated.remark.effect == "waives"), None)

    @property
    def counting(self) -> tuple[AttributedResult, ...]:
        """What was said about the file and is not lifted."""
        return self.file if self.waived is None else self.file[self.file.index(self.waived) + 1 :]

    @property
    def outcome(self) -> Outcome:
        """The outcome so far."""
        effects = {stated.remark.effect for stated in self.counting}
        signatures: Outcome = "accepted" if self.waived else self.best.outcome if self.best else "rejected"
        if "rejects" in effects:
            return "rejected"
        return "unknown" if signatures == "accepted" and "undecided" in effects else signatures

    @property
    def rule(self) -> str:
        """The rule that decided."""
        wanted = {"rejected": "rejects", "unknown": "undecided", "accepted": "allows"}[self.outcome]
        named = [stated.rule for stated in self.counting if stated.remark.effect == wanted]
        if named:
            return named[-1] if wanted == "allows" else named[0]
        if self.waived is not None:
            return self.waived.rule
        return self.best.rule if self.best is not None else "unsigned"

    def rejected_by(self, rules: frozenset[str]) -> bool:
        """Whether one of these rules rejects the file or its best signature, or is undecided about it."""
        said = (*self.file, *(self.best.stated if self.best is not None else ()))
        return any(stated.rule in rules and stated.remark.effect in ("rejects", "undecided") for stated in said)


def decide(policy: Policy, subject: FileSubject, context: EvaluationContext) -> Verdict:
    """The verdict of a policy about a file in a setting."""
    decided = weigh(policy, subject, context)
    return Verdict(
        context.target.name,
        decided.outcome,
        decided.rule,
        _findings(decided),
        tuple(_of_signature(judged) for judged in decided.signatures),
    )


def weigh(policy: Policy, subject: FileSubject, context: EvaluationContext) -> Decided:
    """All that the policy's rules say about a file in a setting, and what it adds up to."""
    policy = policy_for(policy, context.target)
    order = {rule.name: place for place, rule in enumerate(policy.signature_rules)}
    signatures = tuple([_best_path(policy, signed, context, order) for signed in subject.signatures])
    decided = Decided(subject, signatures, _best(signatures, order), _said(policy.file_rules, subject, context))
    for rule in policy.outcome_rules:
        said = _said((rule,), decided, context)
        decided = replace(decided, file=(*decided.file, *said)) if said else decided
    return decided


@cache
def policy_for(policy: Policy, target: Target) -> Policy:
    """The policy with the rules that hold for a target, which a matrix asks for again and again."""
    return replace(
        policy,
        file_rules=tuple(rule for rule in policy.file_rules if rule.releases.hold(target)),
        signature_rules=tuple(rule for rule in policy.signature_rules if rule.releases.hold(target)),
        outcome_rules=tuple(rule for rule in policy.outcome_rules if rule.releases.hold(target)),
    )


def _best_path(policy: Policy, signed: SignatureSubject, context: EvaluationContext, order: dict[str, int]) -> Judged:
    rules = policy.signature_rules
    if signed.signature.undecidable and signed.signature.signer is None:  # nothing else can be said of it
        rules = tuple(rule for rule in rules if rule.name == "digest")
    judged = [Judged.of(candidate, _said(rules, candidate, context)) for candidate in signed.candidates]
    best = _best(judged, order)
    assert best is not None
    return best


def _best(judged: Sequence[Judged], order: dict[str, int]) -> Judged | None:
    """The one that is accepted, Microsoft's before others, else undecided, else came furthest; the first of equals."""
    if len(judged) == 1:
        return judged[0]
    return min(judged, key=lambda one: (_BETTER[one.outcome], not one.is_microsofts, -one.depth(order)), default=None)


def _said(rules: Sequence[Rule[Subject]], subject: Subject, context: EvaluationContext) -> tuple[AttributedResult, ...]:
    return tuple(
        [AttributedResult(rule.name, rule.source, remark) for rule in rules for remark in rule.check(subject, context)]
    )


def _of_signature(judged: Judged) -> SignatureVerdict:
    signed = judged.candidate.signed
    codes = tuple(dict.fromkeys(stated.remark.code for stated in judged.stated))
    return SignatureVerdict(signed.place, signed.classification, judged.outcome, judged.rule, codes)


def _findings(decided: Decided) -> tuple[Finding, ...]:
    """All that was said; where the file is accepted all the same, errors of no consequence are no longer errors."""
    stated = [*decided.file, *(one for judged in _best_first(decided) for one in judged.stated)]
    findings = (
        one.remark.finding(one.source, "warning" if decided.outcome == "accepted" else None, one.rule)
        if one.remark.effect == "rejects"
        else one.finding
        for one in stated
    )
    return tuple(dict.fromkeys(findings))


def _best_first(decided: Decided) -> list[Judged]:
    return sorted(decided.signatures, key=lambda judged: judged is not decided.best)
