"""The content of a signature. Apart from `signed_data`, because hashing a file needs no keys."""

from __future__ import annotations

from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class Content:
    """Content to sign: the OID of its type, and its DER."""

    oid: str
    der: bytes
