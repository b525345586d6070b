"""Check RSA and ECDSA signatures over digests.

For RSASSA-PKCS1-v1_5, this module recovers the DigestInfo and compares it itself. OpenSSL refuses MD5 and SHA-1 on some
systems (FIPS mode, crypto policies), but a policy must tell weak signatures from forged ones.
Sources: RFC 8017, 8.1 and 8.2; RFC 4055, 3.1; RFC 5753, 2.1.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignatureFormatError

if TYPE_CHECKING:
    from signer.keys.identity import PublicKey


class Check(Enum):
    """The result of checking a signature."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    """The algorithm or the type of the key is not supported."""


_RSA_WITH = {
    oids.MD5_WITH_RSA: DigestAlgorithm.MD5,
    oids.OIW_MD5_WITH_RSA: DigestAlgorithm.MD5,
    oids.SHA1_WITH_RSA: DigestAlgorithm.SHA1,
    oids.OIW_SHA1_WITH_RSA: DigestAlgorithm.SHA1,
    oids.SHA256_WITH_RSA: DigestAlgorithm.SHA256,
    oids.SHA384_WITH_RSA: DigestAlgorithm.SHA384,
    oids.SHA512_WITH_RSA: DigestAlgorithm.SHA512,
}
_ECDSA_WITH = {oid: DigestAlgorithm.named(name) for name, oid in oids.ECDSA_WITH.items()}
_DEFAULT_SALT = 20
_PSS_FIELDS = (0xA0, 0xA1, 0xA2, 0xA3)
"""Tags of RSASSA-PSS-params: digest algorithm, mask generation, salt length, and the trailer, which is always 1."""


def check_signature(
    certificate: x509.Certificate,
    signature: bytes,
    digest: bytes,
    digest_oid: str,
    signature_algorithm: bytes,
    *,
    bare: bool = False,
) -> Check:
    """Check that `signature` is a signature over `digest` with the key of the certificate.

    `signature_algorithm` is the DER of the signature's AlgorithmIdentifier. It is either rsaEncryption or
    id-ecPublicKey, or names a digest algorithm too, which must then be that of `digest_oid`. With `bare`, an RSA
    signature over the digest without DigestInfo is good too, as VeriSign's and Symantec's legacy timestamps have it.
    Raises SignatureFormatError if `signature_algorithm` is malformed.
    """
    algorithm = DigestAlgorithm.by_oid(digest_oid)
    key = _public_key(certificate)
    if algorithm is None or key is None:
        return Check.UNKNOWN
    return _check(key, signature, digest, algorithm, *_identifier(signature_algorithm), bare=bare)


def check_body(key: object, signature: bytes, body: bytes, signature_algorithm: bytes) -> Check:
    """Check that `signature` is a signature over `body` with `key`, as in certificates and revocation lists.

    `signature_algorithm` is the DER of the AlgorithmIdentifier, which names the digest algorithm. Raises
    SignatureFormatError if it is malformed.
    """
    oid, parameters = _identifier(signature_algorithm)
    algorithm = _pss_parameters(parameters)[0] if oid == oids.RSA_PSS else digest_of(oid)
    if algorithm is None or not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return Check.UNKNOWN
    return _check(key, signature, algorithm.hash(body), algorithm, oid, parameters)


def digest_of(signature_oid: str) -> DigestAlgorithm | None:
    """Return the digest algorithm of an RSA or ECDSA signature algorithm, or None if its OID doesn't determine one."""
    return _RSA_WITH.get(signature_oid) or _ECDSA_WITH.get(signature_oid)


@lru_cache(maxsize=1024)
def load_key(spki: bytes) -> object | None:
    """Load the public key in a SubjectPublicKeyInfo, or return None if its type is not supported."""
    try:
        return load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        return None


def check_digest(key: PublicKey, signature: bytes, digest: bytes, algorithm: DigestAlgorithm) -> Check:
    """Check that `signature` is an RSASSA-PKCS1-v1_5 or ECDSA (DER) signature over `digest` with `key`."""
    if isinstance(key, rsa.RSAPublicKey):
        return _pkcs1(key, signature, digest, algorithm, bare=False)
    return _ecdsa(key, signature, digest, algorithm)


def _check(
    key: PublicKey,
    signature: bytes,
    digest: bytes,
    algorithm: DigestAlgorithm,
    oid: str,
    parameters: bytes,
    *,
    bare: bool = False,
) -> Check:
    """Check a signature, given the OID and the parameters of the AlgorithmIdentifier."""
    if isinstance(key, rsa.RSAPublicKey):
        if oid == oids.RSA_PSS:
            return _pss(key, signature, digest, algorithm, parameters)
        named = _RSA_WITH.get(oid, algorithm if oid == oids.RSA else None)
        return _pkcs1(key, signature, digest, algorithm, bare) if named is algorithm else _mismatch(oid)
    named = _ECDSA_WITH.get(oid, algorithm if oid == oids.EC_PUBLIC_KEY else None)
    return _ecdsa(key, signature, digest, algorithm) if named is algorithm else _mismatch(oid)


def _public_key(certificate: x509.Certificate) -> PublicKey | None:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) else None


def _identifier(algorithm: bytes) -> tuple[str, bytes]:
    """Return the OID of an AlgorithmIdentifier and its parameters (DER, or empty). Raises SignatureFormatError."""
    whole = der.expect(algorithm, 0, der.SEQUENCE, "an algorithm")
    oid = der.expect(algorithm, whole.body, der.OID, "an OID", whole.end)
    return der.read_oid(oid.contents(algorithm)), bytes(algorithm[oid.end : whole.end])


def _mismatch(oid: str) -> Check:
    """Return BAD for a known algorithm that doesn't fit the key or the digest, UNKNOWN for an unknown algorithm."""
    known = oid in _RSA_WITH or oid in _ECDSA_WITH or oid in (oids.RSA, oids.EC_PUBLIC_KEY, oids.RSA_PSS)
    return Check.BAD if known else Check.UNKNOWN


def _pkcs1(key: rsa.RSAPublicKey, signature: bytes, digest: bytes, algorithm: DigestAlgorithm, bare: bool) -> Check:
    """Check RSASSA-PKCS1-v1_5. Compares the whole DigestInfo, so that extra data in it makes the signature bad."""
    try:
        recovered = key.recover_data_from_signature(signature, padding.PKCS1v15(), None)
    except InvalidSignature:
        return Check.BAD
    except UnsupportedAlgorithm:
        return Check.UNKNOWN
    oid, value = der.oid(algorithm.oid), der.octets(digest)
    # A DigestInfo without the NULL must be accepted (RFC 8017, 9.2, note 1; appendix B.1).
    allowed = [der.sequence(der.sequence(oid, der.null()), value), der.sequence(der.sequence(oid), value)]
    return Check.GOOD if recovered in allowed or (bare and recovered == digest) else Check.BAD


def _pss(
    key: rsa.RSAPublicKey, signature: bytes, digest: bytes, algorithm: DigestAlgorithm, parameters: bytes
) -> Check:
    hashed, masked, salt = _pss_parameters(parameters)
    if hashed is None or masked is None:
        return Check.UNKNOWN
    longest = (key.key_size + 6) // 8 - algorithm.size - 2  # RFC 8017, 9.1.2, step 3
    if hashed is not algorithm or salt > longest:
        return Check.BAD
    scheme = padding.PSS(padding.MGF1(masked.for_cryptography()), salt)
    try:
        key.verify(signature, digest, scheme, Prehashed(algorithm.for_cryptography()))
    except InvalidSignature:
        return Check.BAD
    except (UnsupportedAlgorithm, ValueError):
        return Check.UNKNOWN
    return Check.GOOD


def _pss_parameters(parameters: bytes) -> tuple[DigestAlgorithm | None, DigestAlgorithm | None, int]:
    """Parse RSASSA-PSS-params: digest algorithm, digest algorithm of the mask, and salt length (RFC 4055, 3.1)."""
    hashed: DigestAlgorithm | None = DigestAlgorithm.SHA1
    masked: DigestAlgorithm | None = DigestAlgorithm.SHA1
    salt = _DEFAULT_SALT
    whole = der.expect(parameters, 0, der.SEQUENCE, "the parameters of RSASSA-PSS")
    fields = list(der.children(parameters, whole))
    tags = [field.tag for field in fields]
    if tags != sorted(set(tags) & set(_PSS_FIELDS)):
        raise SignatureFormatError("the RSASSA-PSS parameters have an undefined or repeated field")
    for field in fields:
        inner = field.contents(parameters)
        if field.tag == _PSS_FIELDS[0]:
            hashed = _hash(inner)
        elif field.tag == _PSS_FIELDS[1]:
            masked = _hash(_identifier(inner)[1])
        else:
            value = int.from_bytes(der.expect(inner, 0, der.INTEGER, "a number").contents(inner), "big", signed=True)
            if value < 0 or (field.tag == _PSS_FIELDS[3] and value != 1):
                raise SignatureFormatError("the RSASSA-PSS parameters have a negative salt length or another trailer")
            salt = value if field.tag == _PSS_FIELDS[2] else salt
    return hashed, masked, salt


def _hash(identifier: bytes) -> DigestAlgorithm | None:
    """Return the digest algorithm of an AlgorithmIdentifier. Raises SignatureFormatError if it has parameters."""
    oid, parameters = _identifier(identifier)
    if parameters not in (b"", der.null()):
        raise SignatureFormatError("a digest algorithm of the RSASSA-PSS parameters has parameters itself")
    return DigestAlgorithm.by_oid(oid)


def _ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes, algorithm: DigestAlgorithm) -> Check:
    try:
        key.verify(signature, digest, ec.ECDSA(Prehashed(algorithm.for_cryptography())))
    except InvalidSignature:
        return Check.BAD
    except UnsupportedAlgorithm:
        return Check.UNKNOWN
    return Check.GOOD
