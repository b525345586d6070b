"""Read the structure of a PFX (PKCS #12) without a password.

Sources: RFC 7292, 4 (PFX, AuthenticatedSafe, MacData); RFC 9579, 4 (PBMAC1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asn1crypto import algos, cms, core, parser, pkcs12

from signer.asn1 import oids
from signer.records import dataclass

PBKDF2 = "pbkdf2"


@dataclass(frozen=True, slots=True)
class Mac:
    """The MAC that a password protects a PFX with."""

    derivation: str
    """Name of the digest of the key derivation of PKCS #12, or `PBKDF2` (PBMAC1)."""
    prf: str
    """Name of the digest of PBKDF2."""
    algorithm: str
    """Name of the digest of the HMAC."""
    key_size: int
    """Bytes of the key that PBKDF2 derives."""
    digest: bytes
    salt: bytes
    iterations: int


@dataclass(frozen=True, slots=True)
class Pfx:
    """The structure of a PFX."""

    content: bytes
    """The AuthenticatedSafe, which the MAC covers."""
    plain: tuple[bytes, ...]
    """The encoded ContentInfos that are not encrypted."""
    encrypted: tuple[bytes, ...]
    """All other encoded ContentInfos."""
    mac: Mac | None


MAX_CONTENTS = 100
"""Parts of the AuthenticatedSafe; real files have two or three."""


class _Pbmac1Params(core.Sequence):
    _fields = [("key_derivation", algos.KdfAlgorithm), ("scheme", algos.HmacAlgorithm)]


def parse(data: bytes) -> Pfx:
    """Return the structure of a PFX in DER or BER. Raises ValueError."""
    try:
        pfx = pkcs12.Pfx.load(data)
        content = pfx["auth_safe"]["content"].native
        parts = [(cms.ContentInfo.load(part)["content_type"].native == "data", part) for part in _parts(content)]
        mac = None if isinstance(pfx["mac_data"], core.Void) else _mac(pfx["mac_data"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a PFX ({error})") from error
    plain, encrypted = (tuple(one for is_plain, one in parts if is_plain is wanted) for wanted in (True, False))
    return Pfx(content, plain, encrypted, mac)


def _parts(content: bytes) -> Iterator[bytes]:
    """Yield the encoded ContentInfos of an AuthenticatedSafe. Raises ValueError."""
    left = parser.parse(content)[4]
    for _ in range(MAX_CONTENTS):
        if not left:
            break
        size = parser.peek(left)
        yield left[:size]
        left = left[size:]
    if left:
        raise ValueError(f"more than {MAX_CONTENTS} contents")


def _mac(data: Any) -> Mac:
    digest, algorithm = data["mac"]["digest"].native, data["mac"]["digest_algorithm"]
    if algorithm["algorithm"].dotted != oids.PBMAC1:
        name = algorithm["algorithm"].native
        return Mac(name, name, name, 0, digest, data["mac_salt"].native, data["iterations"].native)
    parameters = algorithm["parameters"].parse(_Pbmac1Params)
    derivation = parameters["key_derivation"]["parameters"]
    return Mac(
        PBKDF2,
        derivation["prf"]["algorithm"].native,
        parameters["scheme"]["algorithm"].native,
        derivation["key_length"].native,
        digest,
        derivation["salt"].native,
        derivation["iteration_count"].native,
    )
