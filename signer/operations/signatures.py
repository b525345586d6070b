"""Signatures taken out of images and cabinets, put into them and taken off, one at a time.

Signatures are counted as they are found: each entry of the certificate table, followed by those nested in it.
"""

from __future__ import annotations

from collections.abc import Iterable

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.cab.cabinet import Cabinet
from signer.cab.embed import embed as embed_in_cabinet
from signer.cab.embed import prepare, strip
from signer.errors import SignatureFormatError, SigningError, UsageError
from signer.formats.detect import detect
from signer.formats.table import CABINET
from signer.hashing import hash_parts
from signer.pe import certificate_table
from signer.pe.digest import digest_image
from signer.pe.embed import embed
from signer.pe.image import Image
from signer.pkcs7 import indirect_data, nested
from signer.pkcs7.parse import parse
from signer.storage.patching import PatchSet

Group = list[bytes]
"""A signature of the certificate table without nested ones, and behind it those that were nested in it."""


def signatures(data: memoryview | bytes) -> list[bytes]:
    """The DER of each signature of an image or cabinet as it stands there. Raises ImageError, SignatureFormatError."""
    found = []
    for primary in _primaries_of(data):
        found += [primary, *nested.nested_in(primary)]
    return found


def signature(data: memoryview | bytes, index: int) -> bytes:
    """One of them. Raises UsageError where there is no such signature, ImageError, SignatureFormatError."""
    found = signatures(data)
    if index >= len(found):
        raise _no_such(index, len(found))
    return found[index]


def without_signature(data: memoryview | bytes, index: int) -> PatchSet:
    """The changes that take one signature off a file. Where others are nested in it, the first takes its place.

    Raises UsageError where there is no such signature, ImageError, SignatureFormatError.
    """
    groups = [_group(primary) for primary in _primaries_of(data)]
    count = sum(map(len, groups))
    if index >= count:
        raise _no_such(index, count)
    for group in groups:
        if index < len(group):
            del group[index]
            break
        index -= len(group)
    return _with(data, [_joined(group) for group in groups if group])


def attach(data: memoryview | bytes, new: bytes, *, append: bool = False) -> PatchSet:
    """The changes that put a signature made elsewhere into a file, in place of those there or nested in the first.

    Raises SigningError when it is not a signature of this file, ImageError, MalformedInput, SignatureFormatError.
    """
    require_digest(data, new)
    old = list(_primaries_of(data)) if append else []
    return _with(data, [nested.append(old[0], new), *old[1:]] if old else [new])


def require_digest(data: memoryview | bytes, der: bytes) -> DigestAlgorithm:
    """The algorithm of the file's digest in a signature. Raises SigningError when the digest is not the file's."""
    algorithm, digest = signed_digest(der)
    if digest_of(data, algorithm) != digest:
        what = "cabinet" if detect(data) is CABINET else "image"
        raise SigningError(
            f"this is the signature of another {what}: it is over {algorithm} {digest.hex()}",
            hint=f"Attach it to the {what} that it was made for, unchanged since then.",
        )
    return algorithm


def digest_of(data: memoryview | bytes, algorithm: DigestAlgorithm) -> bytes:
    """What a signature of a file is over. Raises ImageError, MalformedInput."""
    if detect(data) is CABINET:
        return hash_parts(Cabinet.parse(prepare(Cabinet.parse(data))).hashed_ranges(), [algorithm])[algorithm]
    return digest_image(Image.parse(data), [algorithm])[algorithm]


def _with(data: memoryview | bytes, found: list[bytes]) -> PatchSet:
    """The changes that give a file these signatures of its own, and no others."""
    if detect(data) is not CABINET:
        return embed(Image.parse(data), found)
    cabinet = Cabinet.parse(data)
    result = embed_in_cabinet(prepare(cabinet), found[0]) if found else strip(cabinet)
    return PatchSet(((0, result),), len(result))


def signed_digest(der: bytes) -> tuple[DigestAlgorithm, bytes]:
    """The digest that the signature of an image or cabinet is over. Raises SignatureFormatError, SigningError."""
    parsed = parse(der)
    if parsed.content_type != oids.SPC_INDIRECT_DATA:
        raise SigningError(
            f"not the signature of an image or cabinet but of {oids.name_of(parsed.content_type)}",
            hint="A catalog's signature is the catalog itself.",
        )
    content = indirect_data.parse(parsed.inner_content)
    if content.algorithm is None:
        raise SignatureFormatError(f"the image's digest is of an unknown kind ({content.digest_oid})")
    return content.algorithm, content.digest


def _primaries_of(data: memoryview | bytes) -> Iterable[bytes]:
    if detect(data) is CABINET:
        cabinet = Cabinet.parse(data)
        return [cabinet.signed_data()] if cabinet.is_signed else []
    return _primaries(Image.parse(data))


def _primaries(image: Image) -> Iterable[bytes]:
    return [entry.signed_data() for entry in certificate_table.read(image) if entry.is_signed_data]


def _group(primary: bytes) -> Group:
    inner = nested.nested_in(primary)
    return [nested.with_unsigned(primary, oids.NESTED_SIGNATURE, ()) if inner else primary, *inner]


def _joined(group: Group) -> bytes:
    first, *rest = group
    return nested.with_unsigned(first, oids.NESTED_SIGNATURE, (*nested.nested_in(first), *rest)) if rest else first


def _no_such(index: int, count: int) -> UsageError:
    if count == 0:
        return UsageError("the file is not signed", hint="Sign it with: drvsign sign FILE")
    there = f"the file has {count}, counted from 0"
    return UsageError(f"there is no signature {index}: {there}", hint="See them with: drvsign inspect FILE")
