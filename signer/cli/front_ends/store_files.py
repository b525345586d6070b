"""Certificates in files, as CertMgr and Cert2SPC read and write them."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from signer.asn1 import der, oids


def to_pkcs7(certificates: Sequence[x509.Certificate]) -> bytes:
    """Return certificates, or none, as a PKCS #7 file without a signature (.spc, .p7b), in DER."""
    if not certificates:
        content = der.sequence(der.integer(1), der.set_of(()), der.sequence(der.oid(oids.DATA)), der.set_of(()))
        return der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, content))
    return pkcs7.serialize_certificates(list(certificates), Encoding.DER)


def to_file(certificates: Sequence[x509.Certificate], *, as_pkcs7: bool) -> bytes:
    """Return one certificate in DER; several, or with `as_pkcs7`, as a PKCS #7 file."""
    if as_pkcs7 or len(certificates) != 1:
        return to_pkcs7(certificates)
    return certificates[0].public_bytes(Encoding.DER)
