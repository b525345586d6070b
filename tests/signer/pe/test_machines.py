"""Names of machines, and what the kernel policy says about images without a Windows release."""

from __future__ import annotations

import struct

import pytest

from signer.pe.image import Image
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from tests.signer.policy.cases.registry import NOW
from tests.support.images import PeSpec
from tests.support.policy_builder import driver


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (0xA64E, "arm64x"),
        (0xA641, "arm64ec"),
        (0x5064, "riscv64"),
        (0x01C2, "arm"),
        (0xAA64, "arm64"),
        (0x1234, "0x1234"),
    ],
)
def test_a_machine_has_its_name(machine: int, name: str) -> None:
    data = bytearray(PeSpec().build())
    header = int.from_bytes(data[0x3C:0x40], "little")
    struct.pack_into("<H", data, header + 4, machine)
    assert Image.parse(bytes(data)).architecture == name


@pytest.mark.parametrize(
    ("architecture", "hint"),
    [("arm64", "target that ends in -arm64"), ("riscv64", "Build the driver for x64."), ("0x1234", "Build the driver")],
)
def test_only_targets_that_exist_are_recommended(architecture: str, hint: str) -> None:
    sample = driver(architecture=architecture)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-26h2-x64"), MachineState(at=NOW))
    found = next(one for one in verdict.findings if one.code == "architecture")
    assert found.hint is not None
    assert hint in found.hint
    assert ("ends in" in found.hint) == (architecture == "arm64")
