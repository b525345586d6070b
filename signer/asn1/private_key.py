"""Recognize private keys in DER, without reading them.

Sources: RFC 5958, 2 and 3 (PKCS #8, also encrypted); RFC 8017, A.1.2 (PKCS #1); RFC 5915, 3 (SEC 1).
"""

from __future__ import annotations

from signer.asn1 import der
from signer.errors import SignatureFormatError

_PKCS1_INTEGERS = 9
_VERSIONS = (b"\0", b"\1")
"""0 or 1: no certificate and no PFX begins with such a number."""


def is_private_key(data: bytes) -> bool:
    """Tell whether the data is a private key: PKCS #8, encrypted or not, PKCS #1 or SEC 1."""
    try:
        whole = der.expect(data, 0, der.SEQUENCE, "a private key")
        fields = der.first_children(data, whole, _PKCS1_INTEGERS)
        return whole.end == len(data) and (_is_key(data, fields) or _is_encrypted(data, fields))
    except SignatureFormatError:
        return False


def _is_key(data: bytes, fields: list[der.Element]) -> bool:
    """Tell whether the fields begin with a version, and with an algorithm and a key, a key, or the numbers of RSA."""
    if not fields or fields[0].tag != der.INTEGER or fields[0].contents(data) not in _VERSIONS:
        return False
    tags = [field.tag for field in fields[1:]]
    is_pkcs8, is_sec1 = tags[:2] == [der.SEQUENCE, der.OCTET_STRING], tags[:1] == [der.OCTET_STRING]
    return is_pkcs8 or is_sec1 or tags == [der.INTEGER] * (_PKCS1_INTEGERS - 1)


def _is_encrypted(data: bytes, fields: list[der.Element]) -> bool:
    """Tell whether the fields are an algorithm with parameters, and the encrypted key."""
    if [field.tag for field in fields] != [der.SEQUENCE, der.OCTET_STRING]:
        return False
    return [field.tag for field in der.first_children(data, fields[0], 2)] == [der.OID, der.SEQUENCE]
