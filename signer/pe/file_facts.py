"""Read the facts that App Control's file rules compare: version resource, digests and the hash of the first page.

Source: "VS_VERSIONINFO structure" and "StringFileInfo structure" (Win32). App Control's "Policy rules and file rules"
defines the comparison: FileName with OriginalFilename, versions with the fixed file version.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import field

from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.pe.digest import digest_image, first_page
from signer.pe.image import Image
from signer.records import dataclass

Version = tuple[int, int, int, int]

_KEY = "VS_VERSION_INFO\0".encode("utf-16-le")
_FIXED = 0xFEEF04BD
_HEADER = struct.Struct("<HHH")
_MAX_DEPTH = 4
FACT_ALGORITHMS = (DigestAlgorithm.SHA1, DigestAlgorithm.SHA256)
"""The algorithms of the digests that rules of App Control use."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The version resource of an image, its digests and the hashes of its first page."""

    strings: Mapping[str, str] | None = field(default_factory=dict)
    """OriginalFilename, InternalName, ProductName, FileDescription and others, in the first language; None for an image
    with several version resources, because Microsoft does not document which one counts."""
    version: Version | None = None
    """The fixed file version."""
    first_page: Mapping[DigestAlgorithm, bytes] = field(default_factory=dict)
    """The hash of the headers, which is the first row of the page hashes; empty if it can't be computed."""
    digests: Mapping[DigestAlgorithm, bytes] = field(default_factory=dict)
    """The image's digest for each algorithm that rules use."""
    flat_digests: Mapping[DigestAlgorithm, bytes] = field(default_factory=dict)
    """The hash of the whole file for the same algorithms, as `sha256sum` prints it."""


def facts_of(image: Image, known: Mapping[DigestAlgorithm, bytes] | None = None) -> FileFacts:
    """Read the facts of an image. `known` are digests of the image that were computed before."""
    data = bytes(image.data[: image.content_end])
    start = data.find(_KEY)
    digests = {one: digest for one, digest in (known or {}).items() if one in FACT_ALGORITHMS}
    digests |= digest_image(image, [one for one in FACT_ALGORITHMS if one not in digests])
    hashes = (_first_page(image), digests, {one: one.hash(image.data) for one in FACT_ALGORITHMS})
    if start >= 0 and data.find(_KEY, start + 1) >= 0:
        return FileFacts(None, None, *hashes)
    if start < _HEADER.size:
        return FileFacts({}, None, *hashes)
    block = data[start - _HEADER.size :]
    return FileFacts(dict(_strings(block)), _fixed_version(block), *hashes)


def _first_page(image: Image) -> dict[DigestAlgorithm, bytes]:
    found = {}
    for algorithm in FACT_ALGORITHMS:
        try:
            found[algorithm] = first_page(image, algorithm)
        except ImageError:
            return {}
    return found


def _fixed_version(block: bytes) -> Version | None:
    """Read the file version in VS_FIXEDFILEINFO, at the next multiple of four after the key."""
    start = _aligned(_HEADER.size + len(_KEY))
    fixed = block[start : start + 16]
    if len(fixed) < 16 or int.from_bytes(fixed[:4], "little") != _FIXED:
        return None
    high, low = struct.unpack_from("<II", fixed, 8)
    return high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF


def _strings(block: bytes) -> Iterator[tuple[str, str]]:
    """Yield the first value of each name: VS_VERSIONINFO > StringFileInfo > StringTable > String."""
    seen: set[str] = set()
    for key, value, depth in _walk(block, 0, len(block), 0):
        if depth == _MAX_DEPTH - 1 and value is not None and key not in seen:
            seen.add(key)
            yield key, value


def _walk(block: bytes, start: int, end: int, depth: int) -> Iterator[tuple[str, str | None, int]]:
    """Yield key, text value and depth of each node; stop at a node that exceeds its parent."""
    while depth < _MAX_DEPTH and start + _HEADER.size <= end:
        length, value_length, kind = _HEADER.unpack_from(block, start)
        stop = start + length
        if length < _HEADER.size or stop > end:
            return
        key, body = _text(block, start + _HEADER.size, stop)
        body = _aligned(body)
        is_string = depth == _MAX_DEPTH - 1 and kind == 1
        yield key, _text(block, body, stop)[0] if is_string else None, depth
        children = _aligned(body + (0 if kind == 1 else value_length))
        yield from _walk(block, children, stop, depth + 1)
        start = _aligned(stop)
        if depth == 0:
            return


def _text(block: bytes, start: int, end: int) -> tuple[str, int]:
    """Read a UTF-16 string up to its NUL or `end`; return it and the offset after it."""
    at = start
    while at + 2 <= end and block[at : at + 2] != b"\0\0":
        at += 2
    return block[start:at].decode("utf-16-le", "replace"), min(at + 2, end)


def _aligned(offset: int) -> int:
    return (offset + 3) & ~3
