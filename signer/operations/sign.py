"""The SIGN line: image, digest, indirect data, SignedData, patches."""

from __future__ import annotations

from dataclasses import dataclass

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.cab import embed as cab_embed
from signer.cab.cabinet import Cabinet
from signer.errors import DigestChanged
from signer.hashing import hash_parts
from signer.keys.identity import SigningIdentity
from signer.pe import certificate_table
from signer.pe.digest import ImageHashes, hash_image
from signer.pe.embed import embed
from signer.pe.image import Image
from signer.pkcs7 import indirect_data, nested
from signer.pkcs7.signed_data import Content, SigningOptions, Timestamper, sign
from signer.storage.patching import PatchSet


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed image or cabinet, as what changes about the unsigned one."""

    changes: PatchSet
    algorithm: DigestAlgorithm
    digest: bytes
    """The file's digest that was signed."""
    signature: bytes
    """The DER of the new signature: ContentInfo with SignedData."""


def sign_image(
    data: memoryview | bytes,
    identity: SigningIdentity,
    options: SigningOptions,
    *,
    page_hashes: bool = False,
    append: bool = False,
    timestamper: Timestamper | None = None,
    second: tuple[SigningOptions, Timestamper | None] | None = None,
) -> Signed:
    """Sign an image: its signatures are replaced, or with `append` the new one is nested in the first.

    `second` is a signature to nest in the new one: SHA-256 in SHA-1, for old Windows and new. Raises ImageError,
    SignatureFormatError (of a signature to append to), IdentityError, TimestampError.
    """
    image = Image.parse(data)
    algorithms = {options.digest, second[0].digest} if second else {options.digest}
    hashes = hash_image(image, algorithms, paged=algorithms if page_hashes else (), summed=True)
    signature = sign(_content(hashes, options.digest), identity, options, timestamper)
    if second is not None:
        signature = nested.append(signature, sign(_content(hashes, second[0].digest), identity, *second))
    changes = embed(image, _signatures(image, signature, append), hashes)
    return Signed(changes, options.digest, hashes.digests[options.digest], signature)


def image_content(image: Image, algorithm: DigestAlgorithm, *, page_hashes: bool = False) -> tuple[bytes, Content]:
    """An image's digest, and the SpcIndirectDataContent that stands for it. Raises ImageError."""
    hashes = hash_image(image, [algorithm], paged=[algorithm] if page_hashes else ())
    return hashes.digests[algorithm], _content(hashes, algorithm)


def _content(hashes: ImageHashes, algorithm: DigestAlgorithm) -> Content:
    """What stands for an image in a signature, with its page hashes if it was asked for them."""
    digest, pages = hashes.digests[algorithm], hashes.pages.get(algorithm)
    return Content(oids.SPC_INDIRECT_DATA, indirect_data.for_image(algorithm, digest, pages))


def sign_cabinet(
    data: memoryview | bytes,
    identity: SigningIdentity,
    options: SigningOptions,
    *,
    append: bool = False,
    timestamper: Timestamper | None = None,
) -> Signed:
    """Sign a cabinet: its signature is replaced, or with `append` the new one is nested in it. All bytes may move.

    Raises MalformedInput, SignatureFormatError (of a signature to append to), IdentityError, TimestampError.
    """
    cabinet = Cabinet.parse(data)
    prepared = cab_embed.prepare(cabinet)
    digest, content = cabinet_content(prepared, options.digest)
    signature = sign(content, identity, options, timestamper)
    whole = nested.append(cabinet.signed_data(), signature) if append and cabinet.is_signed else signature
    result = cab_embed.embed(prepared, whole)
    if hash_parts(Cabinet.parse(result).hashed_ranges(), [options.digest])[options.digest] != digest:
        raise DigestChanged("cabinet")
    return Signed(_rewritten(result), options.digest, digest, signature)


def cabinet_content(prepared: bytes, algorithm: DigestAlgorithm) -> tuple[bytes, Content]:
    """The digest of a cabinet that was prepared for a signature, and the SpcIndirectDataContent that stands for it."""
    cabinet = Cabinet.parse(prepared)
    digest = hash_parts(cabinet.hashed_ranges(), [algorithm])[algorithm]
    enhanced = algorithm.hash(cabinet.size_field)
    return digest, Content(oids.SPC_INDIRECT_DATA, indirect_data.for_cabinet(algorithm, digest, enhanced))


def strip_cabinet(data: memoryview | bytes) -> PatchSet | None:
    """The changes that take the signature off a cabinet; None when it has none. Raises MalformedInput."""
    cabinet = Cabinet.parse(data)
    return _rewritten(cab_embed.strip(cabinet)) if cabinet.is_signed else None


def _rewritten(data: bytes) -> PatchSet:
    return PatchSet(((0, data),), len(data))


def strip_image(data: memoryview | bytes) -> PatchSet | None:
    """The changes that take all signatures off an image; None when it has none. Raises ImageError."""
    image = Image.parse(data)
    return embed(image, []) if image.is_signed else None


def _signatures(image: Image, signature: bytes, append: bool) -> list[bytes]:
    """The signatures for the certificate table: the new one, or the old ones with the new one nested in the first."""
    old = [entry.signed_data() for entry in certificate_table.read(image) if entry.is_signed_data] if append else []
    return [nested.append(old[0], signature), *old[1:]] if old else [signature]
