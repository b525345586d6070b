"""A rule about what is unusual in a signature. It never decides, because no public source says what follows."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

from signer.asn1.oids import EKU_ANY, EKU_WHQL, EKU_WHQL_ATTESTED, EKU_WHQL_EXTENDED, EKU_WHQL_OEM
from signer.certificates import common_name, is_self_signed
from signer.policy import sources
from signer.policy.classify import usages_of
from signer.policy.evaluation import EvaluationContext
from signer.policy.rules import RuleResult, notes, rule, warns
from signer.policy.subjects import SignaturePath

_PORTAL = frozenset((EKU_WHQL, EKU_WHQL_ATTESTED, EKU_WHQL_EXTENDED, EKU_WHQL_OEM))


@rule(
    "remarks",
    "The timestamp is not in the future, and the CAs of a signer with a WHQL usage permit it.",
    source=f"{sources.AUTHENTICODE}; RFC 3161; RFC 5280, 4.2.1.12",
)
def remarks(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Remark on each; the rules about time and usage decide."""
    label, stamp = candidate.signed.label, candidate.signature.timestamp
    if stamp is not None and stamp.time > context.machine.at:
        message = f"the timestamp of {label} is in the future: {stamp.time:%Y-%m-%d %H:%M}"
        yield warns("timestamp-in-future", message, "Check the clocks, and the time of the check (--at).")
    limiting = _limiting_ca(candidate)
    if limiting is not None:
        message = f"the signer of {label} has a WHQL usage that its CA {common_name(limiting)!r} does not permit"
        yield notes("usage-outside-ca", message)


def _limiting_ca(candidate: SignaturePath) -> x509.Certificate | None:
    """Return the CA below the root whose usages exclude a WHQL usage of the signer; None without one."""
    claimed = _PORTAL & (candidate.signed.usages or frozenset())
    for authority in candidate.path.certificates[1:] if candidate.path is not None and claimed else ():
        permitted = usages_of(authority)
        if permitted is None or is_self_signed(authority):
            continue
        if EKU_ANY not in permitted and not claimed & permitted:
            return authority
    return None
