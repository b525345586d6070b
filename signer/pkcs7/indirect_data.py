"""Encode and parse SpcIndirectDataContent, the content of an Authenticode signature: the digest of the signed file.

Source: "Windows Authenticode Portable Executable Signature Format", sections "SpcIndirectDataContent" and
"SpcPeImageData". Where DER allows several encodings, the bytes are those of SignTool and Inf2Cat.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pe.digest import PageHashes
from signer.pkcs7.fields import object_identifier, require
from signer.records import dataclass

NO_FLAGS = bytes.fromhex("030100")
"""SpcPeImageFlags as SignTool writes them for an image."""
INCLUDE_RESOURCES = bytes.fromhex("030205a0")
"""SpcPeImageFlags as Inf2Cat and MakeCat write them for a catalog member."""

_WITH_LINK = (oids.SPC_CAB_DATA, oids.SPC_LINK)
"""Types whose value is an SpcLink."""
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
    if form is None:
        return _parse(data)
    return IndirectData(form.type_oid, form.digest_oid, data[-_DIGEST_SIZE:], form.page_hashes, form.enhanced_hash)


# Cached: the thousands of members of a catalog differ only in the digest, which comes last.
@lru_cache(maxsize=64)
def _form(head: bytes) -> IndirectData | None:
    """Parse a content without its last bytes, with zeros as its digest; None if they are not exactly the digest."""
    try:
        found = _parse(head + bytes(_DIGEST_SIZE))
    except SignatureFormatError:
        return None
    return found if len(found.digest) == _DIGEST_SIZE else None


def _parse(data: bytes) -> IndirectData:
    try:
        file_type, info = _two(data, der.expect(data, 0, der.SEQUENCE, "SpcIndirectDataContent", len(data)))
        algorithm, digest = _two(data, info)
        type_oid, hashes = _parse_file_type(file_type.whole(data))
        if digest.tag != der.OCTET_STRING or info.end != len(data):
            raise ValueError
        pages, enhanced = (None, hashes) if isinstance(hashes, bytes) else (hashes, None)
        return IndirectData(type_oid, _algorithm(data, algorithm), digest.contents(data), pages, enhanced)
    except (ValueError, TypeError) as error:
        raise SignatureFormatError("the signed content is not a valid SpcIndirectDataContent") from error


def _two(data: bytes, parent: der.Element) -> tuple[der.Element, der.Element]:
    children = der.two_children(data, parent)
    if children is None:
        raise ValueError
    return children


# Cached: the thousands of members of a catalog have the same few values.
@lru_cache(maxsize=64)
def _parse_file_type(data: bytes) -> tuple[str, PageHashes | bytes | None]:
    """Parse SpcAttributeTypeAndOptionalValue: the type of the file, and page hashes, enhanced hash or None."""
    usual = _usual_page_hashes(data)
    if usual is not None:
        return oids.SPC_PE_IMAGE_DATA, usual
    from signer.asn1.spc import SpcAttributeTypeAndOptionalValue

    attribute = SpcAttributeTypeAndOptionalValue.load(data, strict=True)
    type_oid = attribute["type"].dotted
    return type_oid, _hashes_in(type_oid, attribute["value"].dump())


def _usual_page_hashes(data: bytes) -> PageHashes | None:
    """Return the page hashes of an image if they are encoded as Microsoft's tools do, else None.

    In a catalog of images, each member has its own, and asn1crypto needs six times as long for them.
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


def _algorithm(data: bytes, element: der.Element) -> str:
    """Return the object identifier of an AlgorithmIdentifier."""
    parts = der.first_children(data, require(der.SEQUENCE, element, "an algorithm"), 2)
    if not 1 <= len(parts) <= 2:
        raise ValueError
    return object_identifier(data, parts[0])


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


def _hashes_in(type_oid: str, value: bytes) -> PageHashes | bytes | None:
    """Return the page hashes or the enhanced hash in the value of SpcAttributeTypeAndOptionalValue, or None.

    Raises SignatureFormatError.
    """
    if not value or type_oid not in (oids.SPC_PE_IMAGE_DATA, *_WITH_LINK):
        return None
    from asn1crypto.core import Void

    from signer.asn1.spc import SpcLink, SpcPeImageData

    link = SpcPeImageData.load(value)["file"] if type_oid == oids.SPC_PE_IMAGE_DATA else SpcLink.load(value)
    if isinstance(link, Void) or link.name != "moniker" or link.chosen["class_id"].native != oids.PAGE_HASH_CLASS:
        return None
    data = link.chosen["serialized_data"].native
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
