"""Was this certificate, or this CRL, signed with that key?

RSA signatures are opened with the key and the digest is compared here, because MD5 and SHA-1 are refused by the
cryptography of some systems (FIPS, crypto policies), while the policy needs to know whether such a signature is good:
weak and forged are different things.
"""

from __future__ import annotations

from enum import Enum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import SignatureAlgorithmOID

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der


class Check(Enum):
    """What checking a signature gave."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    """The algorithm or the key is of a kind that can't be checked here."""


_RSA = {
    SignatureAlgorithmOID.RSA_WITH_MD5.dotted_string: DigestAlgorithm.MD5,
    "1.3.14.3.2.3": DigestAlgorithm.MD5,  # md5WithRSA of OIW, written by old makecert versions
    SignatureAlgorithmOID.RSA_WITH_SHA1.dotted_string: DigestAlgorithm.SHA1,
    "1.3.14.3.2.29": DigestAlgorithm.SHA1,  # sha1WithRSASignature of OIW, likewise
    SignatureAlgorithmOID.RSA_WITH_SHA256.dotted_string: DigestAlgorithm.SHA256,
    SignatureAlgorithmOID.RSA_WITH_SHA384.dotted_string: DigestAlgorithm.SHA384,
    SignatureAlgorithmOID.RSA_WITH_SHA512.dotted_string: DigestAlgorithm.SHA512,
}
_ECDSA = {
    SignatureAlgorithmOID.ECDSA_WITH_SHA1.dotted_string: DigestAlgorithm.SHA1,
    SignatureAlgorithmOID.ECDSA_WITH_SHA256.dotted_string: DigestAlgorithm.SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384.dotted_string: DigestAlgorithm.SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512.dotted_string: DigestAlgorithm.SHA512,
}
_PSS = SignatureAlgorithmOID.RSASSA_PSS.dotted_string

# DigestInfo up to the digest, with NULL parameters (RFC 8017, 9.2, note 1).
_DIGEST_INFO = {
    DigestAlgorithm.MD5: bytes.fromhex("3020300c06082a864886f70d020505000410"),
    DigestAlgorithm.SHA1: bytes.fromhex("3021300906052b0e03021a05000414"),
    DigestAlgorithm.SHA256: bytes.fromhex("3031300d060960864801650304020105000420"),
    DigestAlgorithm.SHA384: bytes.fromhex("3041300d060960864801650304020205000430"),
    DigestAlgorithm.SHA512: bytes.fromhex("3051300d060960864801650304020305000440"),
}


def digest_of(signature_oid: str) -> DigestAlgorithm | None:
    """The digest that an RSA or ECDSA signature algorithm uses; None where its OID does not say or is unknown."""
    return _RSA.get(signature_oid) or _ECDSA.get(signature_oid)


def load_key(spki: bytes) -> object | None:
    """The public key in a SubjectPublicKeyInfo, or None when it is of a kind that can't be used here."""
    try:
        return load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        return None


def check(signed: x509.Certificate | x509.CertificateRevocationList, spki: bytes) -> Check:
    """Whether the certificate or CRL `signed` carries a good signature by the key in `spki` (SubjectPublicKeyInfo)."""
    if not _is_well_wrapped(signed):
        return Check.BAD
    key = load_key(spki)
    oid = signed.signature_algorithm_oid.dotted_string
    body = signed.tbs_certificate_bytes if isinstance(signed, x509.Certificate) else signed.tbs_certlist_bytes
    if isinstance(key, rsa.RSAPublicKey):
        if oid == _PSS:
            return _pss(key, signed, body)
        digest = _RSA.get(oid)
        return _pkcs1(key, body, signed.signature, digest) if digest is not None else _mismatch(oid)
    if isinstance(key, ec.EllipticCurvePublicKey):
        digest = _ECDSA.get(oid)
        return _ecdsa(key, body, signed.signature, digest) if digest is not None else _mismatch(oid)
    return Check.UNKNOWN


def _is_well_wrapped(signed: x509.Certificate | x509.CertificateRevocationList) -> bool:
    """Whether what stands around the signed part, and is not signed, is as it must be (RFC 5280, 4.1.1.2 and 5.1.1.2).

    The algorithm is the one inside, and the signature is a whole number of bytes: else a certificate could be changed
    and stay good.
    """
    data = signed.public_bytes(Encoding.DER)
    body = der.read(data, der.read(data).body)
    # Before it stand the version and the serial number, neither of them a SEQUENCE.
    inner = next(element for element in der.children(data, body) if element.tag == der.SEQUENCE)
    outer = der.read(data, body.end)
    unused_bits = data[der.read(data, outer.end).body]
    return inner.whole(data) == outer.whole(data) and unused_bits == 0


def _mismatch(oid: str) -> Check:
    """An algorithm of another kind of key makes a bad signature; one never heard of, an unknown one."""
    return Check.BAD if oid in _RSA or oid in _ECDSA or oid == _PSS else Check.UNKNOWN


def _pkcs1(key: rsa.RSAPublicKey, body: bytes, signature: bytes, digest: DigestAlgorithm) -> Check:
    """RSASSA-PKCS1-v1_5: the whole DigestInfo is compared, so nothing can hide beside the digest."""
    try:
        opened = key.recover_data_from_signature(signature, padding.PKCS1v15(), None)
    except InvalidSignature:
        return Check.BAD
    except UnsupportedAlgorithm:
        return Check.UNKNOWN
    return Check.GOOD if opened == _DIGEST_INFO[digest] + digest.hash(body) else Check.BAD


def _pss(key: rsa.RSAPublicKey, signed: x509.Certificate | x509.CertificateRevocationList, body: bytes) -> Check:
    try:
        parameters, algorithm = signed.signature_algorithm_parameters, signed.signature_hash_algorithm
        if not isinstance(parameters, padding.PSS) or algorithm is None:
            return Check.UNKNOWN
        key.verify(signed.signature, body, parameters, algorithm)
    except InvalidSignature:
        return Check.BAD
    except (UnsupportedAlgorithm, ValueError):
        return Check.UNKNOWN
    return Check.GOOD


def _ecdsa(key: ec.EllipticCurvePublicKey, body: bytes, signature: bytes, digest: DigestAlgorithm) -> Check:
    try:
        key.verify(signature, digest.hash(body), ec.ECDSA(Prehashed(digest.for_cryptography())))
    except InvalidSignature:
        return Check.BAD
    except UnsupportedAlgorithm:
        return Check.UNKNOWN
    return Check.GOOD
