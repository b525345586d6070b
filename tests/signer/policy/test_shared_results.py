"""A rule is evaluated once for all targets on which it reads the same, and its results are those of each alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from signer.policy import features
from signer.policy.machine_state import EvaluationContext, MachineState
from signer.policy.rules import Rule, RuleResult, notes
from signer.policy.shared_results import SharedResults, results_of
from signer.policy.targets import all_targets

MACHINE = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))
SUBJECT = "a file"


def nothing(context: EvaluationContext) -> object:
    return None


def machine(context: EvaluationContext) -> object:
    return context.machine.testsigning


def releases(context: EvaluationContext) -> object:
    return context.within(features.SHA1_DEPRECATED)


def setting(context: EvaluationContext) -> object:
    return context.secure_boot


def branch(context: EvaluationContext) -> object:
    return context.hvci if context.secure_boot else context.target.name


def target(context: EvaluationContext) -> object:
    return context.target.title


@pytest.mark.parametrize(
    ("read", "evaluations"),
    [(nothing, 1), (machine, 1), (releases, 2), (setting, 2), (target, len(all_targets()))],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_rule_is_evaluated_once_for_each_value_that_it_reads(
    read: Callable[[EvaluationContext], object], evaluations: int
) -> None:
    calls: list[str] = []

    def check(subject: str, context: EvaluationContext) -> Iterator[RuleResult]:
        calls.append(subject)
        yield notes("read", str(read(context)))

    rule: Rule[str] = Rule("a rule", "", "", check)
    shared = SharedResults()
    for one in all_targets():
        shared.of(rule, SUBJECT, EvaluationContext(one, MACHINE))
    assert len(calls) == evaluations


@pytest.mark.parametrize("read", [nothing, machine, releases, setting, branch, target], ids=lambda read: read.__name__)
def test_shared_results_are_those_of_each_target_alone(read: Callable[[EvaluationContext], object]) -> None:
    def check(subject: str, context: EvaluationContext) -> Iterator[RuleResult]:
        yield notes("read", str(read(context)))

    rule: Rule[str] = Rule("a rule", "", "", check)
    shared = SharedResults()
    for one in all_targets():
        context = EvaluationContext(one, MACHINE)
        assert shared.of(rule, SUBJECT, context) == results_of(rule, SUBJECT, context)


def test_two_subjects_do_not_share_results() -> None:
    def check(subject: str, context: EvaluationContext) -> Iterator[RuleResult]:
        yield notes("read", subject)

    rule: Rule[str] = Rule("a rule", "", "", check)
    shared, context = SharedResults(), EvaluationContext(all_targets()[0], MACHINE)
    subjects = ["one", "other"]
    found = [shared.of(rule, subject, context)[0].result.message for subject in subjects]
    assert found == subjects
