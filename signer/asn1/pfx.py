"""Read the iteration counts of a PFX (PKCS #12) without a password. Source: RFC 7292, 4 and 5; RFC 8018, A.2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def iterations(data: bytes) -> int:
    """Return the largest iteration count that opening a PFX, in DER or BER, takes; 0 if it can't be read.

    The counts of its MAC, its encrypted contents and its unencrypted bags with keys are considered.
    """
    from asn1crypto.pkcs12 import Pfx

    try:
        return max(_counts(Pfx.load(data)), default=0)
    except (ValueError, TypeError, KeyError):  # it is not a PFX; the caller that loads it reports this
        return 0


def _counts(pfx: Any) -> Iterator[int]:
    if pfx["mac_data"].native is not None:
        yield int(pfx["mac_data"]["iterations"])
    for content in pfx.authenticated_safe:
        if content["content_type"].native == "encrypted_data":
            yield content["content"]["encrypted_content_info"]["content_encryption_algorithm"].kdf_iterations
        elif content["content_type"].native == "data":
            yield from _bag_counts(content["content"].native)


def _bag_counts(contents: bytes) -> Iterator[int]:
    from asn1crypto.pkcs12 import SafeContents

    for bag in SafeContents.load(contents):
        if bag["bag_id"].native == "pkcs8_shrouded_key_bag":
            yield bag["bag_value"]["encryption_algorithm"].kdf_iterations
