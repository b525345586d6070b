"""Sign and read catalogs: SignedData over a certificate trust list. The package `catalogs` interprets the list.

The signature of a catalog covers the list, and the digest of a catalog is that of the list.
Source: wincrypt.h, mscat.h; RFC 2315, 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.der_check import require_der
from signer.errors import CatalogError, DigestChanged, SignatureFormatError, SigningError
from signer.formats.format import FileHashes
from signer.numbers import counted
from signer.pkcs7.content import Content
from signer.records import dataclass
from signer.storage.patching import PatchSet

UNSIGNED_HEAD = der.integer(1) + der.tlv(der.SET)
UNSIGNED_TAIL = der.tlv(der.SET)


@dataclass(frozen=True, slots=True)
class CatalogParts:
    """The three parts of a catalog in DER."""

    trust_list: bytes
    """CertificateTrustList, the signed content."""
    head: bytes = UNSIGNED_HEAD
    """SignedData's fields before the content: version and digest algorithms."""
    tail: bytes = UNSIGNED_TAIL
    """SignedData's fields after the content: certificates and signers."""

    @classmethod
    def parse(cls, data: bytes) -> CatalogParts:
        """Split a catalog. Raises CatalogError and SignatureFormatError, naming the offset."""
        if data[:1] and data[0] != der.SEQUENCE:
            raise SignatureFormatError(f"not a catalog: the file begins with 0x{data[0]:02x}, not with 0x30", offset=0)
        whole = der.expect(data, 0, der.SEQUENCE, "a catalog")
        if whole.end != len(data):
            raise SignatureFormatError(
                f"the catalog is followed by {counted(len(data) - whole.end, 'extra byte')}", offset=whole.end
            )
        oid, wrapped = _two(data, whole)
        if oid.whole(data) != der.oid(oids.SIGNED_DATA):
            raise CatalogError("not a catalog: the file is not PKCS #7 SignedData", offset=0)
        signed_data = _explicit(data, wrapped, "SignedData")
        fields = der.first_children(data, signed_data, 6)
        if not 4 <= len(fields) <= 6 or fields[2].tag != der.SEQUENCE:
            raise SignatureFormatError("malformed SignedData: unexpected fields", offset=signed_data.start)
        kind, content = _two(data, fields[2])
        if kind.whole(data) != der.oid(oids.CTL):
            raise CatalogError("not a catalog: the signed content is not a certificate trust list", offset=kind.start)
        trust_list = _explicit(data, content, "the certificate trust list")
        for field in fields[3:]:  # not the list: it is the largest part, and its reader checks it
            _require_der_field(data, field)
        head = data[fields[0].start : fields[1].end]
        return cls(trust_list.whole(data), head, data[fields[3].start : signed_data.end])

    def to_bytes(self) -> bytes:
        """Return the catalog file. It has the same bytes that `parse` read."""
        content = _content_info(oids.CTL, [self.trust_list])
        signed_data = der.enclosed(der.SEQUENCE, [self.head, *content, self.tail])
        return b"".join(_content_info(oids.SIGNED_DATA, signed_data))

    @property
    def is_signed(self) -> bool:
        """Whether there are signers or certificates."""
        return self.tail != UNSIGNED_TAIL


class CatalogFormat:
    """A catalog. Fits `Format`; its one signature is the whole file."""

    def __init__(self, data: memoryview | bytes) -> None:
        self._parts = CatalogParts.parse(bytes(data))

    @property
    def is_signed(self) -> bool:
        """Whether the catalog has a signer."""
        return self._parts.is_signed

    def signatures(self) -> list[bytes]:
        """List the file itself, if it is signed."""
        return [self._parts.to_bytes()] if self.is_signed else []

    def hash(
        self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = (), to_change: bool = False
    ) -> FileHashes:
        """Hash the trust list without its own tag and length, as messageDigest does (RFC 2315, 9.3)."""
        require_der(self._parts.trust_list)
        octets = der.read(self._parts.trust_list).contents(self._parts.trust_list)
        return FileHashes({algorithm: algorithm.hash(octets) for algorithm in algorithms})

    def content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> Content:
        """Return the trust list, the same for all digest algorithms."""
        return Content(oids.CTL, self._parts.trust_list)

    def signed_digest(self, signature: bytes) -> tuple[DigestAlgorithm, bytes]:
        """Read the digest of the trust list in a signature."""
        from signer.pkcs7.parse import parse

        parsed = parse(signature)
        if parsed.content_type != oids.CTL:
            raise SigningError(
                f"not the signature of a catalog but of {oids.name_of(parsed.content_type)}",
                hint="A catalog's signature is the signed catalog itself.",
            )
        algorithm = parsed.signers[0].digest_algorithm if parsed.signers else None
        if algorithm is None:
            raise SignatureFormatError("the catalog's signature has no signer with a known digest algorithm")
        return algorithm, algorithm.hash(parsed.content_octets)

    def with_signatures(self, signatures: Sequence[bytes]) -> PatchSet:
        """Replace the file by its signature, or by the unsigned list. Raises DigestChanged for a different list."""
        parts = CatalogParts.parse(signatures[0]) if signatures else CatalogParts(self._parts.trust_list)
        if parts.trust_list != self._parts.trust_list:
            raise DigestChanged("catalog")
        result = parts.to_bytes()
        return PatchSet(((0, result),), len(result))


def _content_info(content_type: str, content: Sequence[bytes]) -> list[bytes]:
    """Return the pieces of a ContentInfo: SEQUENCE { contentType, content [0] EXPLICIT }."""
    return der.enclosed(der.SEQUENCE, [der.oid(content_type), *der.enclosed(0xA0, content)])


def _explicit(data: bytes, wrapped: der.Element, name: str) -> der.Element:
    """Return the SEQUENCE in an explicit tag [0], which is all that the tag contains."""
    der.expect(data, wrapped.start, 0xA0, f"the explicit tag of {name}", wrapped.end)
    inner = der.expect(data, wrapped.body, der.SEQUENCE, name, wrapped.end)
    if inner.end != wrapped.end:
        raise SignatureFormatError(
            f"{name} is followed by {counted(wrapped.end - inner.end, 'extra byte')}", offset=inner.end
        )
    return inner


def _two(data: bytes, parent: der.Element) -> tuple[der.Element, der.Element]:
    children = der.first_children(data, parent, 2)
    if len(children) != 2:
        raise SignatureFormatError(
            f"a SEQUENCE has {counted(len(children), 'element')} instead of 2", offset=parent.start
        )
    return children[0], children[1]


def _require_der_field(data: bytes, field: der.Element) -> None:
    """Raise SignatureFormatError with the offset in the catalog unless the field is DER."""
    try:
        require_der(field.whole(data))
    except SignatureFormatError as error:
        if error.offset is not None:
            error.offset += field.start
        raise
