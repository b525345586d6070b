"""Find data in the parts of a SignedData that no signature covers.

SignTool writes known attributes and the signer's chain there. Tools such as SigFlip, and installers that carry tags,
hide other data beside them.
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

from signer.asn1 import oids
from signer.certificates import common_name, encoded
from signer.numbers import counted
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo
from signer.verify.evidence import Signature, SignatureProblem

_EXPECTED = frozenset({oids.NESTED_SIGNATURE, oids.RFC3161_TIMESTAMP, oids.COUNTER_SIGNATURE})


def unsigned_attribute_notes(signer: ParsedSignerInfo) -> Iterator[SignatureProblem]:
    """Note unsigned attributes that are neither a timestamp nor a nested signature: anyone could have added them."""
    for oid, values in signer.unsigned_attributes.items():
        if oid not in _EXPECTED:
            size = counted(sum(map(len, values)), "byte")
            message = f"the unknown unsigned attribute {oid} contains {size} that the signature doesn't cover"
            yield SignatureProblem("unsigned-attribute", message)


def certificate_notes(parsed: ParsedSignedData, signature: Signature) -> Iterator[SignatureProblem]:
    """Note embedded certificates outside the chains of the signer and its timestamp, and unreadable ones."""
    yield from unreadable_certificate_notes(parsed)
    related = _chain_candidates(signature)
    for certificate in parsed.certificates:
        if encoded(certificate) not in related:
            name = repr(common_name(certificate))
            message = f"the embedded certificate of {name} is not part of the chain of the signature or its timestamp"
            yield SignatureProblem("unrelated-certificate", message)


def unreadable_certificate_notes(parsed: ParsedSignedData) -> Iterator[SignatureProblem]:
    """Note entries among the certificates of a signature or of a timestamp that are none."""
    unreadable = len(parsed.certificates_der) - len(parsed.certificates)
    if unreadable:
        yield SignatureProblem("unreadable-certificate", f"{unreadable} of the embedded certificates can't be read")


def _chain_candidates(signature: Signature) -> set[bytes]:
    """Return the DER of the signer, the timestamp's signer, and every certificate above them by issuer name."""
    stamp = signature.timestamp
    new = {encoded(one): one for one in (signature.signer, stamp.signer if stamp else None) if one is not None}
    found: set[bytes] = set()
    issuers: set[x509.Name] = set()
    while new:
        found |= new.keys()
        issuers |= {one.issuer for one in new.values()}
        above = [one for one in signature.certificates if one.subject in issuers]
        new = {encoded(one): one for one in above if encoded(one) not in found}
    return found
