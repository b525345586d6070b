"""Timestamps for signatures that were made before: of a signature, and of all that are nested in it.

What is signed and the signature itself stay as they are: a timestamp is an unsigned attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.nested import with_unsigned
from signer.pkcs7.parse import ParsedSignerInfo, parse
from signer.pkcs7.signed_data import Timestamper

KINDS = (oids.RFC3161_TIMESTAMP, oids.COUNTER_SIGNATURE)
_CERTIFICATES = 0xA0

TimestamperSelector = Callable[[DigestAlgorithm | None], Timestamper]
"""Which timestamper a signature gets, by the digest that it was made with."""


@dataclass(frozen=True, slots=True)
class Timestamped:
    """A signature with its timestamps."""

    signature: bytes
    """The DER of ContentInfo."""
    added: int
    """How many timestamps were added."""
    kept: int
    """How many signatures had one already."""


def add_timestamps(signature: bytes, choose: TimestamperSelector, *, replace: bool = False) -> Timestamped:
    """Have a signature in DER and those nested in it timestamped, each that has no timestamp yet.

    With `replace` those that have one get a new one. Raises SignatureFormatError, TimestampError.
    """
    parsed = parse(signature)
    if len(parsed.signers) != 1:
        raise SignatureFormatError(f"a signature of {len(parsed.signers)} signers, where Authenticode has one")
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
    stamp = choose(signer.digest_algorithm)(signer.signature)
    for kind in KINDS:
        values = stamp.attribute[1] if kind == stamp.attribute[0] else ()
        if values or kind in signer.unsigned_attributes:
            signature = with_unsigned(signature, kind, values)
    return Timestamped(_with_certificates(signature, stamp.certificates), added + 1, kept)


def is_timestamped(signer: ParsedSignerInfo) -> bool:
    """Whether a signer has a timestamp of either kind."""
    return any(kind in signer.unsigned_attributes for kind in KINDS)


def _with_certificates(signature: bytes, certificates: tuple[bytes, ...]) -> bytes:
    """The DER of `signature` carrying these certificates too, in DER's order.

    The structure is ContentInfo { oid, [0] { SignedData { version, digests, content, [0] certificates, … } } }.
    """
    parsed = parse(signature)
    if set(certificates) <= set(parsed.certificates_der):
        return signature
    carried = der.explicit(0, *sorted({*parsed.certificates_der, *certificates}))
    oid, wrapped = der.children(signature, der.read(signature))
    fields = list(der.children(signature, der.read(signature, wrapped.body)))
    head = [field.whole(signature) for field in fields[:3]]
    tail = [field.whole(signature) for field in fields[3:] if field.tag != _CERTIFICATES]
    return der.sequence(oid.whole(signature), der.explicit(0, der.sequence(*head, carried, *tail)))
