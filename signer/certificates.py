"""Read certificates as they are found in the wild, and name them for a person.

Certificates of the SHA-1 and MD5 era break rules that RFC 5280 made later (serial numbers of zero, long names), so they
are loaded here, in one place, without the complaints of the library.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from signer.errors import CertificateError

T = TypeVar("T")

_REMEMBERED = 1024
"""How many certificates are remembered, and what they say: the files of a batch carry the same few again and again."""


@lru_cache(_REMEMBERED)
def load_der(data: bytes) -> x509.Certificate:
    """One certificate from DER. Raises CertificateError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _readable(x509.load_der_x509_certificate(data))
        except (ValueError, TypeError, x509.InvalidVersion) as error:
            raise CertificateError(f"not a certificate that can be read ({_why(error)})") from error


def load_all(data: bytes) -> list[x509.Certificate]:
    """Every certificate in a file: DER, PEM (any number), or PKCS#7 as DER or PEM. Raises CertificateError."""
    from cryptography.exceptions import UnsupportedAlgorithm

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for load in (
            x509.load_pem_x509_certificates,
            lambda raw: [x509.load_der_x509_certificate(raw)],
            lambda raw: _pkcs7().load_der_pkcs7_certificates(raw),
            lambda raw: _pkcs7().load_pem_pkcs7_certificates(raw),
        ):
            try:
                return [_readable(certificate) for certificate in load(data)]
            except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):  # PKCS #7 of another kind
                continue
    raise CertificateError(
        "there is no certificate in it", hint="Give certificates as DER (.cer), PEM or PKCS#7 (.p7b, .spc)."
    )


def _pkcs7() -> Any:
    """The module that reads PKCS #7, which takes longer to load than certificates take to read."""
    from cryptography.hazmat.primitives.serialization import pkcs7

    return pkcs7


@lru_cache(_REMEMBERED)
def subject_name(certificate: x509.Certificate) -> str:
    """The subject as an RFC 4514 string."""
    return _quietly(lambda: certificate.subject.rfc4514_string())


@lru_cache(_REMEMBERED)
def issuer_name(certificate: x509.Certificate) -> str:
    """The issuer as an RFC 4514 string."""
    return _quietly(lambda: certificate.issuer.rfc4514_string())


@lru_cache(_REMEMBERED)
def issuer_common_name(certificate: x509.Certificate) -> str | None:
    """The issuer's common name, or None where it has none."""
    values = _quietly(lambda: certificate.issuer).get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(values[0].value) if values else None


@lru_cache(_REMEMBERED)
def common_name(certificate: x509.Certificate) -> str:
    """What a person calls the subject: its common name, else unit, else organization, else all of it."""
    subject = _quietly(lambda: certificate.subject)
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME):
        values = subject.get_attributes_for_oid(oid)
        if values:
            return str(values[0].value)
    return subject_name(certificate)


def serial_number(certificate: x509.Certificate) -> int:
    """The serial number; old certificates have negative ones."""
    return _quietly(lambda: certificate.serial_number)


@lru_cache(_REMEMBERED)
def serial_hex(certificate: x509.Certificate) -> str:
    """The serial number as lower-case hex digits; a negative one, which old certificates have, as it is encoded."""
    serial = serial_number(certificate)
    if serial < 0:
        return serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True).hex()
    return f"{serial:x}"


@lru_cache(_REMEMBERED)
def thumbprint(certificate: x509.Certificate, algorithm: str = "sha1") -> str:
    """The digest of the whole certificate as upper-case hex, which Windows calls its thumbprint."""
    der = certificate.public_bytes(Encoding.DER)
    return hashlib.new(algorithm, der, usedforsecurity=False).hexdigest().upper()


def public_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes:
    """The key that a certificate is for, which is parsed no earlier than here. Raises CertificateError."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = f"the certificate {common_name(certificate)!r} has a key that can't be read"
        raise CertificateError(message, hint="Use RSA, or ECDSA P-256 or P-384.") from error


def spki_sha256(certificate: x509.Certificate) -> str:
    """SHA-256 of the SubjectPublicKeyInfo as upper-case hex: the key's identity, which roots are pinned by.

    Raises CertificateError.
    """
    spki = public_key(certificate).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest().upper()


def extended_key_usages(certificate: x509.Certificate) -> frozenset[str] | None:
    """The dotted OIDs of the extended key usages, or None when the certificate has no such extension (any usage)."""
    try:
        usages = extensions(certificate).get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
    return frozenset(usage.dotted_string for usage in usages)


def extensions(certificate: x509.Certificate) -> x509.Extensions:
    """The certificate's extensions. Raises CertificateError when they can't be read."""
    try:
        return _quietly(lambda: certificate.extensions)
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise CertificateError(
            f"the extensions of {common_name(certificate)!r} can't be read ({_why(error)})"
        ) from error


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether subject and issuer are the same name; the signature is not checked."""
    return certificate.subject == certificate.issuer


def valid_at(certificate: x509.Certificate, time: datetime) -> bool:
    """Whether `time` (aware) lies in the certificate's validity period, both ends included (RFC 5280, 4.1.2.5)."""
    return certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc


def _readable(certificate: x509.Certificate) -> x509.Certificate:
    """The certificate, after what is read of it later was read once: the library decodes names and dates only then."""
    _ = certificate.subject, certificate.issuer, certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return certificate


def _why(error: Exception) -> str:
    """What a person can take from the library's words, which are about its own structures."""
    said = str(error)
    if "ParseError" not in said:
        return said
    fields = [field.removeprefix("raw_") for field in re.findall(r'"(?:\w+::)?(\w+)"', said) if field != "tbs_cert"]
    where = " of ".join(reversed(fields))
    return f"its {where} is not in DER as X.509 wants it" if where else "it is not in DER as X.509 wants it"


def _quietly(read: Callable[[], T]) -> T:
    """What `read` returns, without the library's warnings on old certificates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read()
