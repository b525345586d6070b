"""Add timestamps to an existing signature and to the signatures nested in it.

A timestamp is an unsigned attribute, so the signed content and the signature itself do not change.
"""

from __future__ import annotations

from collections.abc import Callable

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.nested import with_unsigned
from signer.pkcs7.parse import ParsedSignerInfo, parse
from signer.pkcs7.signed_data import Timestamper
from signer.records import dataclass

KINDS = (oids.RFC3161_TIMESTAMP, oids.COUNTER_SIGNATURE)
_CERTIFICATES = 0xA0

TimestamperSelector = Callable[[DigestAlgorithm | None], Timestamper]
"""Selects the timestamper for a signature by the signature's digest algorithm, which can be None (unknown)."""


@dataclass(frozen=True, slots=True)
class Timestamped:
    """A signature with timestamps."""

    signature: bytes
    """The DER of the ContentInfo."""
    added: int
    """Number of timestamps that were added."""
    kept: int
    """Number of signatures whose existing timestamp was kept."""


def add_timestamps(signature: bytes, choose: TimestamperSelector, *, replace: bool = False) -> Timestamped:
    """Add a timestamp to a DER signature and to each nested signature that has none.

    With `replace`, also replaces existing timestamps. Raises SignatureFormatError and TimestampError.
    """
    parsed = parse(signature)
    if len(parsed.signers) != 1:
        raise SignatureFormatError(
            f"the signature has {len(parsed.signers)} signers, but Authenticode requires exactly one"
        )
    (signer,) = parsed.signers
    nested = [
        add_timestamps(value, choose, replace=replace)
        for value in signer.unsigned_attributes.get(oids.NESTED_SIGNATURE, ())
    ]
    added, kept = sum(one.added for one in nested), sum(one.kept for one in nested)
    if added:
        signature = with_unsigned(signature, oids.NESTED_SIGNATURE, tuple(one.signature for one in nested))
    if is_timestamped(signer) and not replace:
        return Timestamped(signature, added, kept + 1)
    timestamp = choose(signer.digest_algorithm)(signer.signature)
    for kind in KINDS:
        values = timestamp.attribute[1] if kind == timestamp.attribute[0] else ()
        if values or kind in signer.unsigned_attributes:
            signature = with_unsigned(signature, kind, values)
    return Timestamped(_with_certificates(signature, timestamp.certificates), added + 1, kept)


def is_timestamped(signer: ParsedSignerInfo) -> bool:
    """Return whether a signer has an RFC 3161 or legacy timestamp."""
    return any(kind in signer.unsigned_attributes for kind in KINDS)


def _with_certificates(signature: bytes, certificates: tuple[bytes, ...]) -> bytes:
    """Return `signature` (DER) with these certificates added, in DER order.

    The structure is ContentInfo { oid, [0] { SignedData { version, digests, content, [0] certificates, … } } }.
    """
    parsed = parse(signature)
    if set(certificates) <= set(parsed.certificates_der):
        return signature
    included = der.explicit(0, *sorted({*parsed.certificates_der, *certificates}))
    oid, wrapped = der.children(signature, der.read(signature))
    fields = list(der.children(signature, der.read(signature, wrapped.body)))
    head = [field.whole(signature) for field in fields[:3]]
    tail = [field.whole(signature) for field in fields[3:] if field.tag != _CERTIFICATES]
    return der.sequence(oid.whole(signature), der.explicit(0, der.sequence(*head, included, *tail)))
