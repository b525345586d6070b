"""The kernel-mode code-signing policy (KMCS), as Code Integrity of each Windows release applies it."""

from __future__ import annotations

from signer.policy import kernel_file, kernel_signature, kernel_trust
from signer.policy.decide import Policy

POLICY = Policy(
    "kernel",
    file_rules=kernel_file.RULES,
    signature_rules=(*kernel_signature.INTEGRITY, *kernel_trust.RULES, *kernel_signature.TIME),
    outcome_rules=kernel_file.OUTCOME_RULES,
)
