"""Is a SignerInfo true: do its attributes cover the content, and does its signature cover the attributes?

Source: RFC 2315, 9.2 to 9.4; RFC 5652, 5.3, 5.6 and 11. Nothing here asks who the signer is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography import x509

from signer.asn1 import der, oids
from signer.certificates import common_name
from signer.errors import CertificateError, SignatureFormatError
from signer.keys.check import Check, check_signature
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo
from signer.pkcs7.problem import Problem


def check_signed_data(signed: ParsedSignedData, certificates: Iterable[x509.Certificate] = ()) -> list[Problem]:
    """What is wrong with the only signer of a SignedData that carries its content.

    The signer's certificate is looked for in it, then among `certificates`.
    """
    if len(signed.signers) != 1:
        return [Problem("signer-count", f"it has {len(signed.signers)} signers, where one is allowed")]
    (signer,) = signed.signers
    problems = [*_digest_algorithms(signed, signer)]
    if not signed.content:
        problems.append(Problem("content-missing", "the content that was signed is not in it"))
    problems += check_signer(signer, signed.content_type, signed.content_octets)
    try:
        certificate = find_certificate(signed, signer, certificates)
    except (CertificateError, SignatureFormatError) as error:
        return [*problems, Problem("signer-certificate-unreadable", f"the signer's certificate: {error.message}")]
    return [*problems, *check_value(signer, certificate)]


def check_signer(signer: ParsedSignerInfo, content_type: str, octets: bytes) -> Iterator[Problem]:
    """What is wrong with the signed attributes, given the content that they are to cover."""
    if not signer.signed_attributes_der:
        yield Problem("attributes-missing", "it has no signed attributes, which every signature of code has")
        return
    yield from _content_type(signer, content_type)
    yield from _message_digest(signer, octets)


def check_value(
    signer: ParsedSignerInfo, certificate: x509.Certificate | None, *, bare: bool = False
) -> Iterator[Problem]:
    """What is wrong with the signature over the attributes, given the signer's certificate; `bare` as with the key."""
    if certificate is None:
        yield Problem("signer-certificate-missing", "the certificate of the signer is not in it")
        return
    algorithm = signer.digest_algorithm
    if algorithm is None:
        yield Problem("digest-algorithm-unknown", f"it was made with a digest that is not known ({signer.digest_oid})")
        return
    digest = algorithm.hash(signer.signed_attributes_der)
    try:
        found = check_signature(
            certificate, signer.signature, digest, signer.digest_oid, signer.signature_algorithm, bare=bare
        )
    except SignatureFormatError as error:
        yield Problem("signature-unverifiable", f"its signature algorithm can't be read: {error.message}")
        return
    who = repr(common_name(certificate))
    if found is Check.BAD:
        yield Problem("signature-mismatch", f"the signature is not one of {who} over the signed attributes")
    elif found is Check.UNKNOWN:
        yield Problem("signature-unverifiable", f"the key of {who} or its signature is of a kind that is not known")


def find_certificate(
    signed: ParsedSignedData, signer: ParsedSignerInfo, others: Iterable[x509.Certificate] = ()
) -> x509.Certificate | None:
    """The signer's certificate, carried in the SignedData or one of `others`; None where there is none.

    Raises CertificateError or SignatureFormatError when it can't be read.
    """
    found = signed.certificate_of(signer)
    return found or next((certificate for certificate in others if signer.signed_by(certificate)), None)


def _digest_algorithms(signed: ParsedSignedData, signer: ParsedSignerInfo) -> Iterator[Problem]:
    """The digest that the signer used must be announced in SignedData.digestAlgorithms (RFC 2315, 9.1)."""
    if signer.digest_oid not in signed.digest_oids:
        yield Problem(
            "digest-algorithm-mismatch", "the signer's digest algorithm is not the one that the signed data announces"
        )


def _content_type(signer: ParsedSignerInfo, content_type: str) -> Iterator[Problem]:
    values = signer.signed_attributes.get(oids.CONTENT_TYPE, ())
    if len(values) != 1:
        yield Problem("content-type-attribute", f"it has {len(values)} content types among its signed attributes")
    elif values[0] != der.oid(content_type):
        yield Problem("content-type-attribute", "the signed content type is not the type of the content")


def _message_digest(signer: ParsedSignerInfo, octets: bytes) -> Iterator[Problem]:
    values = signer.signed_attributes.get(oids.MESSAGE_DIGEST, ())
    if len(values) != 1:
        yield Problem("message-digest-attribute", f"it has {len(values)} message digests among its signed attributes")
    elif signer.digest_algorithm is not None and values[0] != der.octets(signer.digest_algorithm.hash(octets)):
        yield Problem("message-digest-mismatch", "the signed message digest is not that of the content")
