"""Sources of policy cases beyond those of the rules, and words for cases that have none."""

from __future__ import annotations

from signer.policy.sources import EVENTS, POLICY, WDD

EXCEPTIONS = f'{POLICY}, "Exceptions"'
CROSS_CERTIFICATES = f"{WDD} install/cross-certificates-for-kernel-mode-code-signing.md"
SOFTWARE_PUBLISHER = f"{WDD} install/software-publisher-certificate.md"
PORTING = f"{WDD} kernel/porting-your-driver-to-64-bit-windows.md"
ATTESTED_WINS = f"{WDD} dashboard/code-signing-validate.md: the EKU of attestation ends with a 1, that of HLK with a 5"
ROOT_PROGRAM = "Microsoft Trusted Root Program, authroot list"
RFC_3161 = "RFC 3161"
RFC_5280 = "RFC 5280, 6.1"
RFC_5280_USAGE = "RFC 5280, 4.2.1.12"
KNOWN_ROOTS = f"{EVENTS}, table of known roots"
DECISION = "drvsign: one accepted signature is enough, and of several rejections the one that was reached last is named"
"""For cases about how results are combined, not about Windows."""


_UNSETTLED = "no public source; it is left open by "


def unsettled(nearest: str) -> str:
    """Return the source of a case that no public source decides: the nearest one, which leaves it open."""
    return _UNSETTLED + nearest


def is_unsettled(source: str) -> bool:
    """Return whether no public source decides a case."""
    return source.startswith(_UNSETTLED)
