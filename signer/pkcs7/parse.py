"""Parse Authenticode SignedData, and keep the bytes that were hashed.

Source: RFC 2315, 9; "Windows Authenticode Portable Executable Signature Format", section "Overview of PKCS #7
SignedData Structures". Parses only the structure; `signer.verify` checks digests and signatures.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import cached_property

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.certificate import certificate_names
from signer.asn1.der_check import require_der
from signer.certificates import encoded, extensions, load_der, serial_number
from signer.errors import CertificateError, NotDerError, SignatureFormatError
from signer.pkcs7.fields import algorithm, content_info, fields, number, object_identifier, require
from signer.pkcs7.structure import Structure, check_structure
from signer.records import dataclass

_CERTIFICATES, _CRLS = 0xA0, 0xA1
_KEY_IDENTIFIER, _SIGNED_ATTRIBUTES, _UNSIGNED_ATTRIBUTES = 0x80, 0xA0, 0xA1
_OTHER_CERTIFICATES = range(0xA0, 0xA4)
_MAX_FIELDS = 6
"""SignedData has version, digest algorithms, content, certificates, revocation lists and signers."""
_MAX_SINGLE_PASS, _MAX_PART, MAX_PARTS = 100_000, 500_000, 1000
"""Maximum number of elements in the quick single pass, of elements in a certificate or attribute value, and of these.

Signatures in the field have a few thousand elements, but timestamps can contain long revocation lists.
"""


@dataclass(frozen=True)
class ParsedSignerInfo:
    """A parsed SignerInfo."""

    version: int
    issuer: bytes | None
    """The DER of the issuer of the signer's certificate; None if a key identifier names the signer."""
    serial: int | None
    key_identifier: bytes | None
    digest_oid: str
    signed_attributes: Mapping[str, tuple[bytes, ...]]
    """The DER of each value, by attribute type."""
    signed_attributes_der: bytes
    """The signed attributes as the SET OF that is hashed; empty if the signer has none."""
    signature_algorithm: bytes
    """The DER of the AlgorithmIdentifier of the signature."""
    signature: bytes
    unsigned_attributes: Mapping[str, tuple[bytes, ...]]

    @property
    def digest_algorithm(self) -> DigestAlgorithm | None:
        """The digest algorithm of the content and the attributes, or None if code signing doesn't use it."""
        return DigestAlgorithm.by_oid(self.digest_oid)

    def signed(self, oid: str) -> bytes | None:
        """Return the DER of the first value of a signed attribute, or None."""
        return next(iter(self.signed_attributes.get(oid, ())), None)

    def signed_by(self, certificate: x509.Certificate) -> bool:
        """Return whether this SignerInfo names `certificate` as the signer's."""
        if self.issuer is None:
            return self.key_identifier is not None and self.key_identifier == _key_identifier(certificate)
        if serial_number(certificate) != self.serial:
            return False  # the quick test first: the next one encodes the certificate
        return certificate_names(encoded(certificate)) == (self.issuer, self.serial)


@dataclass(frozen=True)
class ParsedSignedData:
    """Parsed SignedData, with all parts as they were encoded."""

    version: int
    digest_oids: tuple[str, ...]
    content_type: str
    content: bytes
    """The DER of the content, with tag and length; empty for a detached signature."""
    certificates_der: tuple[bytes, ...]
    signers: tuple[ParsedSignerInfo, ...]
    structure: Structure
    """Deviations from the definition of SignedData."""

    @property
    def content_octets(self) -> bytes:
        """The bytes that messageDigest covers: the content without its tag and length (RFC 2315, 9.3)."""
        return der.read(self.content).contents(self.content) if self.content else b""

    @property
    def inner_content(self) -> bytes:
        """The DER of the content itself, without the OCTET STRING that CMS adds to it (RFC 5652, 5.2.1)."""
        return self.content_octets if self.content[:1] == bytes((der.OCTET_STRING,)) else self.content

    @cached_property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The certificates that can be parsed, in order. `certificate_of` reports a malformed signer certificate."""
        found = []
        for data in self.certificates_der:
            try:
                found.append(load_der(data))
            except CertificateError:  # it can't be the issuer of another certificate
                continue
        return tuple(found)

    def certificate_of(self, signer: ParsedSignerInfo) -> x509.Certificate | None:
        """Return the certificate that a signer names, or None if it is missing. Raises CertificateError."""
        if signer.issuer is None:
            return next((found for found in self.certificates if signer.signed_by(found)), None)
        for data in self.certificates_der:
            if signer.issuer in data and _names_of(data) == (signer.issuer, signer.serial):  # the quick test first
                return load_der(data)
        return None


def parse(data: bytes) -> ParsedSignedData:
    """Parse a ContentInfo with SignedData from DER. Raises SignatureFormatError, also for extra bytes behind it.

    All parts are slices of `data`: a certificate or an attribute that was encoded again could differ from the file's.
    """
    _require_sound(data)
    content_type, wrapped = content_info(data, der.expect(data, 0, der.SEQUENCE, "a ContentInfo"))
    if content_type != oids.SIGNED_DATA:
        raise SignatureFormatError(f"the content type is {oids.name_of(content_type)}, not signed data", offset=0)
    if wrapped is None or wrapped.tag != der.SEQUENCE:
        raise SignatureFormatError("the ContentInfo has no SignedData", offset=0)
    version, digests, encapsulated, *rest = fields(data, wrapped, 4)
    certificates = [rest.pop(0)] if rest[0].tag == _CERTIFICATES else []
    if rest and rest[0].tag == _CRLS:
        rest.pop(0)
    signers = require(der.SET, rest[0] if rest else None, "the signers")
    inner_type, content = content_info(data, require(der.SEQUENCE, encapsulated, "the signed content"))
    return ParsedSignedData(
        version=number(data, version),
        digest_oids=tuple(algorithm(data, one) for one in der.children(data, require(der.SET, digests, "the digests"))),
        content_type=inner_type,
        content=content.whole(data) if content is not None else b"",
        certificates_der=tuple(one.whole(data) for field in certificates for one in _certificates(data, field)),
        signers=tuple(_signer(data, require(der.SEQUENCE, one, "a SignerInfo")) for one in der.children(data, signers)),
        structure=check_structure(data),
    )


def parse_signer(data: bytes) -> ParsedSignerInfo:
    """Parse a single SignerInfo, such as a counter-signature (RFC 2985, 5.3.6). Raises SignatureFormatError."""
    require_der(data)
    return _signer(data, der.expect(data, 0, der.SEQUENCE, "a SignerInfo"))


def _names_of(data: bytes) -> tuple[bytes, int] | None:
    """Return issuer and serial number of an element in the certificate set, or None if it is not a certificate."""
    try:
        return certificate_names(data)
    except SignatureFormatError:
        return None


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    """Return the subject key identifier of a certificate, or None."""
    try:
        return extensions(certificate).get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, CertificateError):
        return None


def _require_sound(data: bytes) -> None:
    """Raise SignatureFormatError for data that is not DER or exceeds the limits on its number of elements.

    Nearly all signatures pass in a single pass. Otherwise, checks the parts one by one, except certificates and
    attribute values that are malformed: callers parse these separately, and damage in one of them does not affect the
    rest. Windows doesn't check them either.
    """
    info = der.read(data)
    wrapped = der.first_children(data, info, 2)[1:2]
    signed = der.first_children(data, wrapped[0], 1)[:1] if wrapped and wrapped[0].tag == 0xA0 else []
    fields = der.first_children(data, signed[0], _MAX_FIELDS) if signed and signed[0].tag == der.SEQUENCE else []
    if len(fields) > _MAX_FIELDS:
        raise SignatureFormatError(f"SignedData has more than {_MAX_FIELDS} fields", offset=signed[0].start)
    for one in fields:
        if one.tag in (der.SET, 0xA0, 0xA1):
            _parts(data, one)
    with contextlib.suppress(SignatureFormatError):
        require_der(data, _MAX_SINGLE_PASS)
        return
    if not fields or signed[0].end != len(data):
        require_der(data)
    for field in fields[:3]:
        require_der(field.whole(data))
    for field in fields[3:]:
        (_require_signers if field.tag == der.SET else _require_not_ber)(data, field)


def _require_signers(data: bytes, signers: der.Element) -> None:
    """Raise SignatureFormatError unless each SignerInfo, apart from its attribute values, is DER."""
    for signer in _parts(data, signers):
        for part in _parts(data, signer):
            if part.tag not in (0xA0, 0xA1):
                require_der(part.whole(data))
                continue
            for attribute in _parts(data, part):
                for field in _parts(data, attribute):
                    if field.tag == der.SET:
                        _require_not_ber(data, field)
                    else:
                        require_der(field.whole(data))


def _require_not_ber(data: bytes, parent: der.Element) -> None:
    """Raise SignatureFormatError if certificates or values can't be separated, NotDerError if one of them is BER."""
    for part in _parts(data, parent):
        try:
            require_der(part.whole(data), _MAX_PART)
        except NotDerError:
            raise
        except SignatureFormatError:  # the caller that parses this part reports it
            continue


def _parts(data: bytes, parent: der.Element) -> list[der.Element]:
    found = der.first_children(data, parent, MAX_PARTS)
    if len(found) > MAX_PARTS:
        raise SignatureFormatError(f"the signature has a set with more than {MAX_PARTS:,} parts", offset=parent.start)
    return found


def _signer(data: bytes, signer: der.Element) -> ParsedSignerInfo:
    version, name, digest, *rest = fields(data, signer, 5)
    by_name = name.tag == der.SEQUENCE
    issuer, serial = fields(data, name, 2)[:2] if by_name else (None, None)
    if not by_name:
        require(_KEY_IDENTIFIER, name, "the signer's identifier")
    signed = rest.pop(0) if rest[0].tag == _SIGNED_ATTRIBUTES else None
    if len(rest) < 2:
        raise SignatureFormatError("a SignerInfo has no signature", offset=signer.start)
    algorithm(data, rest[0])
    unsigned = rest[2] if rest[2:] and rest[2].tag == _UNSIGNED_ATTRIBUTES else None
    return ParsedSignerInfo(
        version=number(data, version),
        issuer=require(der.SEQUENCE, issuer, "an issuer").whole(data) if by_name else None,
        serial=number(data, serial) if by_name else None,
        key_identifier=None if by_name else name.contents(data),
        digest_oid=algorithm(data, digest),
        signed_attributes=_attributes(data, signed),
        signed_attributes_der=_as_set(data, signed),
        signature_algorithm=rest[0].whole(data),
        signature=require(der.OCTET_STRING, rest[1], "a signature").contents(data),
        unsigned_attributes=_attributes(data, unsigned),
    )


def _certificates(data: bytes, field: der.Element) -> Iterator[der.Element]:
    """Yield the entries of the certificate set: certificates, and the other forms of RFC 5652, 10.2.2."""
    for entry in der.children(data, field):
        if entry.tag != der.SEQUENCE and entry.tag not in _OTHER_CERTIFICATES:
            raise SignatureFormatError(f"an embedded certificate has the tag {entry.tag:#04x}", offset=entry.start)
        yield entry


def _attributes(data: bytes, attributes: der.Element | None) -> dict[str, tuple[bytes, ...]]:
    """Return the values of each attribute. An attribute that occurs twice has the values of both occurrences."""
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in der.children(data, attributes) if attributes is not None else ():
        kind, values = fields(data, require(der.SEQUENCE, attribute, "an attribute"), 2)[:2]
        oid, values = object_identifier(data, kind), require(der.SET, values, "the values of an attribute")
        found[oid] = found.get(oid, ()) + tuple(value.whole(data) for value in der.children(data, values))
    return found


def _as_set(data: bytes, attributes: der.Element | None) -> bytes:
    """Replace the tag `[0] IMPLICIT` by SET OF, in which form the attributes were hashed; empty without attributes."""
    if attributes is None or attributes.body == attributes.end:
        return b""
    return bytes((der.SET,)) + attributes.whole(data)[1:]
