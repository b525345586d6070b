"""Catalog files: a certificate trust list in SignedData. Unchanged parts are written back byte for byte.

Source: wincrypt.h, mscat.h; RFC 2315, 9; several hundred real catalogs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from catalogs.catalog.members import CatalogMember, interpret, require_agreement, require_own_tags
from catalogs.catalog.trust_list import CertificateTrustList
from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.formats.catalog import UNSIGNED_HEAD, UNSIGNED_TAIL, CatalogParts
from signer.numbers import decimal
from signer.pe.digest import PageHashes
from signer.pkcs7.content import Content
from signer.records import dataclass

if TYPE_CHECKING:
    from signer.verify.evidence import Signature


@dataclass(frozen=True)
class Catalog:
    """A catalog, signed or not. It fits `signer.verify.evidence.CatalogLookup`."""

    trust_list: CertificateTrustList
    name: str = ""
    """File name, for messages."""
    head: bytes = UNSIGNED_HEAD
    """SignedData's fields before the content, as encoded: version and digest algorithms."""
    tail: bytes = UNSIGNED_TAIL
    """SignedData's fields after the content, as encoded: certificates and signers."""

    @classmethod
    def parse(cls, data: bytes, name: str = "") -> Catalog:
        """Parse a catalog. Raises CatalogError and SignatureFormatError with the offset.

        The tag of an entry that contains a digest must be that digest. Entries may have the same tag, as for files with
        the same content, but must not contradict each other.
        """
        parts = CatalogParts.parse(data)
        trust_list = CertificateTrustList.parse(parts.trust_list)
        require_agreement(trust_list.subjects, trust_list.version)
        require_own_tags(trust_list.subjects, trust_list.version)
        return cls(trust_list, name, parts.head, parts.tail)

    def to_bytes(self) -> bytes:
        """Encode the catalog; a parsed catalog encodes to its original bytes."""
        return CatalogParts(self.trust_list.to_der(), self.head, self.tail).to_bytes()

    @property
    def version(self) -> int:
        """Catalog version: 1 or 2."""
        return self.trust_list.version

    @property
    def list_identifier(self) -> bytes:
        """16 bytes that identify the catalog."""
        return self.trust_list.list_identifier

    @property
    def this_update(self) -> datetime:
        """Creation time."""
        return self.trust_list.this_update

    @property
    def is_signed(self) -> bool:
        """True if the catalog has a signature."""
        return self.tail != UNSIGNED_TAIL

    @property
    def attributes(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the catalog attributes, in file order."""
        return tuple((pair.name, pair.value) for pair in self.trust_list.extensions)

    def attribute(self, name: str) -> str | None:
        """Return the value of a catalog attribute (case is ignored), or None."""
        return next((value for key, value in self.attributes if key.lower() == name.lower()), None)

    @property
    def hardware_ids(self) -> tuple[str, ...]:
        """Values of HWID1, HWID2, … in numeric order."""
        pairs = ((decimal(name[4:]), value) for name, value in self.attributes if name[:4].upper() == "HWID")
        numbered = [(number, value) for number, value in pairs if number is not None]
        return tuple(value for _, value in sorted(numbered, key=lambda pair: pair[0]))

    @cached_property
    def members(self) -> tuple[CatalogMember, ...]:
        """The members, in file order. Raises CatalogError."""
        return tuple(interpret(one, self.version) for one in self.trust_list.subjects)

    @cached_property
    def signed_data(self) -> bytes:
        """DER of the whole file."""
        return self.to_bytes()

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the whole file."""
        return DigestAlgorithm.SHA256.hash(self.signed_data)

    @cached_property
    def signature(self) -> Signature | None:
        """The signature of the file, read when it is first used; None without one."""
        from signer.verify.catalogs import signature_of  # building a catalog needs no cryptography

        return signature_of(self.signed_data)

    @property
    def content(self) -> Content:
        """The content that a signature of the catalog covers."""
        return Content(oids.CTL, self.trust_list.to_der())

    def unsigned(self) -> Catalog:
        """Return the catalog without its signature."""
        return replace(self, head=UNSIGNED_HEAD, tail=UNSIGNED_TAIL)

    def digest_algorithms(self) -> Iterable[DigestAlgorithm]:
        """Return the digest algorithms of the members."""
        return self._algorithms

    def page_hash_algorithms(self) -> Iterable[DigestAlgorithm]:
        """Return the algorithms of the members' page hashes."""
        return self._page_hash_algorithms

    def contains(self, digest: bytes) -> bool:
        """Tell whether a member has this digest."""
        return digest in self._by_digest

    def find(self, digest: bytes) -> CatalogMember | None:
        """Return the member with this digest, or None."""
        return self._by_digest.get(digest)

    def page_hashes(self, digest: bytes) -> PageHashes | None:
        """Return the page hashes of the member with this digest, or None. Raises CatalogError."""
        member = self.find(digest)
        return member.page_hashes if member is not None else None

    @cached_property
    def _algorithms(self) -> frozenset[DigestAlgorithm]:
        found = (member.digest_algorithm for member in self.members)
        return frozenset(one for one in found if one is not None)

    @cached_property
    def _page_hash_algorithms(self) -> frozenset[DigestAlgorithm]:
        return frozenset(member.page_hashes.algorithm for member in self.members if member.page_hashes is not None)

    @cached_property
    def _by_digest(self) -> dict[bytes, CatalogMember]:
        return {member.digest: member for member in self.members if member.digest is not None}
