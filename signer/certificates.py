"""Load certificates, including old ones that RFC 5280 forbids, and format their names.

Certificates of the SHA-1 and MD5 era break rules that RFC 5280 introduced later (serial numbers of zero, long names).
`cryptography` warns about each of them. Importing this module filters those warnings by their messages, once for the
process: `warnings.catch_warnings` replaces the filters of all threads, so that they leak when threads use it.
"""

from __future__ import annotations

import copyreg
import hashlib
import re
import warnings
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from signer.asn1 import der
from signer.asn1.private_key import is_private_key
from signer.errors import CertificateError, SignatureFormatError
from signer.limits import LIMITS, raising

OLD_CERTIFICATE_WARNINGS = (
    "Parsed a serial number which wasn't positive",
    "Attribute's length must be",
    "Invalid ASN.1 .* in the explicit text",
    "PKCS#7 certificates could not be parsed as DER",
    "PKCS#12 bundle could not be parsed as DER",
)
"""Regular expressions for the beginnings of the warnings that `cryptography` gives about old files."""

for _message in OLD_CERTIFICATE_WARNINGS:
    warnings.filterwarnings("ignore", _message)

MAX_NAME_SIZE = 1024
"""Maximum size in bytes of the subject and of the issuer. The longest names of real certificates have about 300 bytes;
Python needs a hundred times the size of a name."""

_CACHE_SIZE = 1024
"""Number of parsed certificates and derived values to cache: the files of a batch carry the same few certificates."""


P = ParamSpec("P")
Result = TypeVar("Result")


def per_certificate(
    function: Callable[Concatenate[x509.Certificate, P], Result],
) -> Callable[Concatenate[x509.Certificate, P], Result]:
    """Cache a function of a certificate and of hashable values by the identity of the certificate's object.

    `lru_cache` would hash the certificate, for which `cryptography` reads all of its bytes in each call (8 µs).
    `load_der` returns the same object for the same bytes.
    """
    known: dict[tuple[object, ...], tuple[x509.Certificate, Result]] = {}

    @wraps(function)
    def call(certificate: x509.Certificate, /, *values: P.args, **named: P.kwargs) -> Result:
        key = (id(certificate), *values, *named.values())
        found = known.get(key)
        if found is None:
            if len(known) >= _CACHE_SIZE:
                known.clear()
            found = known[key] = certificate, function(certificate, *values, **named)  # keeps the object, and so its id
        return found[1]

    return call


def _reduced(certificate: x509.Certificate) -> tuple[Callable[[bytes], x509.Certificate], tuple[bytes]]:
    """Pickle a certificate, for other processes and machines: `cryptography` does not support that."""
    return load_der, (encoded(certificate),)


copyreg.pickle(x509.Certificate, _reduced)


@lru_cache(_CACHE_SIZE)
def load_der(data: bytes) -> x509.Certificate:
    """Load one certificate from DER. Raises CertificateError."""
    try:
        return _decoded(x509.load_der_x509_certificate(data))
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise CertificateError(f"the certificate can't be parsed ({_reason(error)})") from error


def load_all(data: bytes) -> list[x509.Certificate]:
    """Load every certificate from DER, PEM (one or more), or PKCS #7 in DER or PEM. Raises CertificateError."""
    from cryptography.exceptions import UnsupportedAlgorithm

    for load in (
        x509.load_pem_x509_certificates,
        lambda raw: [x509.load_der_x509_certificate(raw)],
        lambda raw: _pkcs7().load_der_pkcs7_certificates(raw),
        lambda raw: _pkcs7().load_pem_pkcs7_certificates(raw),
    ):
        try:
            return decoded(load(data))
        except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm):  # another type of PKCS #7
            continue
    if b"PRIVATE KEY-----" in data or is_private_key(data):
        raise CertificateError(
            "the file has a private key and no certificate", hint="Name the file that has its certificate."
        )
    raise CertificateError(
        "no certificate found in the file", hint="Use a file in DER (.cer), PEM or PKCS #7 (.p7b, .spc) format."
    )


def decoded(certificates: list[x509.Certificate]) -> list[x509.Certificate]:
    """Return the certificates of a file, with names and dates decoded. Raises CertificateError, also for too many."""
    if len(certificates) > (limit := LIMITS["certificates"]):
        message = f"the file has {len(certificates):,} certificates; the limit is {limit:,}"
        raise CertificateError(message, hint=raising("certificates"))
    return [_decoded(certificate) for certificate in certificates]


def _pkcs7() -> Any:
    """Import the PKCS #7 module on first use: the import takes longer than parsing certificates."""
    from cryptography.hazmat.primitives.serialization import pkcs7

    return pkcs7


@per_certificate
def encoded(certificate: x509.Certificate) -> bytes:
    """Return the DER of a certificate: a key for dictionaries, whose hash is computed once."""
    return certificate.public_bytes(Encoding.DER)


def distinct(certificates: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return each certificate once, in order."""
    return tuple({encoded(one): one for one in certificates}.values())


@per_certificate
def subject_name(certificate: x509.Certificate) -> str:
    """Return the subject as an RFC 4514 string."""
    return certificate.subject.rfc4514_string()


@per_certificate
def issuer_name(certificate: x509.Certificate) -> str:
    """Return the issuer as an RFC 4514 string."""
    return certificate.issuer.rfc4514_string()


@per_certificate
def issuer_common_name(certificate: x509.Certificate) -> str | None:
    """Return the common name of the issuer, or None if the issuer has none."""
    values = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(values[0].value) if values else None


@per_certificate
def common_name(certificate: x509.Certificate) -> str:
    """Return a short display name of the subject: its common name, else unit, organization, or the whole name."""
    subject = certificate.subject
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME):
        values = subject.get_attributes_for_oid(oid)
        if values:
            return str(values[0].value)
    return subject_name(certificate)


def serial_number(certificate: x509.Certificate) -> int:
    """Return the serial number, which is negative in some old certificates."""
    return certificate.serial_number


@per_certificate
def serial_hex(certificate: x509.Certificate) -> str:
    """Return the serial number in lower-case hex; a negative one as the two's complement that the DER contains."""
    serial = serial_number(certificate)
    if serial < 0:
        return serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True).hex()
    return f"{serial:x}"


@per_certificate
def thumbprint(certificate: x509.Certificate, algorithm: str = "sha1") -> str:
    """Return the digest of the DER certificate in upper-case hex, which Windows calls the thumbprint."""
    return hashlib.new(algorithm, encoded(certificate), usedforsecurity=False).hexdigest().upper()


def public_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes:
    """Parse and return the public key of a certificate. Raises CertificateError."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = f"the public key of the certificate {common_name(certificate)!r} can't be parsed"
        raise CertificateError(
            message, hint="Use a certificate with an RSA, ECDSA P-256 or ECDSA P-384 key."
        ) from error


def spki_sha256(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the SubjectPublicKeyInfo in upper-case hex, which pins roots. Raises CertificateError."""
    spki = public_key(certificate).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest().upper()


@per_certificate
def extended_key_usages(certificate: x509.Certificate) -> frozenset[str] | None:
    """Return the dotted OIDs of the extended key usages, or None if the extension is absent (any usage).

    Raises CertificateError.
    """
    try:
        usages = extensions(certificate).get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
    return frozenset(usage.dotted_string for usage in usages)


@per_certificate
def extensions(certificate: x509.Certificate) -> x509.Extensions:
    """Return the certificate's extensions. Raises CertificateError when they can't be parsed."""
    try:
        return certificate.extensions
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise CertificateError(
            f"the extensions of the certificate {common_name(certificate)!r} can't be parsed ({_reason(error)})"
        ) from error


@per_certificate
def is_self_signed(certificate: x509.Certificate) -> bool:
    """Return whether subject and issuer are the same name. Does not check the signature."""
    return certificate.subject == certificate.issuer


def valid_at(certificate: x509.Certificate, time: datetime) -> bool:
    """Return whether `time` (aware) is within the validity period, both ends included (RFC 5280, 4.1.2.5)."""
    return certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc


def _decoded(certificate: x509.Certificate) -> x509.Certificate:
    """Decode names and dates now, where errors are caught: `cryptography` decodes them on first access."""
    _require_short_names(certificate.tbs_certificate_bytes)
    _ = certificate.subject, certificate.issuer, certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return certificate


def _require_short_names(tbs: bytes) -> None:
    """Raise CertificateError for a TBSCertificate (RFC 5280, 4.1) whose subject or issuer is too long."""
    try:
        sequences = [one for one in der.first_children(tbs, der.read(tbs), 6) if one.tag == der.SEQUENCE]
    except SignatureFormatError as error:
        raise CertificateError(f"the certificate can't be parsed ({error.message})") from error
    size = max(name.end - name.start for name in sequences[1:4:2])  # algorithm, issuer, validity, subject
    if size > MAX_NAME_SIZE:
        raise CertificateError(f"a name in the certificate has {size:,} bytes; the limit is {MAX_NAME_SIZE:,}")


def _reason(error: Exception) -> str:
    """Translate a parser error of `cryptography`, which names Rust structures, into a readable reason."""
    text = str(error)
    if "ParseError" not in text:
        return text
    fields = [field.removeprefix("raw_") for field in re.findall(r'"(?:\w+::)?(\w+)"', text) if field != "tbs_cert"]
    field = " of ".join(reversed(fields))
    return f"the field {field} is not valid X.509 DER" if field else "it is not valid X.509 DER"
