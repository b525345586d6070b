"""Signatures over SpcIndirectDataContent, which images and cabinets have: the digest in them."""

from __future__ import annotations

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.errors import SignatureFormatError, SigningError
from signer.pkcs7 import indirect_data


def signed_digest(signature: bytes) -> tuple[DigestAlgorithm, bytes]:
    """Read the file digest in a signature in DER. Raises SignatureFormatError, SigningError."""
    from signer.pkcs7.parse import parse

    parsed = parse(signature)
    if parsed.content_type != oids.SPC_INDIRECT_DATA:
        raise SigningError(
            f"not the signature of an image or cabinet but of {oids.name_of(parsed.content_type)}",
            hint="A catalog's signature is the catalog itself.",
        )
    content = indirect_data.parse(parsed.inner_content)
    if content.algorithm is None:
        raise SignatureFormatError(f"the file's digest has an unknown algorithm ({content.digest_oid})")
    return content.algorithm, content.digest
