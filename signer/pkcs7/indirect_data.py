"""Encode and parse SpcIndirectDataContent, the content of an Authenticode signature: the digest of the signed file.

Source: "Windows Authenticode Portable Executable Signature Format", sections "SpcIndirectDataContent" and
"SpcPeImageData". Where DER allows several encodings, the bytes are those of SignTool and Inf2Cat.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.spc import explicit, read_link
from signer.errors import SignatureFormatError
from signer.pe.digest import PageHashes
from signer.pkcs7.fields import fields, object_identifier, optional

NO_FLAGS = bytes.fromhex("030100")
"""SpcPeImageFlags as SignTool writes them for an image."""
INCLUDE_RESOURCES = bytes.fromhex("030205a0")
"""SpcPeImageFlags as Inf2Cat and MakeCat write them for a catalog member."""

_WITH_LINK = (oids.SPC_CAB_DATA, oids.SPC_LINK)
"""Types whose value is an SpcLink."""
_FILE = 0xA0
_EMPTY_FILE = bytes.fromhex("a2028000")
_PAGE_HASH_TYPES = {DigestAlgorithm.SHA1: oids.SPC_PAGE_HASHES_V1, DigestAlgorithm.SHA256: oids.SPC_PAGE_HASHES_V2}


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
    link = _EMPTY_FILE if page_hashes is None else _moniker(page_hashes)
    return _content(oids.SPC_PE_IMAGE_DATA, der.sequence(flags, der.explicit(0, link)), algorithm, digest)


def for_link(algorithm: DigestAlgorithm, digest: bytes) -> bytes:
    """Encode SpcIndirectDataContent for a catalog member that is not an image."""
    return _content(oids.SPC_CAB_DATA, _EMPTY_FILE, algorithm, digest)


def for_cabinet(algorithm: DigestAlgorithm, digest: bytes, enhanced_hash: bytes) -> bytes:
    """Encode SpcIndirectDataContent for a cabinet. `enhanced_hash` is the digest of its size field."""
    return _content(oids.SPC_LINK, _serialized(oids.ENHANCED_HASH, enhanced_hash), algorithm, digest)


def parse(data: bytes) -> IndirectData:
    """Parse the DER of SpcIndirectDataContent. Raises SignatureFormatError.

    SpcIndirectDataContent ::= SEQUENCE { data SpcAttributeTypeAndOptionalValue, messageDigest DigestInfo }
    DigestInfo ::= SEQUENCE { digestAlgorithm AlgorithmIdentifier, digest OCTETSTRING }
    """
    try:
        file_type, info = _two(data, der.expect(data, 0, der.SEQUENCE, "SpcIndirectDataContent", len(data)))
        algorithm, digest = _two(data, info)
        type_oid, hashes = _parse_file_type(file_type.whole(data))
        if digest.tag != der.OCTET_STRING or info.end != len(data):
            raise ValueError
        pages, enhanced = (None, hashes) if isinstance(hashes, bytes) else (hashes, None)
        return IndirectData(type_oid, _algorithm(algorithm.whole(data)), digest.contents(data), pages, enhanced)
    except ValueError as error:
        raise SignatureFormatError("the signed content is not a valid SpcIndirectDataContent") from error


def _two(data: bytes, parent: der.Element) -> tuple[der.Element, der.Element]:
    children = der.two_children(data, parent)
    if children is None:
        raise ValueError
    return children


# Cached: the thousands of members of a catalog have the same few values.
@lru_cache(maxsize=64)
def _parse_file_type(data: bytes) -> tuple[str, PageHashes | bytes | None]:
    """Parse the type of the file, and page hashes, enhanced hash or None.

    SpcAttributeTypeAndOptionalValue ::= SEQUENCE { type ObjectID, value [0] EXPLICIT ANY OPTIONAL }
    Signatures in the field have no explicit tag: the value is SpcPeImageData or SpcLink itself.
    """
    file_type, *value = fields(data, der.expect(data, 0, der.SEQUENCE, "the type of the file"), 1)
    if len(value) > 1:
        raise ValueError
    type_oid = object_identifier(data, file_type)
    return type_oid, _hashes_in(type_oid, value[0].whole(data)) if value else None


@lru_cache(maxsize=64)
def _algorithm(data: bytes) -> str:
    """Return the object identifier in the DER of an AlgorithmIdentifier, which may have parameters."""
    oid, *parameters = fields(data, der.expect(data, 0, der.SEQUENCE, "an algorithm"), 1)
    if len(parameters) > 1:
        raise ValueError
    return object_identifier(data, oid)


def _content(type_oid: str, value: bytes, algorithm: DigestAlgorithm, digest: bytes) -> bytes:
    info = der.sequence(der.sequence(der.oid(algorithm.oid), der.null()), der.octets(digest))
    return der.sequence(der.sequence(der.oid(type_oid), value), info)


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
    if type_oid not in (oids.SPC_PE_IMAGE_DATA, *_WITH_LINK):
        return None
    link = _link_of_image(value) if type_oid == oids.SPC_PE_IMAGE_DATA else der.read(value)
    found = read_link(value, link) if link is not None else ""
    if isinstance(found, str) or found[0] != oids.PAGE_HASH_CLASS:
        return None
    data = found[1]
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


def _link_of_image(value: bytes) -> der.Element | None:
    """Return the SpcLink in SpcPeImageData (section "SpcPeImageData"), or None. Raises SignatureFormatError.

    SpcPeImageData ::= SEQUENCE {
        flags SpcPeImageFlags DEFAULT { includeResources }, file [0] EXPLICIT SpcLink OPTIONAL }
    """
    image = der.expect(value, 0, der.SEQUENCE, "SpcPeImageData")
    _, file = optional(list(der.children(value, image)), der.BIT_STRING, _FILE)
    return explicit(value, file) if file is not None else None
