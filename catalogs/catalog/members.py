"""Catalog members: create the trust list entries of a file, and interpret entries.

A version 2 catalog has two entries for each file, one with its SHA-1 and one with its SHA-256 digest as the tag; a
version 1 catalog has one. Sources: the output of Inf2Cat and MakeCat, and several hundred real catalogs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from catalogs.catalog.trust_list import Attribute, NameValue, TrustedSubject, name_flags_value
from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import CatalogError, SignatureFormatError
from signer.formats import table
from signer.formats.detect import detect
from signer.formats.table import MemberType
from signer.hashing import hash_parts
from signer.pe.digest import PageHashes
from signer.pkcs7 import indirect_data
from signer.records import dataclass

SHA1, SHA256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256
_ALGORITHMS = (SHA1, SHA256)
_BY_SIZE = {algorithm.size: algorithm for algorithm in _ALGORITHMS}
_Digest = tuple[DigestAlgorithm | None, bytes | None, PageHashes | None]

MEMBER_FLAGS = 0x10010001
"""Flags of a member's attributes: authenticated, plain text, name and value."""

FLAT = MemberType("{DE351A42-8E59-11D0-8C47-00C04FC295EE}", b"\x82\x00")
"""A file without a format of its own, listed by the hash of all its bytes."""
_CERT_VERSION = 0x200
_REBUILD = "Build the catalog again: Microsoft's tools do not create such catalogs."


@dataclass(frozen=True, slots=True)
class HashedFile:
    """The kind and hashes of a file, as a catalog lists them."""

    kind: str
    """The name of its format; `flat` for a file without one."""
    type: MemberType
    digests: dict[DigestAlgorithm, bytes]
    contents: dict[DigestAlgorithm, bytes]
    """SpcIndirectDataContent with each digest, in DER, with page hashes of this algorithm if requested."""


class CatalogMember(NamedTuple):
    """An interpreted catalog entry."""

    tag: bytes
    kind: str | None
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


def content_algorithm(version: int) -> DigestAlgorithm:
    """Return the algorithm of the digest and of the page hashes in the content of entries of a catalog version."""
    return SHA1 if version == 1 else SHA256


def hash_file(data: memoryview, *, page_hashes: DigestAlgorithm | None = None) -> HashedFile:
    """Hash a file: an image without its signature and checksum, a cabinet without its signature, others whole.

    `page_hashes` is the algorithm of an image's page hashes; None to compute none. Raises ImageError and MalformedInput
    for images and cabinets that can't be hashed safely.
    """
    row = detect(data)
    if row is None or row.load_subject is None or row.member_type is None:
        digests = hash_parts([data], _ALGORITHMS)
        contents = {one: indirect_data.for_link(one, digests[one]) for one in _ALGORITHMS}
        return HashedFile("flat", FLAT, digests, contents)
    subject = row.load_subject()(data)
    hashes = subject.hash(_ALGORITHMS, paged=(page_hashes,) if page_hashes and row.features.page_hashes else ())
    contents = {one: subject.member_content(hashes, one) for one in _ALGORITHMS}
    return HashedFile(row.name, row.member_type, hashes.digests, contents)


def subjects(
    file: HashedFile, values: Iterable[NameValue], version: int, *, tag: bytes | None = None
) -> list[TrustedSubject]:
    """Return a file's entries for a catalog version. `tag` replaces the digest as the tag of a version 1 entry."""
    named = [(oids.CAT_NAMEVALUE, value.to_der()) for value in values]
    if version == 1:
        info = der.sequence(der.bmp_string(file.type.guid), der.integer(_CERT_VERSION))
        own = [*named, (oids.SPC_INDIRECT_DATA, file.contents[SHA1]), (oids.CAT_MEMBERINFO, info)]
        return [TrustedSubject.of(tag if tag is not None else text_tag(file.digests[SHA1].hex().upper()), own)]
    kind = (oids.CAT_MEMBERINFO2, file.type.choice)
    return [
        TrustedSubject.of(file.digests[SHA1], [*named, kind]),
        TrustedSubject.of(file.digests[SHA256], [*named, kind, (oids.SPC_INDIRECT_DATA, file.contents[SHA256])]),
    ]


def text_tag(text: str) -> bytes:
    """Encode a version 1 tag: UTF-16-LE with a terminating NUL."""
    return (text + "\0").encode("utf-16-le", "surrogatepass")


def interpret(subject: TrustedSubject, version: int) -> CatalogMember:
    """Interpret an entry of a catalog of this version. Raises CatalogError if its digest or names are malformed."""
    try:
        kind, (algorithm, digest, pages), attributes = _parts_of(subject, version)
    except SignatureFormatError as error:
        raise CatalogError(f"malformed catalog member: {error.message}") from error
    return CatalogMember(subject.identifier, kind, algorithm, digest, pages, attributes)


def require_agreement(entries: Iterable[TrustedSubject], version: int) -> None:
    """Reject entries with the same tag and different kinds, digests or page hashes. Raises CatalogError.

    In 93 of 93 cases in real catalogs, such entries are identical or differ only in names and releases. An entry
    without page hashes does not contradict one with page hashes.
    """
    first: dict[bytes, TrustedSubject] = {}
    interpreted: dict[bytes, CatalogMember] = {}
    for number, entry in enumerate(entries, 1):
        known = first.setdefault(entry.identifier, entry)
        if known is entry or _facts_of(known) == _facts_of(entry):
            continue
        if entry.identifier not in interpreted:
            interpreted[entry.identifier] = interpret(known, version)
        one, other = interpreted[entry.identifier], interpret(entry, version)
        pairs = {
            "kinds": (one.kind, other.kind),
            "digests": (one.digest, other.digest),
            "page hashes": (one.page_hashes, other.page_hashes),
        }
        if differing := [name for name, pair in pairs.items() if None not in pair and pair[0] != pair[1]]:
            raise CatalogError(
                f"contradictory entries: entry {number} ({other.file or 'no file name'}) has the same tag as an earlier"
                f" entry but different {' and '.join(differing)}",
                hint=_REBUILD,
            )


def _facts_of(entry: TrustedSubject) -> list[Attribute]:
    """Return the attributes of an entry that do not name the file or its releases."""
    return [attribute for attribute in entry.attributes if attribute[0] != oids.CAT_NAMEVALUE]


def require_own_tags(entries: Iterable[TrustedSubject], version: int) -> None:
    """Reject an entry that contains a digest and has another one as its tag. Raises CatalogError.

    Windows looks members up by tag. Only a version 1 entry can have a name as its tag.
    """
    for number, entry in enumerate(entries, 1):
        contents = [value for oid, value in entry.attributes if oid == oids.SPC_INDIRECT_DATA]
        if len(contents) > 1:
            message = f"entry {number} ({interpret(entry, version).file or 'no file name'}) contains several digests"
            raise CatalogError(message, hint=_REBUILD)
        digest = _digest_in_text(entry.identifier) if version == 1 else entry.identifier
        if contents and digest is not None and not contents[0].endswith(der.octets(digest)):
            name = interpret(entry, version).file or "no file name"
            raise CatalogError(
                f"the tag of entry {number} ({name}) differs from the digest in it",
                hint=_REBUILD,
            )


def _parts_of(subject: TrustedSubject, version: int) -> tuple[str | None, _Digest, tuple[tuple[str, str], ...]]:
    """Return the kind, the digest, and names and values of an entry. Raises SignatureFormatError, CatalogError."""
    kind: str | None = None
    digest: _Digest | None = None
    attributes = []
    for oid, value in subject.attributes:
        if oid == oids.CAT_NAMEVALUE:
            name, _, text = name_flags_value(value)
            attributes.append((name, text))
        elif oid == oids.SPC_INDIRECT_DATA:
            digest = indirect_data.parse_digest(value)
        elif oid == oids.CAT_MEMBERINFO2:
            kind = _kind(value)
        elif oid == oids.CAT_MEMBERINFO:
            info = der.read(value)
            guid = der.read(value, info.body, info.end).contents(value).decode("utf-16-be", "replace")
            kind = _kind(guid.upper())
    return kind, digest or _digest_in_tag(subject.identifier, version), tuple(attributes)


def _digest_in_tag(tag: bytes, version: int) -> _Digest:
    """Return the digest in a tag, recognized by its length; the tag of a named version 1 member has none."""
    digest = _digest_in_text(tag) if version == 1 else tag
    algorithm = _BY_SIZE.get(len(digest)) if digest is not None else None
    return (algorithm, digest, None) if algorithm is not None else (None, None, None)


def _digest_in_text(tag: bytes) -> bytes | None:
    """Return the digest whose hexadecimal digits are a version 1 tag, or None for a name."""
    try:
        raw = bytes.fromhex(tag.decode("utf-16-le").removesuffix("\0"))
    except ValueError:
        return None
    return raw if len(raw) in _BY_SIZE else None


@lru_cache(maxsize=64)
def _kind(named: str | bytes) -> str | None:
    """Return the name of the format that a catalog names by GUID or CAT_MEMBERINFO2; None where it is unknown."""
    types = {row.name: row.member_type for row in table.TABLE if row.member_type is not None}
    return next((name for name, one in {**types, "flat": FLAT}.items() if named in (one.guid, one.choice)), None)
