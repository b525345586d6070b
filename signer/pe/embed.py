"""A signature as a patch set: the few bytes of an image that signing changes. The home of lief.

Source: "PE Format" (Microsoft), "The Attribute Certificate Table".
"""

from __future__ import annotations

import signal
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from signer.errors import ImageError
from signer.pe import certificate_table
from signer.pe.checksum import checksum, sum16
from signer.pe.digest import hash_image, padding
from signer.pe.image import Image


@dataclass(frozen=True, slots=True)
class PatchSet:
    """What makes one image into another: changed bytes, and the size that the file has afterwards."""

    patches: tuple[tuple[int, bytes], ...]
    """Offsets and the bytes that stand there afterwards, some beyond the old end."""
    size: int
    """In bytes; what the old file has beyond it is cut off."""


def embed(image: Image, signatures: Sequence[bytes], word_sum: int | None = None) -> PatchSet:
    """The changes that make `signatures` (DER) the image's certificate table, in the place of one that it has.

    Without signatures the table goes. `word_sum` is that of the image's hashes where it is known. Raises ImageError
    where lief reads the image differently.
    """
    require_agreement(image)
    if image.checksum_offset % 4:
        raise ImageError(
            "the PE header does not begin at a multiple of 4, and Windows loads no such image",
            hint="Link it again.",
            offset=image.checksum_offset,
        )
    end = image.content_end
    start = end + len(padding(end)) if signatures else end
    table = certificate_table.build(signatures)
    entry = struct.pack("<II", start, len(table)) if table else bytes(8)
    tail = padding(end) + table if table else b""
    if word_sum is None:
        word_sum = hash_image(image, (), summed=True).word_sum or 0
    total = checksum((word_sum, sum16(entry), sum16(table)), end + len(tail))
    patches = [(image.checksum_offset, total.to_bytes(4, "little")), (image.directory_offset, entry)]
    return PatchSet((*patches, (end, tail)) if tail else tuple(patches), end + len(tail))


@cache
def _lief() -> Any:
    """lief, silent. An interrupt waits until it is imported: raised inside, it would abort the process."""
    held: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()  # no other thread is interrupted
    before = signal.signal(signal.SIGINT, lambda number, _: held.append(number)) if in_main else None
    try:
        import lief

        lief.logging.disable()
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    if held:
        raise KeyboardInterrupt
    return lief


def require_agreement(image: Image) -> None:
    """Raise ImageError unless lief finds sections, checksum field and certificate table where we do."""
    lief = _lief()
    config = lief.PE.ParserConfig()
    for part in ("signature", "imports", "exports", "reloc", "rsrc", "exceptions", "arm64x_binary"):
        if hasattr(config, f"parse_{part}"):
            setattr(config, f"parse_{part}", False)
    other = lief.PE.parse(bytes(image.data[: image.headers_size]), config)
    if other is None:
        raise ImageError("lief can't read the image", hint="It is damaged, or no PE image.")
    sections = tuple(sorted((s.offset, s.sizeof_raw_data) for s in other.sections if s.offset and s.sizeof_raw_data))
    directory = other.data_directory(lief.PE.DataDirectory.TYPES.CERTIFICATE_TABLE)
    # An entry of which one half is zero, as some tools that take signatures off leave it, names no table.
    table = (directory.rva, directory.size) if directory and directory.rva and directory.size else (0, 0)
    ours = (
        tuple((s.offset, s.size) for s in image.sections),
        _checksum_field(image),
        (image.table_offset, image.table_size),
    )
    theirs = (sections, other.optional_header.checksum, table)
    for what, mine, other_s in zip(("sections", "checksum", "certificate table"), ours, theirs, strict=True):
        if mine != other_s:
            raise ImageError(
                f"two parsers disagree about the image's {what}: pefile reads {mine}, lief {other_s}",
                hint="The image is ambiguous, and Windows might hash other bytes than were signed: link it again.",
            )


def _checksum_field(image: Image) -> int:
    return int.from_bytes(image.data[image.checksum_offset : image.checksum_offset + 4], "little")
