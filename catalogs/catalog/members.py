"""Catalog members: create the trust list entries of a file, and interpret entries.

A version 2 catalog has two entries for each file, one with its SHA-1 and one with its SHA-256 digest as the tag; a
version 1 catalog has one. Sources: the output of Inf2Cat and MakeCat, and several hundred real catalogs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from catalogs.catalog.trust_list import Attribute, NameValue, TrustedSubject
from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import CatalogError, SignatureFormatError
from signer.formats.detect import detect
from signer.formats.table import CABINET, IMAGE
from signer.hashing import hash_parts
from signer.pe.digest import PageHashes, hash_image
from signer.pe.image import Image
from signer.pkcs7 import indirect_data

Kind = Literal["image", "cabinet", "flat"]
SHA1, SHA256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256

MEMBER_FLAGS = 0x10010001
"""Flags of a member's attributes: authenticated, plain text, name and value."""

_SUBJECT_GUIDS: dict[Kind, str] = {
    "image": "{C689AAB8-8E78-11D0-8C47-00C04FC295EE}",
    "cabinet": "{C689AABA-8E78-11D0-8C47-00C04FC295EE}",
    "flat": "{DE351A42-8E59-11D0-8C47-00C04FC295EE}",
}
_MEMBERINFO2: dict[Kind, bytes] = {"image": b"\x80\x00", "cabinet": b"\x81\x00", "flat": b"\x82\x00"}
_KINDS_BY_GUID = {guid: kind for kind, guid in _SUBJECT_GUIDS.items()}
_KINDS_BY_MEMBERINFO2 = {encoded: kind for kind, encoded in _MEMBERINFO2.items()}
_CERT_VERSION = 0x200


@dataclass(frozen=True, slots=True)
class HashedFile:
    """The kind and hashes of a file, as a catalog lists them."""

    kind: Kind
    digests: dict[DigestAlgorithm, bytes]
    page_hashes: dict[DigestAlgorithm, PageHashes]
    """Page hashes of an image, if requested; otherwise empty."""
    enhanced_hash: bytes | None = None
    """For a cabinet's SHA-256 entry: the SHA-256 of its size field, cbCabinet (in 22 of 22 real entries)."""


@dataclass(frozen=True, slots=True)
class CatalogMember:
    """An interpreted catalog entry."""

    tag: bytes
    kind: Kind | None
    """None if the entry does not contain it."""
    digest_algorithm: DigestAlgorithm | None
    digest: bytes | None
    page_hashes: PageHashes | None
    attributes: tuple[tuple[str, str], ...]
    """Names and values, in file order."""

    @property
    def file(self) -> str | None:
        """Value of `File`: the file name."""
        return self.attribute("File")

    @property
    def os_attribute(self) -> str | None:
        """Value of `OSAttr`: the target kernel versions, such as `2:6.1,2:10.0`."""
        return self.attribute("OSAttr")

    def attribute(self, name: str) -> str | None:
        """Return the value of an attribute (case is ignored), or None."""
        return next((value for key, value in self.attributes if key.lower() == name.lower()), None)


def hash_file(data: memoryview, *, page_hashes: bool = False) -> HashedFile:
    """Hash a file: an image without its signature and checksum, a cabinet without its signature, others whole.

    Raises ImageError and MalformedInput for images and cabinets that can't be hashed safely.
    """
    row = detect(data)
    if row is IMAGE:
        hashes = hash_image(Image.parse(data), (SHA1, SHA256), paged=(SHA1, SHA256) if page_hashes else ())
        return HashedFile("image", hashes.digests, hashes.pages)
    if row is CABINET:
        from signer.cab.cabinet import Cabinet

        cabinet = Cabinet.parse(data)
        digests = hash_parts(cabinet.hashed_ranges(), (SHA1, SHA256))
        return HashedFile("cabinet", digests, {}, SHA256.hash(cabinet.size_field))
    return HashedFile("flat", hash_parts([data], (SHA1, SHA256)), {})


def subjects(
    file: HashedFile, values: Iterable[NameValue], version: int, *, tag: bytes | None = None
) -> list[TrustedSubject]:
    """Return a file's entries for a catalog version. `tag` replaces the digest as the tag of a version 1 entry."""
    named = [(oids.CAT_NAMEVALUE, value.to_der()) for value in values]
    if version == 1:
        info = der.sequence(der.bmp_string(_SUBJECT_GUIDS[file.kind]), der.integer(_CERT_VERSION))
        own = [*named, _spc(file, SHA1), (oids.CAT_MEMBERINFO, info)]
        return [TrustedSubject.of(tag if tag is not None else text_tag(file.digests[SHA1].hex().upper()), own)]
    kind = (oids.CAT_MEMBERINFO2, _MEMBERINFO2[file.kind])
    return [
        TrustedSubject.of(file.digests[SHA1], [*named, kind]),
        TrustedSubject.of(file.digests[SHA256], [*named, kind, _spc(file, SHA256)]),
    ]


def text_tag(text: str) -> bytes:
    """Encode a version 1 tag: UTF-16-LE with a terminating NUL."""
    return (text + "\0").encode("utf-16-le", "surrogatepass")


def interpret(subject: TrustedSubject) -> CatalogMember:
    """Interpret an entry. Raises CatalogError if its digest or names are malformed."""
    try:
        return _interpret(subject)
    except SignatureFormatError as error:
        raise CatalogError(f"malformed catalog member: {error.message}") from error


def require_agreement(entries: Iterable[TrustedSubject]) -> None:
    """Reject entries with the same tag and different kinds, digests or page hashes. Raises CatalogError.

    In 93 of 93 cases in real catalogs, such entries are identical or differ only in names and releases. An entry
    without page hashes does not contradict one with page hashes.
    """
    first: dict[bytes, TrustedSubject] = {}
    for number, entry in enumerate(entries, 1):
        known = first.setdefault(entry.identifier, entry)
        if known is entry or known == entry:
            continue
        one, other = interpret(known), interpret(entry)
        pairs = {
            "kinds": (one.kind, other.kind),
            "digests": (one.digest, other.digest),
            "page hashes": (one.page_hashes, other.page_hashes),
        }
        if differing := [name for name, pair in pairs.items() if None not in pair and pair[0] != pair[1]]:
            raise CatalogError(
                f"contradictory entries: entry {number} ({other.file or 'no file name'}) has the same tag as an earlier"
                f" entry but different {' and '.join(differing)}",
                hint="Build the catalog again: Microsoft's tools do not create such catalogs.",
            )


def _interpret(subject: TrustedSubject) -> CatalogMember:
    kind: Kind | None = None
    algorithm, digest, pages = _digest_in_tag(subject.identifier)
    attributes = []
    for oid, value in subject.attributes:
        if oid == oids.CAT_NAMEVALUE:
            pair = NameValue.parse(value)
            attributes.append((pair.name, pair.value))
        elif oid == oids.SPC_INDIRECT_DATA:
            content = indirect_data.parse(value)
            algorithm, digest, pages = content.algorithm, content.digest, content.page_hashes
        elif oid == oids.CAT_MEMBERINFO2:
            kind = _KINDS_BY_MEMBERINFO2.get(value)
        elif oid == oids.CAT_MEMBERINFO:
            guid = next(der.children(value, der.read(value))).contents(value).decode("utf-16-be", "replace")
            kind = _KINDS_BY_GUID.get(guid.upper())
    return CatalogMember(subject.identifier, kind, algorithm, digest, pages, tuple(attributes))


def _digest_in_tag(tag: bytes) -> tuple[DigestAlgorithm | None, bytes | None, PageHashes | None]:
    """Return the digest in a tag, recognized by its length; the tag of a named version 1 member has none."""
    if len(tag) in (SHA1.size, SHA256.size):
        return (SHA1 if len(tag) == SHA1.size else SHA256), tag, None
    try:
        raw = bytes.fromhex(tag.decode("utf-16-le").removesuffix("\0"))
    except ValueError:
        return None, None, None
    algorithm = next((a for a in (SHA1, SHA256) if a.size == len(raw)), None)
    return (algorithm, raw, None) if algorithm else (None, None, None)


def _spc(file: HashedFile, algorithm: DigestAlgorithm) -> Attribute:
    digest, pages = file.digests[algorithm], file.page_hashes.get(algorithm)
    if file.kind == "image":
        content = indirect_data.for_image(algorithm, digest, pages, flags=indirect_data.INCLUDE_RESOURCES)
    elif file.enhanced_hash is not None and algorithm is SHA256:
        content = indirect_data.for_cabinet(algorithm, digest, file.enhanced_hash)
    else:
        content = indirect_data.for_link(algorithm, digest)
    return oids.SPC_INDIRECT_DATA, content
