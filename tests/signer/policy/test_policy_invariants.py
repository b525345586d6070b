"""Invariants of every verdict, for every sample on every target."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from datetime import UTC, datetime

import pytest

import tests.signer.policy.cases as cases
from signer.policy.findings import merged
from signer.policy.judge import POLICY_NAMES, judge, judge_all
from signer.policy.machine_state import MachineState
from signer.policy.targets import all_targets
from tests.signer.policy.cases.registry import REGISTRY
from tests.support.policy_builder import (
    Sample,
    by_microsoft,
    commercial,
    cross_signed,
    driver,
    of_test_root,
    self_signed,
    unknown_issuer,
)

for _module in pkgutil.iter_modules(cases.__path__):
    importlib.import_module(f"tests.signer.policy.cases.{_module.name}")

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SAMPLES = list({case.make.__qualname__ + case.make.__module__: case.make for case in REGISTRY}.values())
MACHINES = [
    MachineState(at=NOW, **dict(state))
    for state in itertools.product(
        [("secure_boot", True), ("secure_boot", False), ("secure_boot", None)],
        [("testsigning", True), ("testsigning", False)],
        [("hvci", True), ("hvci", False)],
        [("upgraded", True), ("upgraded", False)],
        [("boot_start", True), ("boot_start", False)],
    )
]


@pytest.mark.parametrize("make", SAMPLES, ids=lambda make: f"{make.__module__.rpartition('.')[-1]}-{make.__name__}")
def test_a_verdict_is_consistent(make: object) -> None:
    sample: Sample = make()  # type: ignore[operator]
    for policy in POLICY_NAMES:
        for verdict in judge_all(policy, sample.evidence, sample.paths, all_targets(), MachineState(at=NOW)):
            errors = [finding for finding in verdict.findings if finding.severity == "error"]
            assert verdict.rule, verdict
            assert bool(errors) == (verdict.outcome == "rejected") or verdict.outcome == "unknown", verdict
            assert len(verdict.signatures) == len(sample.evidence.signatures)
            assert len(set(verdict.findings)) == len(verdict.findings)
            assert verdict.accepted == (verdict.outcome == "accepted")
            assert verdict.reason is not None
            assert verdict.reason.rule == verdict.rule or verdict.rule == "accepted", verdict


@pytest.mark.parametrize("machine", MACHINES, ids=itertools.count())
def test_release_roots_never_accept_an_untrusted_signer(machine: MachineState) -> None:
    samples = {
        "unsigned": driver(architecture=None),
        "changed": driver(by_microsoft("1.3.6.1.4.1.311.10.3.5").broken(), architecture=None),
        "commercial": driver(commercial(), architecture=None),
        "test": driver(of_test_root(named=True), architecture=None),
        "self-signed": driver(self_signed(), architecture=None),
        "unknown": driver(unknown_issuer(), architecture=None),
    }
    for name, sample in samples.items():
        for verdict in judge_all("kernel", sample.evidence, sample.paths, all_targets(), machine):
            lenient = verdict.rule == "x86-not-enforced" and "-x86" in verdict.target
            assert verdict.outcome == "rejected" or lenient, (name, verdict.target, verdict.rule)


@pytest.mark.parametrize("machine", MACHINES, ids=itertools.count())
def test_secure_boot_rejects_test_signed_drivers(machine: MachineState) -> None:
    sample = driver(of_test_root(named=True), architecture=None)
    on_test_roots = MachineState(
        at=NOW, roots="test-signing", secure_boot=machine.secure_boot, testsigning=machine.testsigning
    )
    for verdict, target in zip(
        judge_all("kernel", sample.evidence, sample.paths, all_targets(), on_test_roots), all_targets(), strict=True
    ):
        kept_out = not machine.testsigning or (machine.secure_boot and target.release.secure_boot)
        if kept_out and verdict.rule != "x86-not-enforced":
            assert verdict.outcome == "rejected", (target.name, verdict)


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(MachineState(at=NOW), id="default"),
        pytest.param(MachineState(at=NOW, hvci=True, boot_start=True), id="memory integrity, boot start"),
        pytest.param(MachineState(at=NOW, sha2_update=True, debugger=True), id="debugger, SHA-2"),
        pytest.param(
            MachineState(at=NOW, roots="test-signing", testsigning=True, uefi_sb_test=True), id="test machine"
        ),
    ],
)
def test_the_matrix_equals_the_verdicts_of_each_target(machine: MachineState) -> None:
    """Targets that rules can't distinguish share an evaluation; only their titles differ."""
    for make in SAMPLES[::10]:
        sample: Sample = make()  # type: ignore[operator]
        for policy in POLICY_NAMES:
            together = judge_all(policy, sample.evidence, sample.paths, all_targets(), machine)
            alone = [judge(policy, sample.evidence, sample.paths, target, machine) for target in all_targets()]
            assert together == alone
            assert not [one for verdict in together for one in verdict.findings if "\0" in f"{one.message}{one.hint}"]


def test_merged_findings_have_no_duplicates_and_errors_come_first() -> None:
    sample = driver(cross_signed("2016-05-02"))
    found = merged(judge_all("kernel", sample.evidence, sample.paths, all_targets(), MachineState(at=NOW)))
    order = [("error", "warning", "info").index(finding.severity) for finding in found]
    assert order == sorted(order)
    assert len(set(found)) == len(found)
