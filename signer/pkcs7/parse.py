"""Read SignedData as Authenticode has it, keeping the bytes that were hashed.

Source: RFC 2315, 9; "Windows Authenticode Portable Executable Signature Format", section "Overview of PKCS #7
SignedData Structures". Structure only: whether anything in it is true is asked by `signer.verify`.
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

_MOST_FIELDS = 6
"""SignedData has version, digest algorithms, content, certificates, revocation lists and signers."""
_MOST_IN_HASTE, _MOST_IN_PART, _MOST_PARTS = 100_000, 500_000, 1000
"""The most elements that are walked as one, the most in a certificate or value, and the most of these.

Signatures in the field have a few thousand elements, but timestamps may bring long revocation lists.
"""


@dataclass(frozen=True)
class ParsedSignerInfo:
    """One signer's part of SignedData."""

    version: int
    issuer: bytes | None
    """The DER of the signer certificate's issuer; None where the signer is named by key identifier."""
    serial: int | None
    key_identifier: bytes | None
    digest_oid: str
    signed_attributes: Mapping[str, tuple[bytes, ...]]
    """The DER of each value, by attribute type."""
    signed_attributes_der: bytes
    """The signed attributes as the SET OF that is hashed; empty when there are none."""
    signature_algorithm: bytes
    """The DER of the AlgorithmIdentifier that the signature was made with."""
    signature: bytes
    unsigned_attributes: Mapping[str, tuple[bytes, ...]]

    @property
    def digest_algorithm(self) -> DigestAlgorithm | None:
        """What the content and the attributes were hashed with; None if it is not one of code signing."""
        return DigestAlgorithm.by_oid(self.digest_oid)

    def signed(self, oid: str) -> bytes | None:
        """The DER of the first value of a signed attribute, or None."""
        return next(iter(self.signed_attributes.get(oid, ())), None)

    def signed_by(self, certificate: x509.Certificate) -> bool:
        """Whether this signer names `certificate` as its own."""
        if self.issuer is None:
            return self.key_identifier is not None and self.key_identifier == _key_identifier(certificate)
        if serial_number(certificate) != self.serial:
            return False  # which is seen at once, while the bytes of a certificate are encoded anew
        from cryptography.hazmat.primitives.serialization import Encoding

        return certificate_names(certificate.public_bytes(Encoding.DER)) == (self.issuer, self.serial)


@dataclass(frozen=True)
class ParsedSignedData:
    """SignedData with everything in it as it was encoded."""

    version: int
    digest_oids: tuple[str, ...]
    content_type: str
    content: bytes
    """The DER of the content, tag and length included; empty when it is detached."""
    certificates_der: tuple[bytes, ...]
    signers: tuple[ParsedSignerInfo, ...]

    @property
    def content_octets(self) -> bytes:
        """What messageDigest covers: the content without its own tag and length (RFC 2315, 9.3)."""
        return der.read(self.content).contents(self.content) if self.content else b""

    @property
    def inner_content(self) -> bytes:
        """The DER of the content itself, which CMS has in an OCTET STRING and PKCS #7 as it is (RFC 5652, 5.2.1)."""
        return self.content_octets if self.content[:1] == bytes((der.OCTET_STRING,)) else self.content

    @cached_property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The certificates that can be read, in their order."""
        found = []
        for data in self.certificates_der:
            try:
                found.append(load_der(data))
            except (
                CertificateError
            ):  # one that can't be read can't be anybody's issuer; the signer's is asked for below
                continue
        return tuple(found)

    def certificate_of(self, signer: ParsedSignerInfo) -> x509.Certificate | None:
        """The certificate that a signer names, if it is carried here. Raises CertificateError when it can't be read."""
        if signer.issuer is None:
            return next((found for found in self.certificates if signer.signed_by(found)), None)
        for data in self.certificates_der:
            if _names_of(data) == (signer.issuer, signer.serial):
                return load_der(data)
        return None


def parse(data: bytes) -> ParsedSignedData:
    """ContentInfo with SignedData, from DER with nothing behind it. Raises SignatureFormatError."""
    try:
        return _parse(data)
    except (ValueError, TypeError, KeyError) as error:
        raise SignatureFormatError("the signature is not PKCS #7 SignedData that can be read") from error


def parse_signer(data: bytes) -> ParsedSignerInfo:
    """One SignerInfo on its own, as a counter-signature is (RFC 2985, 5.3.6). Raises SignatureFormatError."""
    try:
        der.require_der(data)
        return _signer(pkcs7.SignerInfo.load(data, strict=True))
    except (ValueError, TypeError, KeyError) as error:
        raise SignatureFormatError("not a SignerInfo that can be read") from error


def _names_of(data: bytes) -> tuple[bytes, int] | None:
    """Issuer and serial number of what stands among the certificates; None where it is no certificate."""
    try:
        return certificate_names(data)
    except SignatureFormatError:
        return None


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    """The subject key identifier of a certificate, or None."""
    try:
        return extensions(certificate).get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, CertificateError):
        return None


def _require_sound(data: bytes) -> None:
    """Raise SignatureFormatError for what is no DER, or has so much around the content that it can't be meant.

    What is DER throughout, and has no more elements than any part of it may have, is walked once, as nearly everything
    is. Certificates and values of attributes are read on their own, by who needs them: one that is damaged is no
    damage to the rest, and Windows does not look into it either.
    """
    info = der.read(data)
    wrapped = der.first_children(data, info, 2)[-1:]
    signed = der.first_children(data, wrapped[0], 1)[:1] if wrapped and wrapped[0].tag == 0xA0 else []
    fields = der.first_children(data, signed[0], _MOST_FIELDS) if signed and signed[0].tag == der.SEQUENCE else []
    if len(fields) > _MOST_FIELDS:
        raise SignatureFormatError("SignedData with too many fields", offset=signed[0].start)
    with contextlib.suppress(SignatureFormatError):
        der.require_der(data, _MOST_IN_HASTE)
        return
    if not fields or signed[0].end != len(data):
        der.require_der(data)
    for field in fields[:3]:
        der.require_der(field.whole(data))
    for field in fields[3:]:
        (_require_signers if field.tag == der.SET else _require_readable)(data, field)


def _require_signers(data: bytes, signers: der.Element) -> None:
    """Raise SignatureFormatError unless each SignerInfo is DER, as far as it is not the values of its attributes."""
    for signer in _parts(data, signers):
        for part in _parts(data, signer):
            if part.tag not in (0xA0, 0xA1):
                der.require_der(part.whole(data))
                continue
            for attribute in _parts(data, part):
                for field in _parts(data, attribute):
                    if field.tag == der.SET:
                        _require_readable(data, field)
                    else:
                        der.require_der(field.whole(data))


def _require_readable(data: bytes, several: der.Element) -> None:
    """Raise SignatureFormatError unless these certificates or values can be told apart, and none is in BER."""
    for one in _parts(data, several):
        try:
            der.require_der(one.whole(data), _MOST_IN_PART)
        except NotDerError:
            raise
        except SignatureFormatError:  # said by whoever reads it
            continue


def _parts(data: bytes, parent: der.Element) -> list[der.Element]:
    found = der.first_children(data, parent, _MOST_PARTS)
    if len(found) > _MOST_PARTS:
        raise SignatureFormatError(f"more than {_MOST_PARTS:,} parts, which no signature has", offset=parent.start)
    return found


def _parse(data: bytes) -> ParsedSignedData:
    _require_sound(data)
    info = pkcs7.ContentInfo.load(data, strict=True)
    if info["content_type"].dotted != oids.SIGNED_DATA:
        raise SignatureFormatError(f"not SignedData but {oids.name_of(info['content_type'].dotted)}", offset=0)
    signed = pkcs7.SignedData.load(pkcs7.content_der(info), strict=True)
    return ParsedSignedData(
        version=int(signed["version"]),
        digest_oids=tuple(algorithm["algorithm"].dotted for algorithm in signed["digest_algorithms"]),
        content_type=signed["content_info"]["content_type"].dotted,
        content=pkcs7.content_der(signed["content_info"]),
        certificates_der=tuple(choice.dump() for choice in _present(signed["certificates"])),
        signers=tuple(_signer(signer) for signer in signed["signer_infos"]),
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
    """The values of each attribute; an attribute that stands twice has the values of both."""
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in _present(attributes):
        oid = attribute["type"].dotted
        found[oid] = found.get(oid, ()) + tuple(value.dump() for value in attribute["values"])
    return found


def _as_set(tagged: bytes) -> bytes:
    """`[0] IMPLICIT` as the SET OF that was hashed."""
    return bytes((der.SET,)) + tagged[1:]


def _present(field: Any) -> Any:
    """An optional field's elements; none when it is absent."""
    from asn1crypto.core import Void

    return () if isinstance(field, Void) else field
