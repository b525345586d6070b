"""Signatures, timestamps and a catalog with the keys of `tests.fuzz.identities`, the same in every run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, hash_file, subjects
from catalogs.catalog.trust_list import CertificateTrustList, NameValue
from signer.algorithms import DigestAlgorithm
from signer.formats.detect import opened
from signer.keys.identity import SigningIdentity
from signer.pkcs7 import nested
from signer.pkcs7.signed_data import SigningOptions, TimestampAttribute, Timestamper, sign
from signer.pkcs7.timestamp_request import legacy_answer, legacy_request, rfc3161_answer, rfc3161_request
from tests.fuzz.identities import NOON, authority, signer
from tests.support.images import PeSpec

SHA1, SHA256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256
NONCE = 7
OPTIONS = SigningOptions(description="Hello", url="http://example.com/")
DRIVER = PeSpec(overlay=bytes(16)).build()


def rfc3161(signature: bytes) -> TimestampAttribute:
    """Timestamp a signature by RFC 3161."""
    answer = authority().answer(rfc3161_request(signature, SHA256, NONCE))
    return rfc3161_answer(answer, signature, SHA256, NONCE)


def legacy(signature: bytes) -> TimestampAttribute:
    """Timestamp a signature by the legacy protocol."""
    return legacy_answer(authority().answer_legacy(legacy_request(signature)), signature)


def signature_of(
    data: bytes,
    timestamper: Timestamper | None = None,
    algorithm: DigestAlgorithm = SHA256,
    *,
    page_hashes: bool = False,
    identity: SigningIdentity | None = None,
) -> bytes:
    """Sign a file and return the DER of the signature. The signer is the trusted one by default."""
    _, file = opened(data)
    hashes = file.hash([algorithm], paged=[algorithm] if page_hashes else ())
    content = file.content(hashes, algorithm)
    options = SigningOptions(algorithm, OPTIONS.description, OPTIONS.url)
    return sign(content, identity or signer(), options, timestamper)


@cache
def signatures() -> tuple[bytes, ...]:
    """Return signatures of `DRIVER`: without a timestamp, with one of each kind, with page hashes, and a nested one."""
    primary = signature_of(DRIVER, algorithm=SHA1)
    return (
        signature_of(DRIVER),
        signature_of(DRIVER, rfc3161),
        signature_of(DRIVER, legacy),
        signature_of(DRIVER, page_hashes=True),
        nested.append(primary, signature_of(DRIVER, rfc3161)),
    )


def embedded(data: bytes, *found: bytes) -> bytes:
    """Return a file with these signatures."""
    _, file = opened(data)
    return file.with_signatures(found).unchecked(data)


@cache
def catalog(version: int = 2, note: int = 0) -> Catalog:
    """Return a signed catalog that lists `DRIVER` and a text."""
    named = [NameValue("File", MEMBER_FLAGS, "hello.sys"), NameValue("OSAttr", MEMBER_FLAGS, "2:6.1,2:10.0")]
    files = [hash_file(memoryview(DRIVER), page_hashes=DigestAlgorithm.SHA256), hash_file(memoryview(b"[Version]"))]
    entries = [entry for file in files for entry in subjects(file, named, version)]
    own = [
        NameValue("Note", MEMBER_FLAGS, str(note)),
        NameValue("OS", MEMBER_FLAGS, "10X64"),
        NameValue("HWID1", MEMBER_FLAGS, "root\\hello"),
    ]
    trusted = CertificateTrustList(
        version, bytes(16), NOON, tuple(sorted(entries, key=lambda one: one.identifier)), tuple(own)
    )
    return Catalog.parse(sign(Catalog(trusted).content, signer(), OPTIONS, rfc3161))


@cache
def content_hash() -> bytes:
    """Return the SHA-256 digest of `DRIVER`."""
    return opened(DRIVER)[1].hash([SHA256]).digests[SHA256]


def all_files() -> Iterator[bytes]:
    """Yield the driver with each signature, and the catalogs."""
    for signature in signatures():
        yield embedded(DRIVER, signature)
    yield from (catalog(version).to_bytes() for version in (1, 2))
