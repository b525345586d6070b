"""Attacks with the public key of a certificate, whose private key everybody knows.

CurveBall (CVE-2020-0601): the parameters of the curve are in the key. With the public key of a trusted certificate as
the generator, the private key is 1. Who compares only the points takes the attacker's certificate for the trusted one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import Prepared, SigningOptions
from signer.policy.trust import Trust
from signer.trust.store import TrustStore
from tests.attacks.attack import Attempt, attack
from tests.attacks.cases.signed_data import DIGEST, TYPE, image_with, split
from tests.attacks.cases.timestamps import STAMPING, after_expiry, stamped
from tests.support.explicit_curves import ORDER, explicit_key
from tests.support.files import content_of, patched
from tests.support.hierarchy import Entity, issue, key, rsa_key
from tests.support.signed_samples import BITS, CA, ROOT, UNSIGNED, identity

CURVEBALL = "CVE-2020-0601 (CurveBall); RFC 5480, 2.1.1"
ECDSA_WITH_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))
RSA_WITH_SHA256 = der.sequence(der.oid(oids.SHA256_WITH_RSA), der.null())
SHA256 = DigestAlgorithm.SHA256
TRUSTED = issue("Curve Root", ca=True, may_sign=True)
"""A trusted root with a key on P-256."""
STORE = TrustStore.test_signing([ROOT.certificate, TRUSTED.certificate])
BOTH = Trust(STORE, STORE)


def point_of(entity: Entity) -> bytes:
    assert isinstance(entity.private_key, ec.EllipticCurvePrivateKey)
    return entity.private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def with_key(certificate: x509.Certificate, key: bytes) -> bytes:
    """Return the content of a certificate with another SubjectPublicKeyInfo."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der.sequence(*(key if part == spki else part for part in split(certificate.tbs_certificate_bytes)))


def reissue(body: bytes, issuer: Entity) -> x509.Certificate:
    """Sign the content of a certificate with an RSA key."""
    assert isinstance(issuer.private_key, rsa.RSAPrivateKey)
    signature = issuer.private_key.sign(body, padding.PKCS1v15(), hashes.SHA256())
    return x509.load_der_x509_certificate(der.sequence(body, RSA_WITH_SHA256, der.tlv(3, b"\0", signature)))


@dataclass(frozen=True)
class KeyOfOne:
    """The private key 1 on the curve of a point; a `SigningKey` that an attacker has without the key of the point."""

    point: bytes

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The point on P-256, as the trusted certificate has it."""
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.point)

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """Sign with the nonce 1: r is the first coordinate of the generator."""
        r = int.from_bytes(self.point[1:33], "big") % ORDER
        return der.sequence(der.integer(r), der.integer((int.from_bytes(digest, "big") + r) % ORDER))


def issued_by(point: bytes, certificate: x509.Certificate, *, with_its_key: bool = False) -> x509.Certificate:
    """Sign a certificate again with the key 1 of a point; with `with_its_key`, as the certificate of that key."""
    body = certificate.tbs_certificate_bytes
    if with_its_key:
        body = with_key(certificate, explicit_key(point))
    signature = KeyOfOne(point).sign(SHA256.hash(body), SHA256)
    return x509.load_der_x509_certificate(der.sequence(body, ECDSA_WITH_SHA256, der.tlv(3, b"\0", signature)))


def forged(name: str, issuer: Entity, **more: Any) -> Entity:
    """Issue a certificate with the key 1 of the issuer's point."""
    entity = issue(name, issuer, **more)
    return Entity(issued_by(point_of(issuer), entity.certificate), entity.private_key)


def signed_by(leaf: Entity, *issuers: x509.Certificate) -> Attempt:
    options = SigningOptions(certificates=issuers)
    return Attempt(patched(UNSIGNED, sign_file(UNSIGNED, identity(leaf), options).changes), trust=BOTH)


@attack(CURVEBALL, kernel="unknown", code="bad-signature")
def root_on_another_curve() -> Attempt:
    """CurveBall: a root with the name and the public key of a trusted one, on a curve whose private key is 1."""
    root = issued_by(point_of(TRUSTED), TRUSTED.certificate, with_its_key=True)
    authority = forged("Forged CA", TRUSTED, ca=True, may_sign=True, private_key=rsa_key("Forged CA", BITS))
    leaf = issue("Victim", authority, usages=[oids.EKU_CODE_SIGNING], private_key=rsa_key("Victim", BITS))
    return signed_by(leaf, authority.certificate, root)


@attack(CURVEBALL, kernel="unknown", code="bad-signature")
def issuer_on_another_curve() -> Attempt:
    """CurveBall below the trusted root: the signer's issuer has the name and the public key of a CA."""
    genuine = issue("Curve CA", TRUSTED, ca=True, may_sign=True)
    fake = issued_by(point_of(TRUSTED), genuine.certificate, with_its_key=True)
    leaf = forged("Victim", genuine, usages=[oids.EKU_CODE_SIGNING], private_key=rsa_key("Victim", BITS))
    return signed_by(leaf, fake, genuine.certificate)


@attack(CURVEBALL, authenticode="unknown", code="signature-unverifiable")
def signer_on_another_curve() -> Attempt:
    """A signer whose certificate has the public key of another one, on a curve whose private key is 1."""
    point = point_of(TRUSTED)
    named = issue("Victim", CA, usages=[oids.EKU_CODE_SIGNING], private_key=key("Victim"))
    leaf = reissue(with_key(named.certificate, explicit_key(point)), CA)
    _, content = content_of(UNSIGNED, SHA256)
    prepared = Prepared(content, named.certificate, (), SHA256, der.set_of([TYPE, DIGEST]))
    oid, wrapped = split(prepared.finish(KeyOfOne(point).sign(prepared.digest, SHA256)))
    *head, _, signers = split(split(wrapped)[0])
    carried = (one.public_bytes(Encoding.DER) for one in (leaf, CA.certificate))
    return image_with(der.sequence(oid, der.explicit(0, der.sequence(*head, der.explicit(0, *carried), signers))))


@attack(CURVEBALL, kernel="accepted", code="timestamp-untrusted")
def timestamp_of_an_authority_on_another_curve() -> Attempt:
    """A timestamp of an authority whose certificate the key 1 of a trusted root's point issued."""
    authority = forged("Forged Authority", TRUSTED, extensions=[STAMPING])
    return replace(after_expiry(stamped(authority, TRUSTED)), trust=BOTH)


@attack("RFC 8017, 3.1", kernel="unknown", code="signature-unknown")
def exponent_of_one() -> Attempt:
    """A CA whose RSA key has the exponent 1, so that everybody can sign with it."""
    genuine = issue("Exponent 1", ROOT, ca=True, may_sign=True, private_key=rsa_key("Exponent 1", BITS))
    assert isinstance(genuine.private_key, rsa.RSAPrivateKey)
    modulus = genuine.private_key.public_key().public_numbers().n
    weak = der.sequence(der.integer(modulus), der.integer(1))
    spki = der.sequence(der.sequence(der.oid(oids.RSA), der.null()), der.tlv(3, b"\0", weak))
    authority = reissue(with_key(genuine.certificate, spki), ROOT)
    leaf = issue("Victim", genuine, usages=[oids.EKU_CODE_SIGNING], private_key=rsa_key("Victim", BITS))
    body = leaf.certificate.tbs_certificate_bytes
    info = der.sequence(der.sequence(der.oid(SHA256.oid), der.null()), der.octets(SHA256.hash(body)))
    block = b"\0\1".ljust(BITS // 8 - len(info) - 1, b"\xff") + b"\0" + info
    signed = der.sequence(body, RSA_WITH_SHA256, der.tlv(3, b"\0", block))
    return signed_by(Entity(x509.load_der_x509_certificate(signed), leaf.private_key), authority)
