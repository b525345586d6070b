"""Effective machine settings on a target, on both sides of the release that introduces each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from signer.policy.evaluation import EvaluationContext
from signer.policy.machine_state import DRIVER_POLICY_FROM, MachineState
from signer.policy.targets import Target

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TEST = {"roots": "test-signing", "testsigning": True}


def case(what: str, expected: object, target: str, **state: Any) -> Any:
    """Return one row: a property, its value, the target, the machine state."""
    settings = ", ".join(f"{name}={value}" for name, value in state.items())
    return pytest.param(what, expected, target, state, id=f"{what} {target} {settings}")


@pytest.mark.parametrize(
    ("what", "expected", "target", "state"),
    [
        case("secure_boot", False, "win7-x64"),
        case("secure_boot", False, "win7-x64", secure_boot=True),
        case("secure_boot", True, "win8-x64"),
        case("secure_boot", False, "win8-x64", secure_boot=False),
        case("secure_boot", False, "win8-x64", testsigning=True),
        case("secure_boot", False, "win8-x64", debugger=True),
        case("secure_boot", True, "win8-x64", testsigning=True, secure_boot=True),
        case("test_mode", True, "win10-22h2-x64", **TEST),
        case("test_mode", False, "win10-22h2-x64", secure_boot=True, **TEST),
        case("test_mode", False, "win10-22h2-x64", testsigning=True),
        case("test_mode", False, "win10-22h2-x64", roots="test-signing"),
        case("hvci", False, "win8.1-x64", hvci=True),
        case("hvci", True, "win10-1507-x64", hvci=True),
        case("hvci", False, "win10-1507-x64"),
        case("hvci", False, "win10-1507-x86", hvci=True),
        case("hvci", True, "win10-1709-arm64", hvci=True),
        case("enforced", True, "vista-x64"),
        case("enforced", False, "win7-x86"),
        case("enforced", True, "win7-x86", boot_start=True),
        case("enforced", True, "win7-x86", protected_media=True),
        case("enforced", True, "win8-x86"),
        case("enforced", False, "win8-x86", secure_boot=False),
        case("whql_enforced", False, "win10-1511-x64"),
        case("whql_enforced", True, "win10-1607-x64"),
        case("whql_enforced", False, "win10-1607-x64", upgraded=True),
        case("whql_enforced", False, "win10-1607-x64", secure_boot=False),
        case("whql_enforced", True, "server2016-x64"),
        case("driver_policy", "off", "win11-23h2-x64"),
        case("driver_policy", "off", "win11-23h2-x64", driver_policy="enforced"),
        case("driver_policy", "enforced", "win11-24h2-x64"),
        case("driver_policy", "enforced", "server2025-x64"),
        case("driver_policy", "off", "server2022-x64"),
        case("driver_policy", "evaluation", "win11-24h2-x64", driver_policy="evaluation"),
        case("driver_policy", "enforced", "win11-24h2-x64", at=DRIVER_POLICY_FROM),
        case("driver_policy", "off", "win11-24h2-x64", at=DRIVER_POLICY_FROM - SECOND),
        case("block_list_on", False, "win10-1511-x64", block_list_on=True),
        case("block_list_on", True, "win10-1607-x64", block_list_on=True),
        case("block_list_on", False, "win10-1607-x64"),
        case("block_list_on", True, "win10-1607-x64", hvci=True),
        case("block_list_on", False, "server2016-x64", hvci=True),
        case("block_list_on", True, "server2019-x64", hvci=True),
        case("block_list_on", True, "win10-1703-x64-smode"),
        case("block_list_on", False, "win11-21h2-x64"),
        case("block_list_on", True, "win11-22h2-x64"),
        case("block_list_on", False, "win11-22h2-x64", block_list_on=False),
        case("block_list_on", False, "server2025-x64"),
        case("supports_sha2", False, "vista-x64"),
        case("supports_sha2", False, "vista-x64", sha2_update=True),
        case("supports_sha2", False, "server2008-x64"),
        case("supports_sha2", True, "server2008-x64", sha2_update=True),
        case("supports_sha2", True, "win7-x64"),
        case("supports_sha2", False, "win7-x64", sha2_update=False),
        case("supports_sha2", True, "server2008r2-x64"),
        case("supports_sha2", True, "win8-x64", sha2_update=False),
        case("supports_sha2", True, "server2012-x64", sha2_update=False),
    ],
)
def test_state(what: str, expected: object, target: str, state: dict[str, Any]) -> None:
    context = EvaluationContext.of(Target.parse(target), MachineState(**{"at": NOW, **state}))
    assert getattr(context, what) == expected


def test_the_driver_policy_starts_on_the_second_tuesday_of_april_2026() -> None:
    assert datetime(2026, 4, 14, tzinfo=UTC) == DRIVER_POLICY_FROM
    assert DRIVER_POLICY_FROM.strftime("%A") == "Tuesday"
