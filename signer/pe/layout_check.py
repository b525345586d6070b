"""Compare what lief reads with what is expected: the layout of an image, and every result of a change."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.pe.image import Image
from signer.pe.lief_process import Request, reader
from signer.records import dataclass

MAX_READ_WHOLE = 1 << 18
"""Size in bytes of the largest result that lief reads and hashes completely.

Of a larger result, lief reads headers and certificate table, and OpenSSL hashes the ranges that follow from lief's
layout, because lief's digest takes five times as long and copies the image.
"""
MAX_HASHED = 1 << 26
"""Size in bytes of the largest result that is hashed again.

Above it, the second pass takes a quarter of the time of signing. The patch set shows that the digest stays the same
(`signer.pe.embed.require_same_digest`).
"""

_SIGNATURES = "number of signatures"


def prepare() -> None:
    """Start importing lief in the background, before an image is signed."""
    reader().start()


def require_agreement(image: Image) -> None:
    """Raise ImageError unless lief and pefile find the same sections, checksum field and certificate table."""
    LayoutCheck(image).require()


@dataclass(frozen=True, slots=True)
class Expected:
    """The values that lief must find in the result of a change."""

    checksum: int
    table: tuple[int, int]
    """Offset and size of the certificate table; zeros if there is none."""
    signatures: int
    """Number of entries of the table that are signatures."""
    certificates: bytes
    """The certificate table itself."""
    digest: tuple[DigestAlgorithm, bytes] | None
    """The Authenticode digest to compare, or None."""


class LayoutCheck:
    """Compares lief's reading of an image, or of the result of a change, with the expected values.

    Implements `signer.storage.patching.LayoutCheck`. Does not keep the image.
    """

    def __init__(self, image: Image, expected: Expected | None = None) -> None:
        self._headers = bytes(image.data[: image.headers_size])
        self._directory_offset = image.directory_offset
        self._section_count = image.section_count
        self._expected = expected
        self._sections = [[section.offset, section.size] for section in image.sections]
        self._requests: list[tuple[Request, dict[str, Any]]] = []
        """Requests, each with the values that its answer must have."""
        self._source: dict[str, Any] = {
            "sections": self._sections,
            "checksum": int.from_bytes(image.data[image.checksum_offset : image.checksum_offset + 4], "little"),
            "certificate table": [image.table_offset, image.table_size],
        }

    def submit(self, result: bytes | memoryview, path: Path | None = None) -> None:
        """Queue the result for lief without waiting; `path` is a file with its bytes. Batches are sent together."""
        if self._expected is None:
            self._enqueue(self._request("layout", bytes(result[: len(self._headers)])), self._source)
            return
        layout = {
            "sections": self._sections,
            "checksum": self._expected.checksum,
            "certificate table": [*self._expected.table],
        }
        signatures = {_SIGNATURES: self._expected.signatures}
        algorithm, digest = (len(result) <= MAX_HASHED and self._expected.digest) or (None, b"")
        compared = layout | ({"digest": digest.hex()} if algorithm else {})
        if len(result) <= MAX_READ_WHOLE:
            self._enqueue(self._request("whole", bytes(result), str(algorithm or "none")), compared | signatures)
            return
        headers = bytes(result[: len(self._headers)])
        if algorithm is None:
            self._enqueue(self._request("layout", headers), layout)
        else:
            size = len(headers).to_bytes(4, "little")
            action, data = ("file", os.fsencode(path)) if path is not None else ("bytes", bytes(result))
            self._enqueue(self._request(action, size + data, str(algorithm)), compared)
        offset, size_of_table = struct.unpack_from("<II", headers, self._directory_offset)
        excerpt = self._excerpt(headers, result[offset : offset + size_of_table])
        self._enqueue(self._request("whole", excerpt), signatures)

    def require(self) -> None:
        """Wait for lief. Raises ImageError unless it agrees. Without a submitted result, it reads the original."""
        if not self._requests:
            self._enqueue(self._request("layout", self._headers), self._source)
        for request, expected in tuple(self._requests):
            reader().wait_for(request)
            if _SIGNATURES in expected and request.answer and request.answer["signatures"] != expected[_SIGNATURES]:
                expected = {**expected, _SIGNATURES: self._readable_signatures()}
            _require(request, expected)

    def _readable_signatures(self) -> int | None:
        """Return how many signatures of the intended table lief can parse. It does not parse some that Windows accepts.

        An example are those of .NET's SignedCms, whose content is an OCTET STRING.
        """
        assert self._expected is not None
        request = self._request("whole", self._excerpt(self._headers, self._expected.certificates))
        reader().add(request)
        reader().wait_for(request)
        return request.answer["signatures"] if request.answer is not None else self._expected.signatures

    def _request(self, action: str, data: bytes, algorithm: str = "none") -> Request:
        return Request(action, data, self._section_count, algorithm)

    def _enqueue(self, request: Request, expected: dict[str, Any]) -> None:
        reader().add(request)
        self._requests.append((request, expected))

    def _excerpt(self, headers: bytes, certificates: bytes | memoryview) -> bytes:
        """Return an image of only the headers and a certificate table, which follows them."""
        place = self._directory_offset
        start = -(-len(headers) // 8) * 8 if certificates else 0
        moved = headers[:place] + struct.pack("<II", start, len(certificates)) + headers[place + 8 :]
        return moved.ljust(start, b"\0") + bytes(certificates)


def _require(request: Request, expected: dict[str, Any]) -> None:
    """Raise ImageError unless the answer to a request has the expected values."""
    if request.state == "lost":
        raise ImageError(
            "lief did not answer, so the layout of the image could not be checked",
            hint="Run: python3 -c 'import lief' (if that works, the image is damaged)",
        )
    if request.answer is None:
        raise ImageError("lief can't parse the image", hint="The image is damaged or not a PE image: build it again.")
    found = _named(request.answer)
    for field, value in expected.items():
        if value != found[field]:
            raise ImageError(
                f"two parsers disagree about the image's {field}: expected {value}, lief reads {found[field]}",
                hint="Link the image again: its layout is ambiguous, and Windows could hash other bytes.",
            )


def _named(answer: dict[str, Any]) -> dict[str, Any]:
    offset, size = answer["table"]
    return {
        "sections": answer["sections"],
        "checksum": answer["checksum"],
        # Some tools that remove signatures leave an entry with offset or size zero: that means no table.
        "certificate table": [offset, size] if offset and size else [0, 0],
        _SIGNATURES: answer.get("signatures"),
        "digest": answer.get("digest"),
    }
