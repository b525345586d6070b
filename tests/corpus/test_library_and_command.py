"""The library and `drvsign verify` give the same verdicts for every driver, catalog and package of the corpus."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalogs.verification.assessment import Assessment, Outcome
from catalogs.verification.query import VerifyQuery
from catalogs.verification.verify import verify
from signer.codeintegrity.consequences import Consequences
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust
from tests.support.files import corpus_files
from tests.support.program import drvsign

AT = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One call of the command, and the same question for the library."""

    id: str
    policy: str
    targets: tuple[str, ...]
    options: tuple[str, ...] = ()
    machine: dict[str, Any] = field(default_factory=dict)

    @property
    def trust(self) -> Trust:
        return Trust.test_signing() if self.machine.get("roots") == "test-signing" else Trust.release()


CASES = [
    Case(
        "a machine as it ships loads drivers",
        "kernel",
        ("win11-25h2-x64", "win7-x64", "win10-22h2-x86"),
    ),
    Case(
        "a test machine with memory integrity loads drivers",
        "kernel",
        ("win11-25h2-arm64", "win10-1607-x64"),
        ("--roots", "test-signing", "--testsigning", "--hvci"),
        {"roots": "test-signing", "testsigning": True, "hvci": True},
    ),
    Case(
        "a machine that trusts the publisher installs packages",
        "pnp",
        ("server2025-x64", "server2008r2-ia64"),
        ("--publisher", "trusted", "--no-secure-boot", "--driver-policy", "evaluation"),
        {"publisher": "trusted", "secure_boot": False, "driver_policy": "evaluation"},
    ),
    Case(
        "WinVerifyTrust in S mode with MS13-098",
        "authenticode",
        ("win11-24h2-x64-smode",),
        ("--cert-padding-check",),
        {"cert_padding_check": True},
    ),
]


def test_the_cases_ask_for_eight_targets() -> None:
    assert len({target for case in CASES for target in case.targets}) == 8


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_command_and_library_agree(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    """Neither the default targets nor the test identity of the working folder plays a part."""
    monkeypatch.chdir(tmp_path)
    paths = [corpus / "drivers", corpus / "packages", *corpus_files("catalogs/*.cat")]
    targets = [argument for name in case.targets for argument in ("--target", name)]
    ran = drvsign("verify", *paths, "--policy", case.policy, *targets, *case.options, "--at", "2026-11-24", "--json")
    machine = MachineState(at=AT, **case.machine)
    found = verify(paths, VerifyQuery.create(case.policy, case.trust, machine, targets=case.targets))
    assert len(found) > 100
    assert [_printed(entry) for entry in ran.document["files"]] == [_expected(one) for one in found]
    outcome = Outcome.of(found)
    assert (ran.document["accepted"], ran.document["decided"]) == (outcome.accepted, outcome.decided)
    assert ran.code == {"accepted": 0, "rejected": 1}.get(outcome.word, 3)


def test_without_targets_both_choose_the_default_of_each_architecture(corpus: Path) -> None:
    drivers = corpus_files("drivers/*.sys")
    ran = drvsign("verify", *drivers, "--policy", "kernel", "--at", "2026-11-24", "--json")
    found = verify(map(str, drivers), VerifyQuery("kernel", Trust.release(), MachineState(at=AT)))
    assert [_printed(entry) for entry in ran.document["files"]] == [_expected(one) for one in found]
    assert {verdict["target"] for entry in ran.document["files"] for verdict in entry["targets"]} >= {
        "win11-26h2-x64",
        "win10-22h2-x86",
        "server2008r2-ia64",
    }


def _printed(entry: dict[str, Any]) -> dict[str, Any]:
    """The parts of an entry of `files` that say what was decided."""
    return {
        "path": entry["path"],
        "kind": entry["kind"],
        "accepted": entry["accepted"],
        "decided": entry["decided"],
        "targets": entry["targets"],
        "intact": [signature["intact"] for signature in entry["signatures"]],
        "findings": {(finding["code"], finding["message"]) for finding in entry["findings"]},
        "events": [(event["data"]["target"], event["id"]) for event in entry["events"]],
    }


def _expected(one: Assessment) -> dict[str, Any]:
    """The same from an assessment of the library, without its renderers."""
    said = {(finding.code, finding.message) for each in one.consequences for finding in each.verdict.findings}
    return {
        "path": str(one.path),
        "kind": one.kind,
        "accepted": one.accepted,
        "decided": one.decided,
        "targets": [_target(each) for each in one.consequences],
        "intact": [signature.intact for signature in one.evidence.signatures] if one.evidence is not None else [],
        "findings": said if one.error is None else {(one.error.code, str(one.error))},
        "events": [(each.verdict.target, event.id) for each in one.consequences for event in each.events],
    }


def _target(one: Consequences) -> dict[str, Any]:
    return {
        "target": one.verdict.target,
        "verdict": one.verdict.outcome,
        "rule": one.verdict.rule,
        "findings": list(dict.fromkeys(finding.code for finding in one.verdict.findings)),
        "events": list(dict.fromkeys(event.id for event in one.events)),
        "status": one.status.code,
    }
