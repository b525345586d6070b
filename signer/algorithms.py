"""The digest algorithms of code signing: names, object identifiers, sizes, and which ones new signatures may use."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from enum import Enum
from typing import TYPE_CHECKING

from signer.errors import UsageError

if TYPE_CHECKING:
    from hashlib import _Hash

    from cryptography.hazmat.primitives.hashes import HashAlgorithm


def in_order(algorithms: Collection[DigestAlgorithm]) -> list[DigestAlgorithm]:
    """Return distinct algorithms in the order of `DigestAlgorithm`: that of a set differs between processes."""
    return [one for one in DigestAlgorithm if one in algorithms]


class DigestAlgorithm(Enum):
    """A digest algorithm: name, OID, digest size in bytes, and whether new signatures may use it without a warning."""

    MD5 = ("md5", "1.2.840.113549.2.5", 16, False)
    SHA1 = ("sha1", "1.3.14.3.2.26", 20, False)
    SHA256 = ("sha256", "2.16.840.1.101.3.4.2.1", 32, True)
    SHA384 = ("sha384", "2.16.840.1.101.3.4.2.2", 48, True)
    SHA512 = ("sha512", "2.16.840.1.101.3.4.2.3", 64, True)

    def __init__(self, label: str, oid: str, size: int, modern: bool) -> None:
        self.label = label
        self.oid = oid
        self.size = size
        self.modern = modern

    def __str__(self) -> str:
        return self.label

    def new(self, data: bytes | memoryview = b"") -> _Hash:
        """Return a new hashlib object that has been updated with `data`."""
        found: _Hash = getattr(hashlib, self.label)(data, usedforsecurity=False)  # faster than hashlib.new
        return found

    def hash(self, data: bytes | memoryview) -> bytes:
        """Return the digest of `data`."""
        return self.new(data).digest()

    def for_cryptography(self) -> HashAlgorithm:
        """Return the corresponding hash object of the `cryptography` package."""
        from cryptography.hazmat.primitives import hashes

        algorithm: HashAlgorithm = getattr(hashes, self.label.upper())()
        return algorithm

    @classmethod
    def named(cls, name: str) -> DigestAlgorithm:
        """Return the algorithm called `name`, such as "sha256" or "SHA-256". Raises UsageError for an unknown name."""
        wanted = name.lower().replace("-", "")
        for algorithm in cls:
            if algorithm.label == wanted:
                return algorithm
        known = ", ".join(a.label for a in cls if a is not cls.MD5)
        raise UsageError(f"unknown digest algorithm {name!r}", hint=f"Choose one of {known}.")

    @classmethod
    def by_oid(cls, oid: str) -> DigestAlgorithm | None:
        """Return the algorithm with this object identifier, or None if code signing doesn't use it."""
        return _BY_OID.get(oid)


_BY_OID = {algorithm.oid: algorithm for algorithm in DigestAlgorithm}
