"""Decode signatures in PEM, as `osslsigncode extract-signature -pem` and OpenSSL write them (RFC 7468, section 8)."""

from __future__ import annotations

import base64
import binascii
import re

from signer.errors import SigningError

_BEGIN = b"-----BEGIN "
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 #]+)-----\s(.*?)-----END \1-----", re.DOTALL)
_SIGNATURES = frozenset({"PKCS7", "PKCS #7 SIGNED DATA", "CMS"})


def unarmored(data: bytes) -> bytes:
    """Return the DER of a signature in PEM, and any other data as it is. Raises SigningError for another PEM file."""
    if not data.lstrip().startswith(_BEGIN):
        return data
    hint = "Give the PKCS #7 signature: drvsign extract FILE --output FILE.p7"
    block = _BLOCK.fullmatch(data.strip())
    if block is None:
        raise SigningError("the PEM file is not one complete block, from BEGIN to END", hint=hint)
    label = block[1].decode("ascii")
    if label not in _SIGNATURES:
        raise SigningError(f"the PEM file contains a {label}, not a signature (PKCS7)", hint=hint)
    try:
        return base64.b64decode(b"".join(block[2].split()), validate=True)
    except binascii.Error as error:
        raise SigningError(f"the base64 of the PEM file is not valid ({error})", hint=hint) from error
