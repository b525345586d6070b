"""Was this digest signed with that key?

RSA signatures are opened with the key and what is in them is compared here, because MD5 and SHA-1 are refused by the
cryptography of some systems (FIPS, crypto policies), while a policy needs to know whether such a signature is good:
weak and forged are different things. Sources: RFC 8017, 8.1 and 8.2; RFC 4055, 3.1; RFC 5753, 2.1.
"""

from __future__ import annotations

from enum import Enum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.keys.identity import PublicKey


class Check(Enum):
    """What checking a signature gave."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    """The algorithm or the key is of a kind that can't be checked here."""


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


def check_signature(
    certificate: x509.Certificate,
    signature: bytes,
    digest: bytes,
    digest_oid: str,
    signature_algorithm: bytes,
    *,
    bare: bool = False,
) -> Check:
    """Whether `signature` is that of the certificate's key over `digest`.

    `signature_algorithm` is the DER of the AlgorithmIdentifier that stands with the signature: rsaEncryption or
    id-ecPublicKey alone, or with the digest in its name, which must then be the algorithm of `digest_oid`. Raises
    SignatureFormatError when it can't be read.
    With `bare`, RSA may also have signed the digest without its DigestInfo, as VeriSign's and Symantec's legacy
    timestamps do.
    """
    algorithm = DigestAlgorithm.by_oid(digest_oid)
    key = _public_key(certificate)
    if algorithm is None or key is None:
        return Check.UNKNOWN
    return _check(key, signature, digest, algorithm, *_identifier(signature_algorithm), bare=bare)


def check_body(key: object, signature: bytes, body: bytes, signature_algorithm: bytes) -> Check:
    """Whether `signature` is that of `key` over `body`, as certificates and revocation lists are signed.

    `signature_algorithm` is the DER of the AlgorithmIdentifier, which names the digest. Raises SignatureFormatError.
    """
    oid, parameters = _identifier(signature_algorithm)
    algorithm = _pss_parameters(parameters)[0] if oid == oids.RSA_PSS else digest_of(oid)
    if algorithm is None or not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return Check.UNKNOWN
    return _check(key, signature, algorithm.hash(body), algorithm, oid, parameters)


def digest_of(signature_oid: str) -> DigestAlgorithm | None:
    """The digest that an RSA or ECDSA signature algorithm uses; None where its OID does not say or is unknown."""
    return _RSA_WITH.get(signature_oid) or _ECDSA_WITH.get(signature_oid)


def load_key(spki: bytes) -> object | None:
    """The public key in a SubjectPublicKeyInfo, or None when it is of a kind that can't be used here."""
    try:
        return load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        return None


def check_digest(key: PublicKey, signature: bytes, digest: bytes, algorithm: DigestAlgorithm) -> Check:
    """Whether `signature` is RSASSA-PKCS1-v1_5 or ECDSA (as DER) by the private half of `key` over `digest`."""
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
    """The same, given the parts of the AlgorithmIdentifier."""
    if isinstance(key, rsa.RSAPublicKey):
        if oid == oids.RSA_PSS:
            return _pss(key, signature, digest, algorithm, parameters)
        named = _RSA_WITH.get(oid, algorithm if oid == oids.RSA else None)
        return _pkcs1(key, signature, digest, algorithm, bare) if named is algorithm else _refused(oid)
    named = _ECDSA_WITH.get(oid, algorithm if oid == oids.EC_PUBLIC_KEY else None)
    return _ecdsa(key, signature, digest, algorithm) if named is algorithm else _refused(oid)


def _public_key(certificate: x509.Certificate) -> PublicKey | None:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) else None


def _identifier(algorithm: bytes) -> tuple[str, bytes]:
    """The OID of an AlgorithmIdentifier, and its parameters as DER or nothing. Raises SignatureFormatError."""
    whole = der.expect(algorithm, 0, der.SEQUENCE, "an algorithm")
    oid = der.expect(algorithm, whole.body, der.OID, "an OID", whole.end)
    return der.read_oid(oid.contents(algorithm)), bytes(algorithm[oid.end : whole.end])


def _refused(oid: str) -> Check:
    """An algorithm of another kind of key or digest makes a bad signature; one never heard of, an unknown one."""
    known = oid in _RSA_WITH or oid in _ECDSA_WITH or oid in (oids.RSA, oids.EC_PUBLIC_KEY, oids.RSA_PSS)
    return Check.BAD if known else Check.UNKNOWN


def _pkcs1(key: rsa.RSAPublicKey, signature: bytes, digest: bytes, algorithm: DigestAlgorithm, bare: bool) -> Check:
    """RSASSA-PKCS1-v1_5: the whole DigestInfo is compared, so nothing can hide beside the digest."""
    try:
        opened = key.recover_data_from_signature(signature, padding.PKCS1v15(), None)
    except InvalidSignature:
        return Check.BAD
    except UnsupportedAlgorithm:
        return Check.UNKNOWN
    oid, value = der.oid(algorithm.oid), der.octets(digest)
    # Signers that leave out the NULL are to be accepted (RFC 8017, 9.2, note 1; appendix B.1).
    allowed = [der.sequence(der.sequence(oid, der.null()), value), der.sequence(der.sequence(oid), value)]
    return Check.GOOD if opened in allowed or (bare and opened == digest) else Check.BAD


def _pss(
    key: rsa.RSAPublicKey, signature: bytes, digest: bytes, algorithm: DigestAlgorithm, parameters: bytes
) -> Check:
    hashed, masked, salt = _pss_parameters(parameters)
    if hashed is None or masked is None:
        return Check.UNKNOWN
    if hashed is not algorithm:
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
    """RSASSA-PSS-params: the digest, the digest of the mask, and the salt's length (RFC 4055, 3.1)."""
    hashed: DigestAlgorithm | None = DigestAlgorithm.SHA1
    masked: DigestAlgorithm | None = DigestAlgorithm.SHA1
    salt = _DEFAULT_SALT
    whole = der.expect(parameters, 0, der.SEQUENCE, "the parameters of RSASSA-PSS")
    for field in der.children(parameters, whole):
        inner = field.contents(parameters)
        if field.tag == 0xA0:
            hashed = DigestAlgorithm.by_oid(_identifier(inner)[0])
        elif field.tag == 0xA1:
            masked = DigestAlgorithm.by_oid(_identifier(_identifier(inner)[1])[0])
        elif field.tag == 0xA2:
            salt = int.from_bytes(
                der.expect(inner, 0, der.INTEGER, "a salt length").contents(inner), "big", signed=True
            )
    if salt < 0:
        raise SignatureFormatError("a salt of negative length in the parameters of RSASSA-PSS")
    return hashed, masked, salt


def _ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes, digest: bytes, algorithm: DigestAlgorithm) -> Check:
    try:
        key.verify(signature, digest, ec.ECDSA(Prehashed(algorithm.for_cryptography())))
    except InvalidSignature:
        return Check.BAD
    except UnsupportedAlgorithm:
        return Check.UNKNOWN
    return Check.GOOD
