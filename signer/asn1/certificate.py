"""Read issuer and serial number of a DER certificate without parsing the rest (RFC 5280, 4.1)."""

from __future__ import annotations

from signer.asn1 import der
from signer.errors import SignatureFormatError


def certificate_names(data: bytes) -> tuple[bytes, int]:
    """Return the issuer (DER) and the serial number of a certificate. Raises SignatureFormatError."""
    tbs = der.expect(data, der.expect(data, 0, der.SEQUENCE, "a certificate").body, der.SEQUENCE, "a TBSCertificate")
    fields = [element for _, element in zip(range(4), der.children(data, tbs), strict=False)]
    if fields and fields[0].tag == 0xA0:
        fields = fields[1:]
    if len(fields) < 3:
        raise SignatureFormatError("the certificate is truncated", offset=tbs.start)
    return fields[2].whole(data), int.from_bytes(fields[0].contents(data), "big", signed=True)
