"""Every rule of every policy has cases that it applies to and cases that it does not; docs/policy.md lists it."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

import pytest

from signer.policy.decide import AttributedResult, evaluate, policy_for
from signer.policy.evaluation import EvaluationContext
from signer.policy.judge import POLICY_NAMES, policy
from signer.policy.package import os_attribute
from signer.policy.rules import Effect
from signer.policy.subjects import FileSubject
from signer.policy.targets import Target
from tests.signer.policy.cases.registry import all_cases
from tests.signer.policy.documents import is_unsettled
from tests.support.files import ROOT
from tests.support.policy_table import PAGE, page_with_table

CASES = all_cases()
RULES = [(name, rule.name) for name in POLICY_NAMES for rule in policy(name).rules()]
AGAINST: set[Effect] = {"rejects", "undecided", "waives", "warns"}
ONLY_NOTES = {("kernel", "machine-state"), ("protected-media", "machine-state"), ("protected-media", "media-catalog")}


@cache
def _results() -> list[tuple[str, Target, list[AttributedResult]]]:
    """Return the policy, the target and the results of each case."""
    found = []
    for case in CASES:
        sample, target = case.make(), Target.parse(case.target)
        subject = FileSubject.of(sample.evidence, sample.paths, sample.attributes)
        rules, context = policy_for(policy(case.policy), target), EvaluationContext.of(target, case.machine)
        decision = evaluate(rules, subject, context)
        results = [*decision.file, *(one for evaluated in decision.signatures for one in evaluated.results)]
        found.append((case.policy, target, results))
    return found


@cache
def _effects() -> dict[tuple[str, str], list[frozenset[Effect]]]:
    """Return the effects of each rule of a policy in every case that it applies to; empty sets for no result."""
    found: dict[tuple[str, str], list[frozenset[Effect]]] = defaultdict(list)
    for name, target, results in _results():
        for rule in policy(name).rules():
            if target in rule.releases:
                effects = frozenset(one.result.effect for one in results if one.rule == rule.name)
                found[name, rule.name].append(effects)
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


def test_the_page_lists_every_rule_that_can_be_undecided() -> None:
    effects = _effects()
    undecided = {rule for (_, rule), found in effects.items() if any("undecided" in one for one in found)}
    section = PAGE.read_text(encoding="utf-8").partition("## Not settled")[2].partition("\n## ")[0]
    # The rules about whole packages have no case among those of files.
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE)) == undecided | {os_attribute.name}


def test_every_literal_code_of_an_undecided_result_has_a_case() -> None:
    """The codes that rules pass on from files, chains and layouts are not literals."""
    folder = ROOT / "signer" / "policy"
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    literals = set(re.findall(r'undecided\(\s*"([a-z0-9-]+)"', code)) - {"os-attribute-unreadable"}
    shown = {one.result.code for _, _, found in _results() for one in found if one.result.effect == "undecided"}
    assert literals and literals <= shown


def test_a_case_that_is_unknown_without_a_setting_has_no_source_that_settles_it() -> None:
    disputed = ("attested_on_server", "expired_leaf", "expired_cross")
    for case in CASES:
        if case.outcome == "unknown" and not any(getattr(case.machine, name) == "unknown" for name in disputed):
            others = {one.outcome for one in CASES if one.make is case.make} - {"unknown"}
            assert others or is_unsettled(case.source), case.id
