"""The certificate trust list inside a catalog, read and written directly as DER.

A catalog may have tens of thousands of members, and what is read must be written back byte for byte, so no object is
built for what nobody asks for: members keep their attributes' values as DER.
Source: wincrypt.h (CTL_INFO); RFC 5280 for extensions; several hundred real catalogs for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from signer.asn1 import der, oids
from signer.errors import CatalogError

Attribute = tuple[str, bytes]
"""A member's attribute: its type, and the DER of its one value."""

_VERSIONS = {oids.CATALOG_MEMBER_V1: 1, oids.CATALOG_MEMBER_V2: 2}
_MEMBER_OIDS = {version: oid for oid, version in _VERSIONS.items()}
_MOST_SUBJECTS = 500_000
_SUBJECT_USAGE = der.sequence(der.oid(oids.CATALOG_LIST))


@dataclass(frozen=True, slots=True)
class TrustedSubject:
    """One entry of the list."""

    identifier: bytes
    """The catalog's tag: a raw digest in version 2; in version 1 its hexadecimal digits in UTF-16, or a name."""
    attributes: tuple[Attribute, ...]
    encoded: bytes = field(default=b"", init=False, repr=False, compare=False)
    """Its DER where it was made here; one that was read has it in the list's, one that was replaced has none."""

    @classmethod
    def of(cls, identifier: bytes, attributes: Iterable[Attribute]) -> TrustedSubject:
        """A new entry, with its attributes in the order of a DER SET OF."""
        ordered = sorted((_encode_attribute(*attribute), attribute) for attribute in attributes)
        encoded = der.sequence(der.octets(identifier), der.tlv(der.SET, *(part for part, _ in ordered)))
        made = cls(identifier, tuple(attribute for _, attribute in ordered))
        object.__setattr__(made, "encoded", encoded)
        return made

    def to_der(self) -> bytes:
        """SEQUENCE { identifier OCTET STRING, SET of attributes }, in the order that they have here."""
        if self.encoded:
            return self.encoded
        attributes = (_encode_attribute(*attribute) for attribute in self.attributes)
        return der.sequence(der.octets(self.identifier), der.tlv(der.SET, *attributes))


@dataclass(frozen=True, slots=True)
class NameValue:
    """CAT_NAMEVALUE: a named text."""

    name: str
    flags: int
    """0x00010000 for plain text, 0x10000000 for an authenticated attribute, 1 for a name-value pair."""
    value: str

    def to_der(self) -> bytes:
        """SEQUENCE { tag BMPString, flags INTEGER, value OCTET STRING } with the text in UTF-16 and a NUL."""
        text = (self.value + "\0").encode("utf-16-le", "surrogatepass")
        return der.sequence(der.bmp_string(self.name), der.integer(self.flags), der.octets(text))

    @classmethod
    def parse(cls, data: bytes) -> NameValue:
        """The pair in its DER. Raises CatalogError."""
        return _parse_name_value(data)


@dataclass(frozen=True, slots=True)
class CertificateTrustList:
    """What a catalog's signature covers."""

    version: int
    """1 or 2: how members are named."""
    list_identifier: bytes
    """16 random bytes."""
    this_update: datetime
    """When it was made; aware, in UTC."""
    subjects: tuple[TrustedSubject, ...]
    """In the order of the file, which is that of their identifiers."""
    extensions: tuple[NameValue, ...]
    """The catalog's own attributes, in the order of the file."""
    encoded: bytes = field(default=b"", init=False, repr=False, compare=False)
    """What it was read from. A copy made with `replace` does not have it."""

    def to_der(self) -> bytes:
        """The DER. What `parse` read comes out as it was, with what the fields here can't say."""
        if self.encoded:
            return self.encoded
        subjects = der.sequence(*(subject.to_der() for subject in self.subjects))
        extensions = [der.sequence(der.oid(oids.CAT_NAMEVALUE), der.octets(e.to_der())) for e in self.extensions]
        return der.sequence(
            _SUBJECT_USAGE,
            der.octets(self.list_identifier),
            der.time(self.this_update),
            der.sequence(der.oid(_MEMBER_OIDS[self.version]), der.null()),
            subjects,
            *([der.explicit(0, der.sequence(*extensions))] if extensions else ()),
        )

    @classmethod
    def parse(cls, data: bytes) -> CertificateTrustList:
        """The list in its DER. Raises CatalogError, SignatureFormatError with the offset."""
        usage, identifier, update, algorithm, *rest = _fields(data)
        if usage.whole(data) != _SUBJECT_USAGE:
            raise CatalogError("a certificate trust list that is no catalog", offset=usage.start)
        version = _VERSIONS.get(der.read_oid(der.read(data, algorithm.body).contents(data)))
        if version is None:
            raise CatalogError("a catalog whose members are of an unknown kind", offset=algorithm.start)
        subjects = rest.pop(0) if rest and rest[0].tag == der.SEQUENCE else None
        found = cls(
            version=version,
            list_identifier=identifier.contents(data),
            this_update=der.read_time(data, update),
            subjects=tuple(_parse_subjects(data, subjects)) if subjects else (),
            extensions=tuple(_parse_extension(data, e) for e in _extensions(data, rest)),
        )
        object.__setattr__(found, "encoded", data)
        return found


def _fields(data: bytes) -> list[der.Element]:
    fields = der.first_children(data, der.expect(data, 0, der.SEQUENCE, "a certificate trust list"), 9)
    tags = [field.tag for field in fields[:4]]
    if len(fields) < 4 or tags[:2] != [der.SEQUENCE, der.OCTET_STRING] or tags[3] != der.SEQUENCE:
        raise CatalogError("a certificate trust list whose fields are not those of a catalog", offset=0)
    return fields


def _parse_subjects(data: bytes, subjects: der.Element) -> list[TrustedSubject]:
    """The entries; the four levels of each are walked by hand, because this is where the time goes."""
    found: list[TrustedSubject] = []
    for entry in der.children(data, subjects):
        if len(found) == _MOST_SUBJECTS:
            raise CatalogError(f"a catalog of more than {_MOST_SUBJECTS:,} entries", offset=entry.start)
        identifier, attributes = _pair(data, entry, der.OCTET_STRING, der.SET)
        values = []
        for attribute in der.children(data, attributes):
            oid, value = _pair(data, attribute, der.OID, der.SET)
            values.append((der.read_oid(oid.contents(data)), value.contents(data)))
        found.append(TrustedSubject(identifier.contents(data), tuple(values)))
    return found


@lru_cache(maxsize=1024)  # most files of a catalog are for the same releases
def _parse_name_value(data: bytes) -> NameValue:
    fields = list(der.children(data, der.read(data)))
    if [field.tag for field in fields] != [der.BMP_STRING, der.INTEGER, der.OCTET_STRING]:
        raise CatalogError("a named value that is not text, number and text")
    name, flags, value = [field.contents(data) for field in fields]
    text = value.decode("utf-16-le", "surrogatepass" if len(value) % 2 == 0 else "replace")
    return NameValue(name.decode("utf-16-be", "replace"), int.from_bytes(flags, "big"), text.removesuffix("\0"))


@lru_cache(maxsize=1024)  # the two entries of a file, and many files, have attributes in common
def _encode_attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.tlv(der.SET, value))


def _extensions(data: bytes, rest: list[der.Element]) -> list[der.Element]:
    if not rest:
        return []
    if len(rest) > 1 or rest[0].tag != 0xA0:
        raise CatalogError("a catalog with more fields than it may have", offset=rest[0].start)
    return list(der.children(data, der.expect(data, rest[0].body, der.SEQUENCE, "the catalog's attributes")))


def _parse_extension(data: bytes, extension: der.Element) -> NameValue:
    """A named value; one that an object identifier names has that for its name, and its value in hexadecimal."""
    oid, value = _pair(data, extension, der.OID, der.OCTET_STRING)
    name = der.read_oid(oid.contents(data))
    if name != oids.CAT_NAMEVALUE:  # MakeCat's attributes of the type 0x2 are named by an object identifier
        return NameValue(name, 0x2, value.contents(data).hex())
    return NameValue.parse(value.contents(data))


def _pair(data: bytes, parent: der.Element, first: int, second: int) -> tuple[der.Element, der.Element]:
    """The two children of a SEQUENCE, of these tags. Raises CatalogError with the offset."""
    children = der.two_children(data, parent)
    if parent.tag != der.SEQUENCE or children is None or (children[0].tag, children[1].tag) != (first, second):
        raise CatalogError("a catalog entry that is not what it should be", offset=parent.start)
    return children
