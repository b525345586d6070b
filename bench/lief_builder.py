"""Measure what LIEF's builder changes in images when it writes them again, against the patch set of signing.

    python -m bench.lief_builder FOLDER

Each image (*.sys, *.dll, *.exe, *.efi) that signing accepts is parsed and written by LIEF with nothing changed in
between. Printed is in how many of them bytes outside checksum, certificate table and its directory entry differ, how
many have another Authenticode digest or size, and how many lost bytes behind their sections. Then each is signed with
an embedded signature, and the digest that LIEF computes of the result is compared with the one that was signed.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import lief

from signer.algorithms import DigestAlgorithm
from signer.errors import SignerError
from signer.pe.digest import digest_image
from signer.pe.embed import embed
from signer.pe.image import Image

_SUFFIXES = (".sys", ".dll", ".exe", ".efi")
_SIGNATURE = b"\x30\x03\x02\x01\x05"
"""Some DER: what is in the signature does not matter here."""
_SHA256 = DigestAlgorithm.SHA256


@dataclass(frozen=True)
class Rebuilt:
    """What LIEF's builder made of one image."""

    changed: int
    """Bytes outside the signature's fields that differ; of the shorter file."""
    grown: int
    """How many bytes the content before the certificate table became longer; negative where it was cut."""
    same_digest: bool | None
    """Whether the Authenticode digest stayed; None where the result is no image that can be hashed."""
    overlay_lost: bool
    """Whether bytes between the last section and the certificate table are gone or differ."""


def rebuilt(data: bytes) -> Rebuilt:
    """Have LIEF parse and write an image. Raises SignerError where signing would refuse it, RuntimeError."""
    before = Image.parse(data)
    written = _written_by_lief(data)
    try:
        after = Image.parse(written)
    except SignerError:
        return Rebuilt(_differences(before, written), len(written) - before.content_end, None, False)
    end = max(section.end for section in before.sections) if before.sections else before.headers_size
    overlay = data[end : before.content_end]
    same = digest_image(before, [_SHA256]) == digest_image(after, [_SHA256])
    return Rebuilt(
        _differences(before, written),
        after.content_end - before.content_end,
        same,
        bool(overlay.strip(b"\0")) and overlay not in written,
    )


def _written_by_lief(data: bytes) -> bytes:
    image = lief.PE.parse(data)
    if image is None:
        raise RuntimeError("LIEF can't read it")
    builder = lief.PE.Builder(image, lief.PE.Builder.config_t())
    builder.build()
    return bytes(builder.raw_bytes())


def _differences(before: Image, written: bytes) -> int:
    """How many bytes differ that no signature changes."""
    size = min(before.content_end, len(written))
    excluded = {*range(before.checksum_offset, before.checksum_offset + 4)}
    excluded |= {*range(before.directory_offset, before.directory_offset + 8)}
    old, new = bytes(before.data[:size]), written[:size]
    return sum(a != b for place, (a, b) in enumerate(zip(old, new, strict=True)) if a != b and place not in excluded)


def digest_of_result(data: bytes) -> bool:
    """Whether LIEF computes for the signed image the digest that was signed. Raises SignerError."""
    image = Image.parse(data)
    result = embed(image, [_SIGNATURE]).unchecked(data)
    parsed = lief.PE.parse(result)
    digest = digest_image(image, [_SHA256])[_SHA256]
    return parsed is not None and bytes(parsed.authentihash(lief.PE.ALGORITHMS.SHA_256)) == digest


def images(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES and path.is_file():
            data = path.read_bytes()
            try:
                Image.parse(data)
            except SignerError:
                continue
            yield path, data


def main() -> None:
    lief.logging.disable()
    counts: Counter[str] = Counter()
    changed: list[int] = []
    start = time.perf_counter()
    for path, data in images(Path(sys.argv[1])):
        counts["images"] += 1
        if not digest_of_result(data):
            counts["another digest computed of the signed image"] += 1
            print(f"  {path.name}: LIEF computes another digest")
        try:
            found = rebuilt(data)
        except RuntimeError as error:
            counts["not written"] += 1
            print(f"  {path.name}: {error}")
            continue
        changed.append(found.changed)
        counts["bytes changed outside the signature"] += found.changed > 0
        counts["size changed"] += found.grown != 0
        counts["digest changed"] += found.same_digest is False
        counts["no longer an image that can be hashed"] += found.same_digest is None
        counts["bytes behind the sections lost"] += found.overlay_lost
    for label, number in counts.items():
        print(f"{number:5} {label}")
    changed.sort()
    print(f"bytes changed: median {changed[len(changed) // 2]}, most {changed[-1]}")
    print(f"{time.perf_counter() - start:.1f} s, LIEF {version('lief')}")


if __name__ == "__main__":
    main()
