"""Which policy a file is checked by, and which images the kernel policy does not apply to."""

from __future__ import annotations

from signer.policy import sources
from signer.policy.findings import Finding
from signer.verify.evidence import Evidence

_NATIVE = 1
"""IMAGE_SUBSYSTEM_NATIVE."""
_SUBSYSTEMS = {
    2: "Windows GUI",
    3: "Windows console",
    9: "Windows CE",
    10: "EFI application",
    11: "EFI boot service driver",
    12: "EFI runtime driver",
    13: "EFI ROM",
    16: "Windows boot application",
}


def runs_in_kernel(evidence: Evidence) -> bool:
    """Return whether the kernel loads the file: code with the native subsystem, or with the suffix .sys."""
    if not evidence.traits.loaded_as_code:
        return False
    return evidence.subsystem in (None, _NATIVE) or evidence.name.lower().endswith(".sys")


def default_policy(evidence: Evidence) -> str:
    """Return the policy for a file if none is named: kernel for kernel-mode images, authenticode for all others."""
    return "kernel" if runs_in_kernel(evidence) else "authenticode"


def inapplicable(policy_name: str, evidence: Evidence) -> Finding | None:
    """Return why a policy does not apply to a file, or None: the kernel does not load user-mode images."""
    if policy_name != "kernel" or runs_in_kernel(evidence) or not evidence.traits.loaded_as_code:
        return None
    subsystem = _SUBSYSTEMS.get(evidence.subsystem or 0, str(evidence.subsystem))
    return Finding(
        "user-mode-image",
        "info",
        f"{evidence.name} is not a kernel-mode image (its subsystem is {subsystem}): the kernel does not load it",
        sources.REQUIREMENTS,
        "Check it as user-mode code: drvsign verify --policy authenticode FILE",
    )
