"""What else stands in a SignedData where no signature covers it, and anything can be put.

Source: the attributes and certificates that SignTool writes; "SigFlip" and its kind, and installers that carry tags,
hide data in the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

from signer.asn1 import oids
from signer.certificates import common_name
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo
from signer.verify.evidence import Problem, Signature

_EXPECTED = frozenset({oids.NESTED_SIGNATURE, oids.RFC3161_TIMESTAMP, oids.COUNTER_SIGNATURE})


def about_unsigned_attributes(signer: ParsedSignerInfo) -> Iterator[Problem]:
    """Attributes that are neither a timestamp nor a nested signature: data that anyone could have added."""
    for oid, values in signer.unsigned_attributes.items():
        if oid not in _EXPECTED:
            size = sum(map(len, values))
            message = (
                f"{size} bytes stand in an unsigned attribute of no known meaning ({oid}), where data can be hidden"
            )
            yield Problem("unsigned-attribute", message)


def about_certificates(parsed: ParsedSignedData, signature: Signature) -> Iterator[Problem]:
    """Certificates that are on no way from the signer or its timestamp to a root, and what only looks like one."""
    unreadable = len(parsed.certificates_der) - len(parsed.certificates)
    if unreadable:
        yield Problem("unreadable-certificate", f"{unreadable} of the certificates that came along can't be read")
    related = _on_the_way(signature)
    for certificate in parsed.certificates:
        if certificate not in related:
            name = repr(common_name(certificate))
            message = f"the certificate of {name} came along and has nothing to do with the signature"
            yield Problem("unrelated-certificate", message)


def _on_the_way(signature: Signature) -> set[x509.Certificate]:
    """The signer, the timestamp's signer, and all that could be above them by their names."""
    stamp = signature.timestamp
    found = {one for one in (signature.signer, stamp.signer if stamp else None) if one is not None}
    while True:
        issuers = {one.issuer for one in found}
        above = {one for one in signature.certificates if one.subject in issuers} - found
        if not above:
            return found
        found |= above
