"""Signatures taken out of images, put into them and taken off, one at a time.

Signatures are counted as they are found: each entry of the certificate table, followed by those nested in it.
"""

from __future__ import annotations

from collections.abc import Iterable

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.cab.cabinet import Cabinet, is_cabinet
from signer.errors import SignatureFormatError, SigningError, UsageError
from signer.pe import certificate_table
from signer.pe.digest import digest_image
from signer.pe.embed import PatchSet, embed
from signer.pe.image import Image
from signer.pkcs7 import indirect_data, nested
from signer.pkcs7.parse import parse

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
    """The changes that take one signature off an image. Where others are nested in it, the first takes its place.

    Raises UsageError where there is no such signature, ImageError (for a cabinet too), SignatureFormatError.
    """
    image = Image.parse(data)
    groups = [_group(primary) for primary in _primaries(image)]
    count = sum(map(len, groups))
    if index >= count:
        raise _no_such(index, count)
    for group in groups:
        if index < len(group):
            del group[index]
            break
        index -= len(group)
    return embed(image, [_joined(group) for group in groups if group])


def attach(data: memoryview | bytes, new: bytes, *, append: bool = False) -> PatchSet:
    """The changes that put a signature made elsewhere into an image, in place of those there or nested in the first.

    Raises SigningError when it is not a signature of this image, ImageError, SignatureFormatError.
    """
    image = Image.parse(data)
    require_digest(image, new)
    old = list(_primaries(image)) if append else []
    return embed(image, [nested.append(old[0], new), *old[1:]] if old else [new])


def require_digest(image: Image, der: bytes) -> DigestAlgorithm:
    """The algorithm of the image's digest in a signature. Raises SigningError when the digest is not the image's."""
    algorithm, digest = signed_digest(der)
    if digest_image(image, [algorithm])[algorithm] != digest:
        raise SigningError(
            f"this is the signature of another image: it is over {algorithm} {digest.hex()}",
            hint="Attach it to the image that it was made for, unchanged since then.",
        )
    return algorithm


def signed_digest(der: bytes) -> tuple[DigestAlgorithm, bytes]:
    """The image digest that a signature is over. Raises SignatureFormatError, SigningError."""
    parsed = parse(der)
    if parsed.content_type != oids.SPC_INDIRECT_DATA:
        raise SigningError(
            f"not the signature of an image but of {oids.name_of(parsed.content_type)}",
            hint="A catalog's signature is the catalog itself.",
        )
    content = indirect_data.parse(parsed.content)
    if content.algorithm is None:
        raise SignatureFormatError(f"the image's digest is of an unknown kind ({content.digest_oid})")
    return content.algorithm, content.digest


def _primaries_of(data: memoryview | bytes) -> Iterable[bytes]:
    if is_cabinet(data):
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
