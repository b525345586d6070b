"""Severity of the finding about an incomplete chain, and advice on its missing certificate."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.verify.evidence import SignatureProblem
from tests.support.policy_builder import (
    Sign,
    commercial,
    driver,
    of_test_root,
    self_signed,
    unknown_issuer,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sign", "roots", "severities"),
    [
        pytest.param(unknown_issuer(), "release", ["error"], id="an unknown issuer rejects"),
        pytest.param(of_test_root(named=False), "release", ["info"], id="a note for a test signature"),
        pytest.param(of_test_root(named=True), "test-signing", [], id="a chain to a root"),
        pytest.param(self_signed(), "release", [], id="a self-signed certificate"),
        pytest.param(commercial(), "release", [], id="a published root"),
    ],
)
def test_an_incomplete_chain_is_reported_once(sign: Sign, roots: str, severities: list[str]) -> None:
    sample = driver(sign)
    machine = MachineState(at=NOW, roots=roots)  # type: ignore[arg-type]
    verdict = judge("authenticode", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), machine)
    assert [one.severity for one in verdict.findings if one.code == "chain-incomplete"] == severities


@pytest.mark.parametrize(
    ("sign", "roots", "advice"),
    [
        pytest.param(
            unknown_issuer(),
            "release",
            "Give the certificate of 'Fabrikam Issuing CA': --roots test-signing --root FILE if it is a root, "
            "else --intermediate FILE",
            id="a missing issuer and release roots, with which no private root is trusted",
        ),
        pytest.param(
            unknown_issuer(),
            "test-signing",
            "Give the certificate of 'Fabrikam Issuing CA': --root FILE if it is a root, else --intermediate FILE",
            id="a missing issuer and private roots",
        ),
        pytest.param(
            self_signed(),
            "test-signing",
            "Trust that root with --root FILE, or sign with a certificate of a trusted authority.",
            id="a root that is not trusted",
        ),
    ],
)
def test_advice_on_a_missing_certificate_names_the_option_for_a_root(sign: Sign, roots: str, advice: str) -> None:
    sample = driver(sign)
    machine = MachineState(at=NOW, roots=roots)  # type: ignore[arg-type]
    verdict = judge("authenticode", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), machine)
    assert [one.hint for one in verdict.findings if one.rule == "trusted-root" and one.severity == "error"] == [advice]


def test_advice_on_a_driver_without_a_given_root_names_the_option_for_it() -> None:
    sample = driver(unknown_issuer())
    machine = MachineState(at=NOW, roots="test-signing")
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), machine)
    assert [one.hint for one in verdict.findings if one.code == "root" and one.severity == "error"] == [
        "Give the certificate of 'Fabrikam Issuing CA': --root FILE if it is a root, else --intermediate FILE; "
        "and check with --testsigning."
    ]


@pytest.mark.parametrize("before", [(), ("several-certificates",), ("certificate-table-padding",)])
def test_padding_is_found_behind_other_problems_of_the_file(before: tuple[str, ...]) -> None:
    problems = tuple(SignatureProblem(code, "a reason") for code in (*before, "certificate-padding"))
    sample = driver(commercial(), problems=problems)
    strict = MachineState(at=NOW, cert_padding_check=True)
    verdict = judge("authenticode", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), strict)
    assert verdict.outcome == "rejected"
    assert "certificate-padding" in {one.code for one in verdict.findings if one.rule == "padding"}


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        pytest.param(commercial(ends="2025-01-01"), "the date of the check", id="no timestamp"),
        pytest.param(
            commercial(ends="2025-01-01").stamped("2025-02-01"), "the date of the timestamp", id="a timestamp"
        ),
    ],
)
def test_an_expired_certificate_is_compared_with_a_date_that_is_named(sign: Sign, words: str) -> None:
    sample = driver(sign)
    target, machine = Target.parse("win10-22h2-x64"), MachineState(at=NOW)
    verdict = judge("authenticode", sample.evidence, sample.paths, target, machine)
    assert [words in one.message for one in verdict.findings if one.code == "expired"] == [True]
