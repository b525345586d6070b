"""A program that reads the headers of images with lief and says what it found there. The home of lief.

It runs as a process of its own and imports nothing of ours. Requests and answers are a length (32 bits, little endian)
and that many bytes: the headers of an image go in, JSON comes out, null where lief can't read them.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from typing import Any, BinaryIO


def main() -> None:
    """Answer requests until there are no more."""
    # An interrupt is for the process that asks; here it would make C++ abort while lief is imported.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # a tenth of the import would go into looking through the thousands of classes that it makes
    import lief

    gc.enable()

    lief.logging.disable()
    while (headers := _receive(sys.stdin.buffer)) is not None:
        answer = json.dumps(layout(lief, headers)).encode()
        sys.stdout.buffer.write(len(answer).to_bytes(4, "little") + answer)
        sys.stdout.buffer.flush()


def layout(lief: Any, headers: bytes) -> dict[str, Any] | None:
    """Where lief finds the parts of an image: offset and size of each section that has bytes in the file, the value of
    the checksum, offset and size of the certificate table."""
    config = lief.PE.ParserConfig()
    for part in ("signature", "imports", "exports", "reloc", "rsrc", "exceptions", "arm64x_binary"):
        if hasattr(config, f"parse_{part}"):
            setattr(config, f"parse_{part}", False)
    image = lief.PE.parse(headers, config)
    if image is None:
        return None
    table = image.data_directory(lief.PE.DataDirectory.TYPES.CERTIFICATE_TABLE)
    return {
        "sections": sorted((s.offset, s.sizeof_raw_data) for s in image.sections if s.offset and s.sizeof_raw_data),
        "checksum": image.optional_header.checksum,
        "table": (table.rva, table.size) if table else (0, 0),
    }


def _receive(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    return stream.read(int.from_bytes(head, "little")) if len(head) == 4 else None


if __name__ == "__main__":
    main()
