"""Sign in two steps with an external key: write a request, then complete the signature from the signature value.

The request is the signed attributes as DER SET OF, so that `openssl dgst -sha256 -sign KEY` over it, or any other
service that signs digests, makes the signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.der_check import require_der
from signer.certificates import common_name, public_key
from signer.errors import MalformedInput, SignatureFormatError, SigningError
from signer.formats.detect import opened
from signer.formats.format import PAGE_HASH_ALGORITHMS
from signer.keys.identity import require_supported
from signer.numbers import counted
from signer.pkcs7.signed_data import Content, Prepared, SigningOptions, prepare, signed_attributes

MAX_REQUEST = 1 << 20
"""Maximum size in bytes of a request; most have 100 to 300."""
SigningCandidate = tuple[SigningOptions, Content]
"""One way to sign a file: the options of the signature and its content."""


def request(content: Content, options: SigningOptions) -> bytes:
    """Return the data that the key has to sign."""
    return signed_attributes(content, options)


def request_for(data: memoryview | bytes, options: SigningOptions, *, page_hashes: bool = False) -> tuple[bytes, bytes]:
    """Return the data that the key has to sign, and the file's digest. Raises SigningError, MalformedInput."""
    row, file = opened(data)
    hashes = file.hash([options.digest], paged=[options.digest] if page_hashes and row.features.page_hashes else ())
    return request(file.content(hashes, options.digest), options), hashes.digests[options.digest]


def candidates(
    data: memoryview | bytes, options: SigningOptions, algorithms: Iterable[DigestAlgorithm]
) -> Iterator[SigningCandidate]:
    """List the ways to sign a file with these algorithms: without page hashes, then with them if supported.

    Raises SigningError, MalformedInput.
    """
    row, file = opened(data)
    for algorithm in algorithms:
        chosen = replace(options, digest=algorithm)
        yield chosen, file.content(file.hash([algorithm]), algorithm)
        if row.features.page_hashes and algorithm in PAGE_HASH_ALGORITHMS:
            try:
                hashes = file.hash([algorithm], paged=[algorithm])
            except MalformedInput:  # the file can't have page hashes: no request asked for them
                continue
            yield chosen, file.content(hashes, algorithm)


def algorithm_of(attributes: bytes) -> DigestAlgorithm:
    """Return the digest algorithm of a request, from the length of its messageDigest. Raises SignatureFormatError."""
    size = len(_message_digest(attributes))
    found = next((algorithm for algorithm in DigestAlgorithm if algorithm.size == size), None)
    if found is None:
        raise SignatureFormatError(
            f"the request's digest has {counted(size, 'byte')}, which no supported algorithm produces"
        )
    return found


def finish(
    attributes: bytes,
    candidates: Iterable[SigningCandidate],
    signature: bytes,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate],
) -> bytes:
    """Return the DER signature of the file with these `candidates`, from the request and the signature value.

    Raises SigningError if the request is not for this file, or the signature not over the request by this
    certificate's key; SignatureFormatError.
    """
    wanted, algorithm = _message_digest(attributes), algorithm_of(attributes)
    for options, content in candidates:
        octets = der.read(content.der).contents(content.der)
        if options.digest is algorithm and algorithm.hash(octets) == wanted:
            prepared = replace(prepare(content, certificate, chain, options), attributes=attributes)
            return _finished(prepared, signature)
    raise SigningError(
        "the request is for a different file, or the file changed after the request was made",
        hint="Make a new request: drvsign sign FILE --detached-request REQUEST",
    )


def finish_any(
    candidates: Iterable[SigningCandidate],
    signature: bytes,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
) -> bytes:
    """Do the same without the request: find the candidate that was signed. Raises SigningError."""
    for options, content in candidates:
        prepared = prepare(content, certificate, chain, options)
        for attributes in _requests(content, options, certificate):
            asked = replace(prepared, attributes=attributes)
            if _is_over(asked, signature):
                return asked.finish(signature)
    raise SigningError(
        "the signature does not match the certificate and the file; without the request, only those that "
        "drvsign sign --detached-request FILE writes without other options are tried",
        hint="Give --request, the file that drvsign sign --detached-request wrote, and the signer's certificate.",
    )


def _requests(content: Content, options: SigningOptions, certificate: x509.Certificate) -> Iterator[bytes]:
    """Yield the possible requests without further options: from `request`, or with the signer's certificate known."""
    for who in (None, certificate):
        for commercial in (False, True):
            yield signed_attributes(content, replace(options, commercial=commercial), who)


def _finished(prepared: Prepared, signature: bytes) -> bytes:
    if not _is_over(prepared, signature):
        made_with = _algorithm_in(prepared.certificate, signature)
        if made_with is not None and made_with is not prepared.algorithm:
            raise SigningError(
                f"the key signed a {made_with} digest; the request requires {prepared.algorithm}",
                hint=f"Sign the {prepared.algorithm} digest of the request, once: openssl dgst -{prepared.algorithm} "
                "-sign KEY -out SIGNATURE REQUEST",
            )
        raise SigningError(
            f"the signature does not match the request and the certificate {common_name(prepared.certificate)!r}",
            hint="Give the certificate of the key that signed, and sign the request's digest once, not twice.",
        )
    return prepared.finish(signature)


def _is_over(prepared: Prepared, signature: bytes) -> bool:
    """Tell whether the certificate's key made this signature over the prepared attributes."""
    key, prehashed = require_supported(public_key(prepared.certificate)), prepared.algorithm.for_cryptography()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, prepared.digest, padding.PKCS1v15(), utils.Prehashed(prehashed))
        else:
            key.verify(signature, prepared.digest, ec.ECDSA(utils.Prehashed(prehashed)))
    except InvalidSignature:
        return False
    return True


def _algorithm_in(certificate: x509.Certificate, signature: bytes) -> DigestAlgorithm | None:
    """Return the digest algorithm of an RSA signature by this certificate's key; None if unknown."""
    key = public_key(certificate)
    if not isinstance(key, rsa.RSAPublicKey):
        return None
    try:
        info = key.recover_data_from_signature(signature, padding.PKCS1v15(), None)
        algorithm = next(der.children(info, der.read(info)))
        return DigestAlgorithm.by_oid(der.read_oid(next(der.children(info, algorithm)).contents(info)))
    except (InvalidSignature, SignatureFormatError, StopIteration):
        return None


def _message_digest(attributes: bytes) -> bytes:
    """Return the messageDigest of signed attributes. Raises SignatureFormatError."""
    if attributes[:1] != bytes((der.SET,)):
        raise _no_request("it is not a SET of attributes in DER")
    if len(attributes) > MAX_REQUEST:
        raise _no_request(f"it has more than {MAX_REQUEST:,} bytes")
    require_der(attributes)
    name = der.oid(oids.MESSAGE_DIGEST)
    for attribute in der.children(attributes, der.read(attributes)):
        parts = list(der.children(attributes, attribute))
        if len(parts) == 2 and parts[0].whole(attributes) == name:
            return der.expect(attributes, parts[1].body, der.OCTET_STRING, "messageDigest").contents(attributes)
    raise _no_request("it has no messageDigest")


def _no_request(why: str) -> SignatureFormatError:
    return SignatureFormatError(
        f"not a signing request: {why}", hint="Give the file that drvsign sign --detached-request wrote."
    )
