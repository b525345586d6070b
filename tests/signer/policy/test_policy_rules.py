"""Every rule of every policy has cases that it applies to and cases that it does not; docs/policy.md lists it."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from functools import cache

import pytest

import tests.signer.policy.cases as cases
from signer.policy.decide import evaluate
from signer.policy.judge import POLICY_NAMES, policy
from signer.policy.machine_state import EvaluationContext
from signer.policy.rules import Effect
from signer.policy.subjects import FileSubject
from signer.policy.targets import Target
from tests.signer.policy.cases.registry import REGISTRY
from tests.support.policy_table import PAGE, page_with_table

for _module in pkgutil.iter_modules(cases.__path__):
    importlib.import_module(f"tests.signer.policy.cases.{_module.name}")

RULES = [(name, rule.name) for name in POLICY_NAMES for rule in policy(name).rules()]
AGAINST: set[Effect] = {"rejects", "undecided", "waives", "warns"}
ONLY_NOTES = {("kernel", "machine-state"), ("protected-media", "machine-state"), ("protected-media", "media-catalog")}


@cache
def _effects() -> dict[tuple[str, str], list[frozenset[Effect]]]:
    """Return the effects of each rule of a policy in every case that it applies to; empty sets for no result."""
    found: dict[tuple[str, str], list[frozenset[Effect]]] = defaultdict(list)
    for case in REGISTRY:
        sample, chosen, target = case.make(), policy(case.policy), Target.parse(case.target)
        context = EvaluationContext(target, case.machine)
        decision = evaluate(chosen, FileSubject.of(sample.evidence, sample.paths, sample.attributes), context)
        results = [*decision.file, *(one for evaluated in decision.signatures for one in evaluated.results)]
        for rule in chosen.rules():
            if target in rule.releases:
                effects = frozenset(one.result.effect for one in results if one.rule == rule.name)
                found[case.policy, rule.name].append(effects)
    return found


@pytest.mark.parametrize(("policy_name", "rule"), RULES)
def test_every_rule_has_cases_on_both_sides(policy_name: str, rule: str) -> None:
    # Protected media extends the kernel policy; the common rules are tested there.
    if policy_name == "protected-media" and not rule.startswith("media-"):
        policy_name = "kernel"
    effects = _effects()[policy_name, rule]
    against: set[Effect] = {"notes"} if (policy_name, rule) in ONLY_NOTES else AGAINST
    assert any(results & against for results in effects), f"no case in which {rule} objects"
    assert any(not results & against for results in effects), f"no case in which {rule} does not object"


def test_rule_names_are_unique_in_a_policy() -> None:
    assert len(set(RULES)) == len(RULES)


def test_every_rule_has_a_statement_and_a_source() -> None:
    for name in POLICY_NAMES:
        for rule in policy(name).rules():
            assert rule.statement.endswith(".") and rule.source, rule.name


def test_the_page_lists_the_rules() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page_with_table(text), "run python -m tests.support.policy_table"
