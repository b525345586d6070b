"""Encode and parse SpcIndirectDataContent, the content of an Authenticode signature: the digest of the signed file.

Source: "Windows Authenticode Portable Executable Signature Format", sections "SpcIndirectDataContent" and
"SpcPeImageData". Where DER allows several encodings, the bytes are those of SignTool and Inf2Cat.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import lru_cache

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids, spc
from signer.errors import SignatureFormatError
from signer.pe.digest import PageHashes
from signer.pkcs7.fields import digest_algorithm, require, shortest_identifier, two_fields
from signer.records import dataclass

NO_FLAGS = bytes.fromhex("030100")
"""SpcPeImageFlags as SignTool writes them for an image."""
INCLUDE_RESOURCES = bytes.fromhex("030205a0")
"""SpcPeImageFlags as Inf2Cat and MakeCat write them for a catalog member."""

_WITH_LINK = (oids.SPC_CAB_DATA, oids.SPC_LINK)
"""Types whose value is an SpcLink."""
_EXPLICIT = 0xA0
_EMPTY_FILE = bytes.fromhex("a2028000")
_LINK = der.sequence(der.oid(oids.SPC_CAB_DATA), _EMPTY_FILE)
"""The type of a catalog member that is not an image."""
_LENGTH_OCTETS = 8 * 4
"""Maximum number of octets by which the lengths of the elements around a table of page hashes grow with its size."""
_PAGE_HASH_TYPES = {DigestAlgorithm.SHA1: oids.SPC_PAGE_HASHES_V1, DigestAlgorithm.SHA256: oids.SPC_PAGE_HASHES_V2}


_DIGEST_SIZE, _MAX_FORM_SIZE = DigestAlgorithm.SHA256.size, 256
"""Sizes in bytes of the digest in nearly all members of catalogs, and of a content without page hashes."""


@dataclass(frozen=True, slots=True)
class IndirectData:
    """The digest and the type of the file that a signature or a catalog member covers."""

    type_oid: str
    """The type of the file, of an image or a cabinet (catalogs use that of cabinets for flat files too)."""
    digest_oid: str
    digest: bytes
    page_hashes: PageHashes | None = None
    enhanced_hash: bytes | None = None
    """The digest of a cabinet's size field (cbCabinet), which Windows 8 and later add."""

    @property
    def algorithm(self) -> DigestAlgorithm | None:
        """The digest algorithm, or None if code signing doesn't use it."""
        return DigestAlgorithm.by_oid(self.digest_oid)


def for_image(
    algorithm: DigestAlgorithm, digest: bytes, page_hashes: PageHashes | None = None, *, flags: bytes = NO_FLAGS
) -> bytes:
    """Encode SpcIndirectDataContent for an image.

    Raises SignatureFormatError if the page hashes are neither SHA-1 nor SHA-256.
    """
    return _content(_file_type(page_hashes, flags), algorithm, digest)


def for_link(algorithm: DigestAlgorithm, digest: bytes) -> bytes:
    """Encode SpcIndirectDataContent for a catalog member that is not an image."""
    return _content(_LINK, algorithm, digest)


def for_cabinet(algorithm: DigestAlgorithm, digest: bytes, enhanced_hash: bytes) -> bytes:
    """Encode SpcIndirectDataContent for a cabinet. `enhanced_hash` is the digest of its size field."""
    file_type = der.sequence(der.oid(oids.SPC_LINK), _serialized(oids.ENHANCED_HASH, enhanced_hash))
    return _content(file_type, algorithm, digest)


def parse(data: bytes) -> IndirectData:
    """Parse the DER of SpcIndirectDataContent. Raises SignatureFormatError.

    SpcIndirectDataContent ::= SEQUENCE { data SpcAttributeTypeAndOptionalValue, messageDigest DigestInfo }
    DigestInfo ::= SEQUENCE { digestAlgorithm AlgorithmIdentifier, digest OCTETSTRING }
    """
    form = _form(data[:-_DIGEST_SIZE]) if len(data) < _MAX_FORM_SIZE else None
    return replace(form[0], digest=data[-_DIGEST_SIZE:]) if form is not None else _parse(data)


def parse_digest(data: bytes) -> tuple[DigestAlgorithm | None, bytes, PageHashes | None]:
    """Return algorithm, digest and page hashes of what `parse` returns, for catalogs with thousands of members.

    Raises SignatureFormatError.
    """
    form = _form(data[:-_DIGEST_SIZE]) if len(data) < _MAX_FORM_SIZE else None
    if form is not None:
        return form[1], data[-_DIGEST_SIZE:], form[0].page_hashes
    found = _parse(data)
    return found.algorithm, found.digest, found.page_hashes


# Cached: the thousands of members of a catalog differ only in the digest, which comes last.
@lru_cache(maxsize=64)
def _form(head: bytes) -> tuple[IndirectData, DigestAlgorithm | None] | None:
    """Parse a content without its last bytes, with zeros as its digest; None if they are not exactly the digest.

    Return also the digest algorithm.
    """
    try:
        found = _parse(head + bytes(_DIGEST_SIZE))
    except SignatureFormatError:
        return None
    return (found, found.algorithm) if len(found.digest) == _DIGEST_SIZE else None


def _parse(data: bytes) -> IndirectData:
    try:
        file_type, info = two_fields(data, der.expect(data, 0, der.SEQUENCE, "SpcIndirectDataContent", len(data)))
        algorithm, digest = two_fields(data, info)
        type_oid, hashes = _parse_file_type(file_type.whole(data))
        if digest.tag != der.OCTET_STRING or info.end != len(data):
            raise ValueError
        pages, enhanced = (None, hashes) if isinstance(hashes, bytes) else (hashes, None)
        return IndirectData(type_oid, digest_algorithm(data, algorithm), digest.contents(data), pages, enhanced)
    except (ValueError, TypeError) as error:
        raise SignatureFormatError("the signed content is not a valid SpcIndirectDataContent") from error


# Cached: the thousands of members of a catalog have the same few values.
@lru_cache(maxsize=64)
def _parse_file_type(data: bytes) -> tuple[str, PageHashes | bytes | None]:
    """Parse SpcAttributeTypeAndOptionalValue: the type of the file, and page hashes, enhanced hash or None.

    SpcAttributeTypeAndOptionalValue ::= SEQUENCE { type OID, value [0] EXPLICIT ANY OPTIONAL }
    Signatures in the field have no explicit tag: the value is SpcPeImageData or SpcLink itself.
    """
    usual = _usual_page_hashes(data)
    if usual is not None:
        return oids.SPC_PE_IMAGE_DATA, usual
    fields = der.first_children(data, der.expect(data, 0, der.SEQUENCE, "the type of the file"), 2)
    if not 1 <= len(fields) <= 2:
        raise ValueError
    type_oid = shortest_identifier(data, fields[0])
    return type_oid, _hashes_in(data, type_oid, fields[1]) if fields[1:] else None


def _usual_page_hashes(data: bytes) -> PageHashes | None:
    """Return the page hashes of an image if they are encoded as Microsoft's tools do, else None.

    In a catalog of images, each member has its own, and reading its elements takes several times as long.
    """
    for head, algorithm in _usual_heads(len(data)):
        if data.startswith(head):
            return PageHashes(algorithm, data[len(head) :])
    return None


@lru_cache(maxsize=256)  # images of one number of pages have the same
def _usual_heads(size: int) -> tuple[tuple[bytes, DigestAlgorithm], ...]:
    """Return what precedes the table of page hashes in encodings of `size` bytes, and the algorithm of the table."""
    found = []
    for algorithm, flags in itertools.product(_PAGE_HASH_TYPES, (INCLUDE_RESOURCES, NO_FLAGS)):
        smallest = len(_file_type(PageHashes(algorithm, b""), flags))
        for head in range(smallest, min(smallest + _LENGTH_OCTETS, size) + 1):
            if (size - head) % (4 + algorithm.size) == 0:
                encoded = _file_type(PageHashes(algorithm, bytes(size - head)), flags)
                found += [(encoded[:head], algorithm)] if len(encoded) == size else []
    return tuple(found)


def _content(file_type: bytes, algorithm: DigestAlgorithm, digest: bytes) -> bytes:
    info = der.sequence(_identifier(algorithm.oid), der.octets(digest))
    return der.sequence(file_type, info)


def _file_type(page_hashes: PageHashes | None, flags: bytes) -> bytes:
    """Encode SpcAttributeTypeAndOptionalValue for an image."""
    link = _EMPTY_FILE if page_hashes is None else _moniker(page_hashes)
    return der.sequence(der.oid(oids.SPC_PE_IMAGE_DATA), der.sequence(flags, der.explicit(0, link)))


@lru_cache(maxsize=8)
def _identifier(algorithm: str) -> bytes:
    """Encode the AlgorithmIdentifier of a digest algorithm."""
    return der.sequence(der.oid(algorithm), der.null())


def _moniker(page_hashes: PageHashes) -> bytes:
    """Encode an SpcLink with page hashes."""
    version = _PAGE_HASH_TYPES.get(page_hashes.algorithm)
    if version is None:
        raise SignatureFormatError(
            f"page hashes can't be {page_hashes.algorithm}", hint="Use SHA-1 or SHA-256 for page hashes."
        )
    return _serialized(version, page_hashes.table)


def _serialized(type_oid: str, value: bytes) -> bytes:
    """Encode an SpcLink with the moniker SET { SEQUENCE { type_oid, SET { OCTET STRING value } } }."""
    attribute = der.sequence(der.oid(type_oid), der.tlv(der.SET, der.octets(value)))
    return der.explicit(1, der.octets(oids.PAGE_HASH_CLASS), der.octets(der.tlv(der.SET, attribute)))


def _hashes_in(data: bytes, type_oid: str, value: der.Element) -> PageHashes | bytes | None:
    """Return the page hashes or the enhanced hash in the value of SpcAttributeTypeAndOptionalValue, or None.

    Raises SignatureFormatError.
    """
    if type_oid not in (oids.SPC_PE_IMAGE_DATA, *_WITH_LINK):
        return None
    link = _image_link(data, value) if type_oid == oids.SPC_PE_IMAGE_DATA else value
    found = spc.serialized_object(data, link) if link is not None else None
    return _hashes(found[1]) if found is not None and found[0] == oids.PAGE_HASH_CLASS else None


def _image_link(data: bytes, value: der.Element) -> der.Element | None:
    """Return the SpcLink of an SpcPeImageData.

    SpcPeImageData ::= SEQUENCE {
        flags SpcPeImageFlags (BIT STRING) DEFAULT { includeResources }, file [0] EXPLICIT SpcLink OPTIONAL }
    """
    fields = der.first_children(data, require(der.SEQUENCE, value, "SpcPeImageData"), 2)
    tags = [field.tag for field in fields]
    if tags not in ([], [der.BIT_STRING], [_EXPLICIT], [der.BIT_STRING, _EXPLICIT]):
        raise ValueError
    return spc.only_child(data, fields[-1]) if _EXPLICIT in tags else None


def _hashes(data: bytes) -> PageHashes | bytes | None:
    """Parse the contents of the serialized object: SET { SEQUENCE { OID, SET { OCTET STRING } } }."""
    attribute = der.expect(
        data, der.expect(data, 0, der.SET, "the page hashes' SET").body, der.SEQUENCE, "an attribute"
    )
    version, values = der.children(data, attribute)
    table = der.expect(data, values.body, der.OCTET_STRING, "the table of page hashes").contents(data)
    oid = der.read_oid(version.contents(data))
    if oid == oids.ENHANCED_HASH:
        return table
    algorithm = {oid: algorithm for algorithm, oid in _PAGE_HASH_TYPES.items()}.get(oid)
    if algorithm is None or len(table) % (4 + algorithm.size):
        raise SignatureFormatError("the page hash table has an unknown type or is truncated")
    return PageHashes(algorithm, table)
