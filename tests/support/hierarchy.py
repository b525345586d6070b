"""Issue certificates for single tests: quickly (elliptic curves by default), and with deliberate flaws."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NOW = datetime(2024, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


@cache
def key(label: str) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key for `label`, the same one during the whole run."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(label: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return the RSA key for `label`."""
    return rsa.generate_private_key(65537, bits)


def name(common: str, *more: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name(
        [*(x509.NameAttribute(oid, value) for oid, value in more), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def common_name(common: str | x509.Name) -> x509.Name:
    return name(common) if isinstance(common, str) else common


@dataclass(frozen=True)
class Entity:
    """A certificate with its private key."""

    certificate: x509.Certificate
    private_key: CertificateIssuerPrivateKeyTypes

    @property
    def subject(self) -> x509.Name:
        return self.certificate.subject


def key_usage(*, sign_certificates: bool, sign_data: bool = True) -> x509.KeyUsage:
    return x509.KeyUsage(sign_data, False, False, False, False, sign_certificates, sign_certificates, False, False)


def issue(
    subject: str | x509.Name,
    issuer: Entity | None = None,
    *,
    ca: bool | None = None,
    path_length: int | None = None,
    usages: Iterable[str] | None = None,
    may_sign: bool | None = None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    private_key: CertificateIssuerPrivateKeyTypes | None = None,
    digest: str | None = None,
    pss: bool = False,
    issuer_name: str | x509.Name | None = None,
    start: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
    serial: int | None = None,
) -> Entity:
    """Issue a certificate for `subject` by `issuer`, or self-signed. Extensions that are None are omitted."""
    subject = common_name(subject)
    own = private_key or key(subject.rfc4514_string())
    signer = issuer.private_key if issuer else own
    by = common_name(issuer_name) if issuer_name else issuer.subject if issuer else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number() if serial is None else serial)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    if may_sign is not None:
        builder = builder.add_extension(key_usage(sign_certificates=may_sign), critical=True)
    if usages is not None:
        oids = [x509.ObjectIdentifier(usage) for usage in usages]
        builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    padded = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if pss else None
    entity = Entity(builder.sign(signer, algorithm, rsa_padding=padded), own)
    return resigned(entity, signer, digest) if digest else entity


RSA_SHA256 = bytes.fromhex("06092a864886f70d01010b0500")
OLD = {
    "md5": (bytes.fromhex("06092a864886f70d0101040500"), hashes.MD5()),
    "sha1": (bytes.fromhex("06092a864886f70d0101050500"), hashes.SHA1()),
    "sha1-oiw": (bytes.fromhex("06052b0e03021d0500"), hashes.SHA1()),
}


def resigned(entity: Entity, signer: object, digest: str) -> Entity:
    """Sign the certificate again with a digest that libraries no longer support for signing."""
    assert isinstance(signer, rsa.RSAPrivateKey)
    identifier, algorithm = OLD[digest]
    body = entity.certificate.tbs_certificate_bytes
    assert body.count(RSA_SHA256) == 1
    body = sequence(unwrapped(body).replace(sequence(RSA_SHA256), sequence(identifier)))
    signature = signer.sign(body, padding.PKCS1v15(), algorithm)
    return _assembled(entity, body, sequence(identifier), signature)


def reissued_with(entity: Entity, change: Callable[[bytes], bytes]) -> Entity:
    """Change the content of a certificate but not its signature."""
    certificate = entity.certificate
    der = certificate.public_bytes(Encoding.DER)
    changed = der.replace(certificate.tbs_certificate_bytes, change(certificate.tbs_certificate_bytes))
    assert len(changed) == len(der)
    return Entity(x509.load_der_x509_certificate(changed), entity.private_key)


def mislabeled(entity: Entity) -> Entity:
    """Return a SHA-1 certificate whose outer algorithm is the alternative OID of SHA-1 with RSA."""
    signed = entity.certificate
    return _assembled(entity, signed.tbs_certificate_bytes, sequence(OLD["sha1-oiw"][0]), signed.signature)


def _assembled(entity: Entity, body: bytes, algorithm: bytes, signature: bytes) -> Entity:
    bits = b"\x03" + der_length(len(signature) + 1) + b"\x00" + signature
    return Entity(x509.load_der_x509_certificate(sequence(body + algorithm + bits)), entity.private_key)


def sequence(content: bytes) -> bytes:
    return b"\x30" + der_length(len(content)) + content


def der_length(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    size = (length.bit_length() + 7) // 8
    return bytes([0x80 | size]) + length.to_bytes(size, "big")


def unwrapped(element: bytes) -> bytes:
    """Return the content of a DER element."""
    skip = 2 + (element[1] & 0x7F if element[1] & 0x80 else 0)
    return element[skip:]
