"""Tell when a verdict of the kernel policy can change although the file does not: certificates begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from signer.policy.machine_state import DRIVER_POLICY_FROM
from signer.verify.evidence import Evidence


def kernel_moments(evidence: Evidence) -> Iterator[datetime]:
    """Yield every moment with which the rules about kernel-mode code compare the time of the check, in any order.

    CRLs are left out: `Trust.paths_of` applies them.
    """
    yield DRIVER_POLICY_FROM
    for signature in evidence.signatures:
        if signature.signer is not None:
            yield signature.signer.not_valid_before_utc
            yield signature.signer.not_valid_after_utc
        if signature.timestamp is not None:
            yield signature.timestamp.time
