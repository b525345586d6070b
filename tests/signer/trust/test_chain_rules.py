"""Every rule of RFC 5280, kept and broken. The cases are in chain_cases.py."""

from __future__ import annotations

import pytest

from signer.trust.chain import build_paths
from signer.trust.checks import BROKEN, WEAK
from signer.trust.store import TrustStore
from tests.signer.trust.chain_cases import CASES, Built, Case


def best_path(built: Built):
    store = TrustStore.test_signing([built.root.certificate])
    return build_paths(built.leaf.certificate, [entity.certificate for entity in built.pool], store)[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rule(case: Case) -> None:
    built = case.build()
    best = best_path(built)
    found = {problem.code for problem in best.problems}
    assert (case.code in found) == case.breaks, f"{case.sentence} Found {best.problems}"
    assert (best.anchor is not None) == built.anchored, case.sentence


@pytest.mark.parametrize("case", [case for case in CASES if case.breaks], ids=lambda case: case.id)
def test_the_case_has_only_its_problem_at_its_certificate(case: Case) -> None:
    built = case.build()
    problems = best_path(built).problems
    codes = {problem.code for problem in problems}
    beside = WEAK if case.code in ("signature-unknown", "bad-signature", "root-untrusted") else frozenset()
    assert codes - beside == {case.code}
    if built.index is not None:
        assert built.index in {problem.index for problem in problems if problem.code == case.code}
    assert all(problem.message for problem in problems)


@pytest.mark.parametrize("case", [case for case in CASES if not case.breaks], ids=lambda case: case.id)
def test_a_case_that_keeps_the_rule_has_no_problem(case: Case) -> None:
    assert not best_path(case.build()).problems


@pytest.mark.parametrize("code", sorted(BROKEN | WEAK))
def test_every_code_has_both_outcomes(code: str) -> None:
    assert {case.breaks for case in CASES if case.code == code} == {True, False}


def test_every_case_has_a_docstring_and_a_unique_id() -> None:
    assert all(case.sentence for case in CASES)
    assert len({case.id for case in CASES}) == len(CASES)
