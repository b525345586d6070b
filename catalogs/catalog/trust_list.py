"""The certificate trust list (CTL) in a catalog, parsed and written directly as DER.

A catalog may have tens of thousands of members and must be written back byte for byte, so members keep the values of
their attributes as DER and interpret them only on request.
Sources: wincrypt.h (CTL_INFO); RFC 5280 for extensions; several hundred real catalogs.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from datetime import datetime
from functools import lru_cache

from signer.asn1 import der, oids
from signer.asn1.alike import ByStructure
from signer.errors import CatalogError
from signer.limits import LIMITS, raising
from signer.records import dataclass

Attribute = tuple[str, bytes]
"""A member's attribute: its OID, and the DER of its single value."""

_VERSIONS = {oids.CATALOG_MEMBER_V1: 1, oids.CATALOG_MEMBER_V2: 2}
_MEMBER_OIDS = {version: oid for oid, version in _VERSIONS.items()}
_LAST_VALUES = 8
"""Number of encoded values that are kept: the entries of a file share most of theirs, with each other and the next."""
_NAME_VALUE_TAGS = (der.SEQUENCE, der.BMP_STRING, der.INTEGER, der.OCTET_STRING)
_MAX_SHORT = 129
"""Maximum size in bytes of an element whose length has one octet."""
_SUBJECT_USAGE = der.sequence(der.oid(oids.CATALOG_LIST))


class TrustedSubject:
    """An entry of the trust list.

    A new entry is kept as DER, and its attributes are read on demand: a catalog of 10,000 files has 20,000 entries,
    which processes encode and pass on.
    """

    __slots__ = ("_attributes", "_encoded", "identifier")

    def __init__(self, identifier: bytes, attributes: tuple[Attribute, ...] | None, encoded: bytes = b"") -> None:
        self.identifier = identifier
        """The tag: a raw digest in version 2; hexadecimal digits in UTF-16, or a name, in version 1."""
        self._attributes = attributes
        """None if only `_encoded` has them."""
        self._encoded = encoded
        """DER of an entry from `of`; empty for any other, such as a parsed one, which is part of the list's DER."""

    @classmethod
    def of(cls, identifier: bytes, attributes: Iterable[Attribute]) -> TrustedSubject:
        """Create an entry; its attributes are sorted as a DER SET OF."""
        values = der.set_of(_encode_attribute(*attribute) for attribute in attributes)
        return cls(identifier, None, der.sequence(der.octets(identifier), values))

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes, in the order of the DER."""
        if self._attributes is None:
            values = _parts(self._encoded)[1]
            self._attributes = tuple((oid, self._encoded[value]) for oid, value in values)
        return self._attributes

    def to_der(self) -> bytes:
        """Encode SEQUENCE { identifier OCTET STRING, attributes SET }, without sorting the attributes."""
        if self._encoded:
            return self._encoded
        attributes = (_encode_attribute(*attribute) for attribute in self.attributes)
        return der.sequence(der.octets(self.identifier), der.tlv(der.SET, *attributes))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TrustedSubject):
            return NotImplemented
        return (self.identifier, self.attributes) == (other.identifier, other.attributes)

    def __hash__(self) -> int:
        return hash((self.identifier, self.attributes))

    def __reduce__(self) -> tuple[Callable[..., TrustedSubject], tuple[object, ...]]:
        attributes = None if self._encoded else self._attributes
        return TrustedSubject, (self.identifier, attributes, self._encoded)


@dataclass(frozen=True, slots=True)
class NameValue:
    """CAT_NAMEVALUE: a named text value."""

    name: str
    flags: int
    """0x00010000 for plain text, 0x10000000 for an authenticated attribute, 1 for a name-value pair."""
    value: str

    def to_der(self) -> bytes:
        """Encode SEQUENCE { tag BMPString, flags INTEGER, value OCTET STRING }; the value is UTF-16-LE with a NUL."""
        return _encode_name_value(self.name, self.flags, self.value)

    @classmethod
    def parse(cls, data: bytes) -> NameValue:
        """Parse a CAT_NAMEVALUE. Raises CatalogError."""
        return cls(*name_flags_value(data))


@dataclass(frozen=True, slots=True)
class CertificateTrustList:
    """The trust list: the signed content of a catalog."""

    version: int
    """1 or 2; determines the tags of members."""
    list_identifier: bytes
    """16 random bytes."""
    this_update: datetime
    """Creation time; timezone-aware, in UTC."""
    subjects: tuple[TrustedSubject, ...]
    """The entries in file order, which is sorted by identifier."""
    extensions: tuple[NameValue, ...]
    """The catalog attributes, in file order."""
    encoded: bytes = field(default=b"", init=False, repr=False, compare=False)
    """Original DER of a parsed list; `dataclasses.replace` drops it."""

    def to_der(self) -> bytes:
        """Encode the list. A parsed list keeps its original DER, including parts that these fields don't represent."""
        if self.encoded:
            return self.encoded
        extensions = [der.sequence(der.oid(oids.CAT_NAMEVALUE), der.octets(e.to_der())) for e in self.extensions]
        fields = [
            _SUBJECT_USAGE,
            der.octets(self.list_identifier),
            der.time(self.this_update),
            der.sequence(der.oid(_MEMBER_OIDS[self.version]), der.null()),
            *der.enclosed(der.SEQUENCE, [subject.to_der() for subject in self.subjects]),
            *([der.explicit(0, der.sequence(*extensions))] if extensions else ()),
        ]
        return b"".join(der.enclosed(der.SEQUENCE, fields))

    @classmethod
    def parse(cls, data: bytes) -> CertificateTrustList:
        """Parse a trust list. Raises CatalogError and SignatureFormatError with the offset."""
        usage, identifier, update, algorithm, *rest = _fields(data)
        if usage.whole(data) != _SUBJECT_USAGE:
            raise CatalogError(
                "not a catalog: the usage of the trust list is not szOID_CATALOG_LIST", offset=usage.start
            )
        version = _VERSIONS.get(der.read_oid(der.read(data, algorithm.body).contents(data)))
        if version is None:
            raise CatalogError(
                "unknown catalog version: the list-member OID is neither version 1 nor version 2",
                offset=algorithm.start,
            )
        subjects = rest.pop(0) if rest and rest[0].tag == der.SEQUENCE else None
        found = cls(
            version=version,
            list_identifier=identifier.contents(data),
            this_update=der.read_time(data, update),
            subjects=tuple(_parse_subjects(data, subjects)) if subjects else (),
            extensions=tuple(_parse_extensions(data, rest)),
        )
        object.__setattr__(found, "encoded", data)
        return found


def _fields(data: bytes) -> list[der.Element]:
    fields = der.first_children(data, der.expect(data, 0, der.SEQUENCE, "a certificate trust list"), 9)
    tags = [field.tag for field in fields[:4]]
    if len(fields) < 4 or tags[:2] != [der.SEQUENCE, der.OCTET_STRING] or tags[3] != der.SEQUENCE:
        raise CatalogError("malformed trust list: unexpected fields", offset=0)
    return fields


def _parse_subjects(data: bytes, subjects: der.Element) -> list[TrustedSubject]:
    """Parse the entries."""
    found: list[TrustedSubject] = []
    limit, parts = LIMITS["catalog-entries"], ByStructure(_parts)
    attributes_of: dict[Attribute, Attribute] = {}
    shared = attributes_of.setdefault  # most entries are for the same releases and kinds of files
    for octets, (identifier, attributes) in parts.each(data, subjects.body, subjects.end):
        if len(found) == limit:
            message = f"the catalog has more than {limit:,} entries"
            raise CatalogError(message, offset=subjects.start, hint=raising("catalog-entries"))
        pairs = [shared(pair := (oid, octets[value]), pair) for oid, value in attributes]
        found.append(TrustedSubject(octets[identifier], tuple(pairs)))
    return found


def _parts(entry: bytes) -> tuple[slice, list[tuple[str, slice]]]:
    """Return the places of an entry's identifier, and of its values with their OIDs.

    Raises CatalogError and SignatureFormatError with the offset.
    """
    identifier, attributes = _pair(entry, der.read(entry), der.OCTET_STRING, der.SET)
    values, start = [], attributes.body
    for octets, (oid, first, last) in ByStructure(_attribute_parts).each(entry, start, attributes.end):
        values.append((oid, slice(start + first, start + last)))
        start += len(octets)
    return slice(identifier.body, identifier.end), values


def _attribute_parts(attribute: bytes) -> tuple[str, int, int]:
    """Return the OID of an attribute, and the place of its only value. Raises CatalogError with the offset."""
    oid, values = _pair(attribute, der.read(attribute), der.OID, der.SET)
    if der.read(attribute, values.body, values.end).end != values.end:
        raise CatalogError("malformed catalog entry: an attribute has several values", offset=values.start)
    return der.read_oid(oid.contents(attribute)), values.body, values.end


@lru_cache(maxsize=1024)  # most files of a catalog are for the same releases
def name_flags_value(data: bytes) -> tuple[str, int, str]:
    """Return the fields of a CAT_NAMEVALUE, for members of catalogs with hundreds of thousands. Raises CatalogError."""
    name, flags, value = _fields_of_short(data) or _fields_of_any(data)
    text, _ = codecs.utf_16_le_decode(value, "surrogatepass" if len(value) % 2 == 0 else "replace", True)
    decoded, _ = codecs.utf_16_be_decode(name, "replace", True)  # faster than bytes.decode
    return decoded, int.from_bytes(flags, "big"), text.removesuffix("\0")


def _fields_of_short(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return the contents of the fields of a CAT_NAMEVALUE of at most 129 bytes, or None for any other data.

    All its lengths have one octet, because a larger one leads out of the data. Catalogs may have 200,000 of them.
    """
    try:
        flags = 4 + data[3]
        value = flags + 2 + data[flags + 1]
        tags, size = (data[0], data[2], data[flags], data[value]), value + 2 + data[value + 1]
    except IndexError:
        return None
    if tags != _NAME_VALUE_TAGS or not size == len(data) == data[1] + 2 <= _MAX_SHORT:
        return None
    return data[4:flags], data[flags + 2 : value], data[value + 2 :]


def _fields_of_any(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the contents of the fields of a CAT_NAMEVALUE. Raises CatalogError and SignatureFormatError."""
    fields = der.exact_children(data, der.read(data), 3)
    if fields is None or tuple(field.tag for field in fields) != _NAME_VALUE_TAGS[1:]:
        raise CatalogError("malformed named value: expected BMPString, INTEGER, OCTET STRING")
    name, flags, value = fields
    return name.contents(data), flags.contents(data), value.contents(data)


@lru_cache(maxsize=1024)  # the two entries of a file, and many files, share attributes
@lru_cache(maxsize=_LAST_VALUES)
def _encode_name_value(name: str, flags: int, value: str) -> bytes:
    text = (value + "\0").encode("utf-16-le", "surrogatepass")
    return der.sequence(der.bmp_string(name), der.integer(flags), der.octets(text))


@lru_cache(maxsize=_LAST_VALUES)
def _encode_attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.tlv(der.SET, value))


def _parse_extensions(data: bytes, rest: list[der.Element]) -> Iterator[NameValue]:
    """Parse the catalog attributes. One identified by an OID gets the OID as its name and its value in hexadecimal."""
    if not rest:
        return
    if len(rest) > 1 or rest[0].tag != 0xA0:
        raise CatalogError("malformed trust list: unexpected fields after the members", offset=rest[0].start)
    extensions = der.expect(data, rest[0].body, der.SEQUENCE, "the catalog's attributes")
    for octets, (name, value) in ByStructure(_extension_parts).each(data, extensions.body, extensions.end):
        if name == oids.CAT_NAMEVALUE:
            yield NameValue.parse(octets[value])
        else:  # MakeCat's attributes of type 0x2 are identified by an OID
            yield NameValue(name, 0x2, octets[value].hex())


def _extension_parts(extension: bytes) -> tuple[str, slice]:
    """Return the OID and the place of the value of a catalog attribute. Raises CatalogError with the offset."""
    oid, value = _pair(extension, der.read(extension), der.OID, der.OCTET_STRING)
    return der.read_oid(oid.contents(extension)), slice(value.body, value.end)


def _pair(data: bytes, parent: der.Element, first: int, second: int) -> tuple[der.Element, der.Element]:
    """Return the two children of a SEQUENCE, which must have these tags. Raises CatalogError with the offset."""
    children = der.exact_children(data, parent, 2)
    if parent.tag != der.SEQUENCE or children is None or (children[0].tag, children[1].tag) != (first, second):
        raise CatalogError("malformed catalog entry: unexpected ASN.1 structure", offset=parent.start)
    return children[0], children[1]
