"""Check a SignerInfo: its attributes must cover the content, and its signature must cover the attributes.

Source: RFC 2315, 9.2 to 9.4; RFC 5652, 5.3, 5.6 and 11. Does not check whether the signer is trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography import x509

from signer.asn1 import der, oids
from signer.certificates import common_name
from signer.errors import CertificateError, SignatureFormatError
from signer.keys.check import Check, check_signature
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo
from signer.pkcs7.problem import SignatureProblem


def check_signed_data(
    signed: ParsedSignedData, certificates: Iterable[x509.Certificate] = ()
) -> list[SignatureProblem]:
    """Check the only signer of a SignedData with its content. Return the problems.

    Looks for the signer's certificate in the SignedData, then among `certificates`.
    """
    if len(signed.signers) != 1:
        return [
            SignatureProblem(
                "signer-count", f"the signature has {len(signed.signers)} signers, but only one is allowed"
            )
        ]
    (signer,) = signed.signers
    problems = [*signed.structure.problems, *_digest_algorithms(signed, signer)]
    if not signed.content:
        problems.append(SignatureProblem("content-missing", "the signature does not contain the signed content"))
    problems += check_signer(signer, signed.content_type, signed.content_octets)
    try:
        certificate = find_certificate(signed, signer, certificates)
    except (CertificateError, SignatureFormatError) as error:
        return [
            *problems,
            SignatureProblem("signer-certificate-unreadable", f"the signer's certificate: {error.message}"),
        ]
    return [*problems, *check_value(signer, certificate)]


def check_signer(signer: ParsedSignerInfo, content_type: str, octets: bytes) -> Iterator[SignatureProblem]:
    """Check that the signed attributes cover the content: its type, and its octets. Yield the problems."""
    if not signer.signed_attributes_der:
        yield SignatureProblem(
            "attributes-missing", "the signature has no signed attributes, which Authenticode requires"
        )
        return
    yield from _content_type(signer, content_type)
    yield from _message_digest(signer, octets)


def check_value(
    signer: ParsedSignerInfo, certificate: x509.Certificate | None, *, bare: bool = False
) -> Iterator[SignatureProblem]:
    """Check the signature over the signed attributes. Yield the problems. For `bare`, see `check_signature`."""
    if certificate is None:
        yield SignatureProblem("signer-certificate-missing", "the signature does not contain the signer's certificate")
        return
    algorithm = signer.digest_algorithm
    if algorithm is None:
        yield SignatureProblem("digest-algorithm-unknown", f"the digest algorithm {signer.digest_oid} is not supported")
        return
    digest = algorithm.hash(signer.signed_attributes_der)
    try:
        found = check_signature(
            certificate, signer.signature, digest, signer.digest_oid, signer.signature_algorithm, bare=bare
        )
    except SignatureFormatError as error:
        yield SignatureProblem("signature-unverifiable", f"the signature algorithm is malformed: {error.message}")
        return
    name = repr(common_name(certificate))
    if found is Check.BAD:
        message = f"the signature over the signed attributes does not match the key of {name}"
        yield SignatureProblem("signature-mismatch", message)
    elif found is Check.UNKNOWN:
        yield SignatureProblem(
            "signature-unverifiable", f"the key or the signature algorithm of {name} is not supported"
        )


def find_certificate(
    signed: ParsedSignedData, signer: ParsedSignerInfo, others: Iterable[x509.Certificate] = ()
) -> x509.Certificate | None:
    """Return the signer's certificate from the SignedData or from `others`, or None if it is in neither.

    Raises CertificateError or SignatureFormatError if it is malformed.
    """
    found = signed.certificate_of(signer)
    return found or next((certificate for certificate in others if signer.signed_by(certificate)), None)


def _digest_algorithms(signed: ParsedSignedData, signer: ParsedSignerInfo) -> Iterator[SignatureProblem]:
    """Check that SignedData.digestAlgorithms contains the signer's digest algorithm (RFC 2315, 9.1)."""
    if signer.digest_oid not in signed.digest_oids:
        message = "the signer's digest algorithm is not among the digestAlgorithms of the SignedData"
        yield SignatureProblem("digest-algorithm-mismatch", message)


def _content_type(signer: ParsedSignerInfo, content_type: str) -> Iterator[SignatureProblem]:
    values = signer.signed_attributes.get(oids.CONTENT_TYPE, ())
    if len(values) != 1:
        message = f"the signed attributes have {len(values)} content types, but must have exactly one"
        yield SignatureProblem("content-type-attribute", message)
    elif values[0] != der.oid(content_type):
        yield SignatureProblem("content-type-attribute", "the signed content type differs from the type of the content")


def _message_digest(signer: ParsedSignerInfo, octets: bytes) -> Iterator[SignatureProblem]:
    values = signer.signed_attributes.get(oids.MESSAGE_DIGEST, ())
    if len(values) != 1:
        message = f"the signed attributes have {len(values)} message digests, but must have exactly one"
        yield SignatureProblem("message-digest-attribute", message)
    elif signer.digest_algorithm is not None and values[0] != der.octets(signer.digest_algorithm.hash(octets)):
        yield SignatureProblem(
            "message-digest-mismatch", "the signed message digest differs from the digest of the content"
        )
