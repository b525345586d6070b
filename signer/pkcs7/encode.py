"""Encode SignedData and its parts: attributes, algorithm identifiers and SignerInfo.

Source: RFC 2315, 9. Where DER allows several encodings, the bytes are those of SignTool.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.certificate import certificate_names
from signer.certificates import public_key
from signer.keys.identity import PublicKey, require_supported

Attribute = tuple[str, tuple[bytes, ...]]
"""An attribute: the OID of its type, and the DER of each value."""


def attribute(oid: str, values: Iterable[bytes]) -> bytes:
    """Encode an attribute, given the DER of its values."""
    return der.sequence(der.oid(oid), der.set_of(values))


def algorithm_identifier(oid: str) -> bytes:
    """Encode an AlgorithmIdentifier with NULL parameters."""
    return der.sequence(der.oid(oid), der.null())


def signature_algorithm(key: PublicKey) -> bytes:
    """Encode the AlgorithmIdentifier of a signature: the type of the key, with NULL parameters.

    Windows writes this for ECDSA too, although RFC 5753, 2.1.1 requires an OID that names the digest algorithm.
    """
    return algorithm_identifier(oids.RSA if isinstance(key, rsa.RSAPublicKey) else oids.EC_PUBLIC_KEY)


def implicit(set_of: bytes, number: int) -> bytes:
    """Replace the tag of a SET OF by `[number] IMPLICIT`."""
    return bytes((0xA0 | number,)) + set_of[1:]


def signer_info(
    certificate: x509.Certificate,
    algorithm: DigestAlgorithm,
    attributes: bytes,
    signature: bytes,
    unsigned: Iterable[Attribute] = (),
) -> bytes:
    """Encode a SignerInfo of version 1, which identifies the signer by issuer and serial number.

    `attributes` is the DER SET OF signed attributes, `unsigned` the unsigned attributes. Raises IdentityError for a key
    that Authenticode does not support, and CertificateError for one that can't be parsed.
    """
    issuer, serial = certificate_names(certificate.public_bytes(Encoding.DER))
    others = [attribute(*one) for one in unsigned]
    return der.sequence(
        der.integer(1),
        der.sequence(issuer, der.integer(serial)),
        algorithm_identifier(algorithm.oid),
        implicit(attributes, 0),
        signature_algorithm(require_supported(public_key(certificate))),
        der.octets(signature),
        *([implicit(der.set_of(others), 1)] if others else ()),
    )


def signed_data(
    version: int, algorithm: DigestAlgorithm, oid: str, content: bytes, certificates: Iterable[bytes], signer: bytes
) -> bytes:
    """Encode a ContentInfo that contains SignedData with one signer.

    `content` is the DER of the signed content, `oid` its type. `certificates` are DER; duplicates are removed.
    """
    carried = sorted(set(certificates))
    return der.sequence(
        der.oid(oids.SIGNED_DATA),
        der.explicit(
            0,
            der.sequence(
                der.integer(version),
                der.tlv(der.SET, algorithm_identifier(algorithm.oid)),
                der.sequence(der.oid(oid), der.explicit(0, content)),
                *([der.explicit(0, *carried)] if carried else ()),
                der.tlv(der.SET, signer),
            ),
        ),
    )
