"""A log is compared with the drivers themselves: agreement makes an answer exact, a difference is reported."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalogs.verification.log_comparison import Compared, compare, machine_of
from catalogs.verification.query import VerifyQuery
from signer.explain.explain import Explanation, Input, explain
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.policy.trust import Trust
from signer.storage.files import mapped
from signer.verify.gather import read_facts
from tests.signer.explain.test_readers import PATH, xml
from tests.support.images import PeSpec

NOW = datetime(2026, 11, 24, tzinfo=UTC)
MACHINE = {"release_name": "win11-24h2", "architecture": "x64"}


def logged(text: str, **settings: Any) -> Explanation:
    return explain([Input("log", [text.encode()])], settings={**MACHINE, **settings})


def compared(explanation: Explanation, *paths: Path) -> tuple[Compared, ...]:
    trust = Trust.release()
    machine = machine_of(explanation, MachineState(at=NOW))
    return compare(explanation, paths, lambda policy: VerifyQuery(policy, trust, machine))


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    path = tmp_path / "X.sys"
    path.write_bytes(PeSpec().build())
    return path


def sha256(path: Path) -> str:
    with mapped(path) as data:
        facts = read_facts(data, "image")
    return next(digest.hex() for algorithm, digest in facts.digests.items() if algorithm.name == "SHA256")


def test_agreement_makes_the_answer_exact(driver: Path) -> None:
    (one,) = compared(logged(xml(3004, FileNameBuffer=PATH)), driver)
    assert one.comparison is not None
    assert (one.comparison.matched_by, one.comparison.rule, one.comparison.agrees) == ("name", "unsigned", True)
    assert (one.answer.key, one.answer.rules, one.answer.confidence) == ("unsigned", ("unsigned",), "certain")


def test_a_hash_finds_a_file_with_another_name(driver: Path) -> None:
    renamed = driver.rename(driver.with_name("other.sys"))
    event = xml(3077, File_Name=PATH, SHA256_Hash=sha256(renamed), PolicyGUID="{00000000-0000-0000-0000-000000000001}")
    (one,) = compared(logged(event), renamed)
    assert one.comparison is not None
    assert one.comparison.matched_by == "hash"


def test_a_file_of_the_same_name_with_other_hashes_is_not_compared(driver: Path) -> None:
    (one,) = compared(logged(xml(3077, File_Name=PATH, SHA256_Hash="00" * 32)), driver)
    assert one.comparison is not None
    assert (one.comparison.matched_by, one.comparison.agrees) == ("name", None)
    assert "other hashes" in (one.comparison.difference or "")


def test_a_difference_is_reported_and_the_log_stays_right(driver: Path) -> None:
    event = xml(3023, FileNameBuffer=PATH)
    (one,) = compared(logged(event), driver)
    assert one.comparison is not None
    assert (one.answer.key, one.comparison.agrees) == ("revoked", False)
    difference = one.comparison.difference or ""
    assert "the log is right. Check that the machine has this file: only its name is in the log." in difference
    (one,) = compared(logged(xml(3023, FileNameBuffer=PATH, SHA256_Hash=sha256(driver))), driver)
    assert one.comparison is not None
    assert (one.comparison.matched_by, one.comparison.agrees) == ("hash", False)
    assert "the log is right. Give the machine's state" in (one.comparison.difference or "")


def test_a_wrong_architecture_is_confirmed_by_the_driver(driver: Path) -> None:
    explanation = logged("sc start X\n[SC] StartService FAILED 1275:\n", architecture="arm64")
    (one,) = compared(explanation, driver)
    assert one.comparison is not None
    assert (one.answer.key, one.answer.confidence, one.comparison.target) == (
        "architecture",
        "certain",
        "win11-24h2-arm64",
    )


def test_a_code_alone_is_about_the_only_file(driver: Path) -> None:
    (one,) = compared(logged("Code 52"), driver)
    assert one.comparison is not None
    assert (one.comparison.matched_by, one.answer.key) == ("only file", "unsigned")


def test_the_state_of_the_log_is_the_state_of_the_verdict() -> None:
    events = xml(3085) + xml(3099, PolicyGUID="{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}") + xml(3111, FileNameBuffer=PATH)
    machine = machine_of(logged(events, testsigning=True), MachineState(at=NOW))
    assert (machine.upgraded, machine.secure_boot, machine.driver_policy) == (True, None, "evaluation")
    assert (machine.hvci, machine.testsigning) == (True, True)


def test_without_a_release_the_newest_one_is_the_target(driver: Path) -> None:
    explanation = explain([Input("log", [xml(3004, FileNameBuffer=PATH).encode()])])
    (one,) = compared(explanation, driver)
    assert one.comparison is not None
    assert Target.parse(one.comparison.target).architecture == "x64"
