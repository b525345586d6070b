"""Which files the kernel policy applies to, and the sentence about the others."""

from __future__ import annotations

import pytest

from signer.policy.applicability import default_policy, inapplicable, runs_in_kernel
from signer.verify.evidence import Evidence

KERNEL = {
    "native": ("a.exe", "image", 1, True),
    "a driver of another subsystem": ("A.SYS", "image", 3, True),
    "a subsystem that is not known": ("a.dll", "image", None, True),
    "a program with windows": ("a.exe", "image", 2, False),
    "a library": ("a.dll", "image", 3, False),
    "a catalog": ("a.sys", "catalog", None, False),
}


@pytest.mark.parametrize(("name", "kind", "subsystem", "kernel"), KERNEL.values(), ids=KERNEL)
def test_the_kernel_loads_native_images_and_drivers(name: str, kind: str, subsystem: int | None, kernel: bool) -> None:
    evidence = Evidence(name, kind, {}, subsystem=subsystem)
    assert runs_in_kernel(evidence) is kernel
    assert default_policy(evidence) == ("kernel" if kernel else "authenticode")
    user_mode = inapplicable("kernel", evidence)
    assert (user_mode is None) is (kernel or kind == "catalog")
    assert inapplicable("authenticode", evidence) is None


@pytest.mark.parametrize(
    ("subsystem", "name"),
    [
        (0, "0"),
        (2, "Windows GUI"),
        (3, "Windows console"),
        (5, "5"),
        (9, "Windows CE"),
        (10, "EFI application"),
        (11, "EFI boot service driver"),
        (12, "EFI runtime driver"),
        (13, "EFI ROM"),
        (16, "Windows boot application"),
    ],
)
def test_the_sentence_names_the_subsystem(subsystem: int, name: str) -> None:
    """Numbers and names are those of the PE format, "Windows Subsystem"."""
    finding = inapplicable("kernel", Evidence("a.efi", "image", {}, subsystem=subsystem))
    assert finding is not None
    assert f"(its subsystem is {name})" in finding.message
