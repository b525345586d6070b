"""The pieces of SignedData, written: attributes, algorithms, SignerInfo, and the whole around them.

Source: RFC 2315, 9; where DER leaves a choice, the bytes are SignTool's.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.certificate import certificate_names
from signer.keys.identity import PublicKey, require_supported

Attribute = tuple[str, tuple[bytes, ...]]
"""An attribute: its type, and the DER of its values."""


def attribute(oid: str, values: Iterable[bytes]) -> bytes:
    """An attribute with the DER of its values."""
    return der.sequence(der.oid(oid), der.set_of(values))


def algorithm_identifier(oid: str) -> bytes:
    """An AlgorithmIdentifier with NULL for parameters."""
    return der.sequence(der.oid(oid), der.null())


def signature_algorithm(key: PublicKey) -> bytes:
    """The kind of the key with NULL, as Windows has it for ECDSA too, where RFC 5753, 2.1.1 names the digest too."""
    return algorithm_identifier(oids.RSA if isinstance(key, rsa.RSAPublicKey) else oids.EC_PUBLIC_KEY)


def retagged(set_of: bytes, number: int) -> bytes:
    """A SET OF as `[number] IMPLICIT`."""
    return bytes((0xA0 | number,)) + set_of[1:]


def signer_info(
    certificate: x509.Certificate,
    algorithm: DigestAlgorithm,
    attributes: bytes,
    signature: bytes,
    unsigned: Iterable[Attribute] = (),
) -> bytes:
    """SignerInfo of version 1, which names the signer by issuer and serial number; `attributes` is a DER SET OF."""
    issuer, serial = certificate_names(certificate.public_bytes(Encoding.DER))
    others = [attribute(*one) for one in unsigned]
    return der.sequence(
        der.integer(1),
        der.sequence(issuer, der.integer(serial)),
        algorithm_identifier(algorithm.oid),
        retagged(attributes, 0),
        signature_algorithm(require_supported(certificate.public_key())),
        der.octets(signature),
        *([retagged(der.set_of(others), 1)] if others else ()),
    )


def signed_data(
    version: int, algorithm: DigestAlgorithm, oid: str, content: bytes, certificates: Iterable[bytes], signer: bytes
) -> bytes:
    """ContentInfo with SignedData of one signer, over the DER of a content of the type `oid`."""
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
