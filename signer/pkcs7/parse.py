"""Parse Authenticode SignedData, and keep the bytes that were hashed.

Source: RFC 2315, 9; "Windows Authenticode Portable Executable Signature Format", section "Overview of PKCS #7
SignedData Structures". Parses only the structure; `signer.verify` checks digests and signatures.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids, pkcs7
from signer.asn1.certificate import certificate_names
from signer.certificates import extensions, load_der, serial_number
from signer.errors import CertificateError, NotDerError, SignatureFormatError
from signer.pkcs7.structure import Structure, check_structure

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
        from cryptography.hazmat.primitives.serialization import Encoding

        return certificate_names(certificate.public_bytes(Encoding.DER)) == (self.issuer, self.serial)


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
            if _names_of(data) == (signer.issuer, signer.serial):
                return load_der(data)
        return None


def parse(data: bytes) -> ParsedSignedData:
    """Parse a ContentInfo with SignedData from DER. Raises SignatureFormatError, also for extra bytes behind it."""
    try:
        return _parse(data)
    except (ValueError, TypeError, KeyError) as error:
        raise SignatureFormatError("the signature is not valid PKCS #7 SignedData") from error


def parse_signer(data: bytes) -> ParsedSignerInfo:
    """Parse a single SignerInfo, such as a counter-signature (RFC 2985, 5.3.6). Raises SignatureFormatError."""
    try:
        der.require_der(data)
        return _signer(pkcs7.SignerInfo.load(data, strict=True))
    except (ValueError, TypeError, KeyError) as error:
        raise SignatureFormatError("the data is not a valid SignerInfo") from error


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
        der.require_der(data, _MAX_SINGLE_PASS)
        return
    if not fields or signed[0].end != len(data):
        der.require_der(data)
    for field in fields[:3]:
        der.require_der(field.whole(data))
    for field in fields[3:]:
        (_require_signers if field.tag == der.SET else _require_not_ber)(data, field)


def _require_signers(data: bytes, signers: der.Element) -> None:
    """Raise SignatureFormatError unless each SignerInfo, apart from its attribute values, is DER."""
    for signer in _parts(data, signers):
        for part in _parts(data, signer):
            if part.tag not in (0xA0, 0xA1):
                der.require_der(part.whole(data))
                continue
            for attribute in _parts(data, part):
                for field in _parts(data, attribute):
                    if field.tag == der.SET:
                        _require_not_ber(data, field)
                    else:
                        der.require_der(field.whole(data))


def _require_not_ber(data: bytes, parent: der.Element) -> None:
    """Raise SignatureFormatError if certificates or values can't be separated, NotDerError if one of them is BER."""
    for part in _parts(data, parent):
        try:
            der.require_der(part.whole(data), _MAX_PART)
        except NotDerError:
            raise
        except SignatureFormatError:  # the caller that parses this part reports it
            continue


def _parts(data: bytes, parent: der.Element) -> list[der.Element]:
    found = der.first_children(data, parent, MAX_PARTS)
    if len(found) > MAX_PARTS:
        raise SignatureFormatError(f"the signature has a set with more than {MAX_PARTS:,} parts", offset=parent.start)
    return found


def _parse(data: bytes) -> ParsedSignedData:
    _require_sound(data)
    info = pkcs7.ContentInfo.load(data, strict=True)
    if info["content_type"].dotted != oids.SIGNED_DATA:
        found = oids.name_of(info["content_type"].dotted)
        raise SignatureFormatError(f"the content type is {found}, not signed data", offset=0)
    signed = pkcs7.SignedData.load(pkcs7.content_der(info), strict=True)
    return ParsedSignedData(
        version=int(signed["version"]),
        digest_oids=tuple(algorithm["algorithm"].dotted for algorithm in signed["digest_algorithms"]),
        content_type=signed["content_info"]["content_type"].dotted,
        content=pkcs7.content_der(signed["content_info"]),
        certificates_der=tuple(choice.dump() for choice in _present(signed["certificates"])),
        signers=tuple(_signer(signer) for signer in signed["signer_infos"]),
        structure=check_structure(data),
    )


def _signer(info: Any) -> ParsedSignerInfo:
    sid = info["sid"]
    by_name = sid.name == "issuer_and_serial_number"
    signed = info["signed_attrs"]
    return ParsedSignerInfo(
        version=int(info["version"]),
        issuer=sid.chosen["issuer"].dump() if by_name else None,
        serial=int(sid.chosen["serial_number"]) if by_name else None,
        key_identifier=None if by_name else sid.chosen.native,
        digest_oid=info["digest_algorithm"]["algorithm"].dotted,
        signed_attributes=_attributes(signed),
        signed_attributes_der=_as_set(signed.dump()) if _present(signed) else b"",
        signature_algorithm=info["signature_algorithm"].dump(),
        signature=info["signature"].native,
        unsigned_attributes=_attributes(info["unsigned_attrs"]),
    )


def _attributes(attributes: Any) -> dict[str, tuple[bytes, ...]]:
    """Return the values of each attribute. An attribute that occurs twice has the values of both occurrences."""
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in _present(attributes):
        oid = attribute["type"].dotted
        found[oid] = found.get(oid, ()) + tuple(value.dump() for value in attribute["values"])
    return found


def _as_set(tagged: bytes) -> bytes:
    """Replace the tag `[0] IMPLICIT` by SET OF, in which form the attributes were hashed."""
    return bytes((der.SET,)) + tagged[1:]


def _present(field: Any) -> Any:
    """Return the elements of an optional field, or an empty tuple if it is absent."""
    from asn1crypto.core import Void

    return () if isinstance(field, Void) else field
