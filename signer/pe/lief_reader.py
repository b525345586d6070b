"""A program that reads the headers of images with lief and says what it found there. The home of lief.

It runs as a process of its own and imports nothing of ours. Requests and answers are a length (32 bits, little endian)
and that many bytes: an algorithm and an image or its headers go in, JSON comes out, null where lief can't read them.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from typing import Any, BinaryIO

ALGORITHM_SIZE = 8
"""Bytes of a request before the data: the name of a digest algorithm, or blanks for the headers of an image alone."""
_ALGORITHMS = {"md5": "MD5", "sha1": "SHA_1", "sha256": "SHA_256", "sha384": "SHA_384", "sha512": "SHA_512"}


def main() -> None:
    """Answer requests until there are no more."""
    # An interrupt is for the process that asks; here it would make C++ abort while lief is imported.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # a tenth of the import would go into looking through the thousands of classes that it makes
    import lief

    gc.enable()

    lief.logging.disable()
    while (payload := _receive(sys.stdin.buffer)) is not None:
        algorithm, data = payload[:ALGORITHM_SIZE].strip().decode(), payload[ALGORITHM_SIZE:]
        answer = json.dumps(whole(lief, data, algorithm) if algorithm else layout(lief, data)).encode()
        sys.stdout.buffer.write(len(answer).to_bytes(4, "little") + answer)
        sys.stdout.buffer.flush()


def layout(lief: Any, headers: bytes) -> dict[str, Any] | None:
    """Return where lief finds the parts of an image, from its headers; None where it can't read them.

    These are offset and size of each section that has bytes in the file, the value of the checksum, offset and size of
    the certificate table.
    """
    image = lief.PE.parse(headers, _config(lief, signatures=False))
    return None if image is None else _layout(lief, image)


def whole(lief: Any, data: bytes, algorithm: str) -> dict[str, Any] | None:
    """Return the same of a whole image, with the number of its signatures and its Authenticode digest.

    With the algorithm "none" the digest is left out.
    """
    image = lief.PE.parse(data, _config(lief, signatures=True))
    if image is None:
        return None
    found = {**_layout(lief, image), "signatures": len(image.signatures)}
    if algorithm in _ALGORITHMS:
        named = getattr(lief.PE.ALGORITHMS, _ALGORITHMS[algorithm])
        found["digest"] = bytes(image.authentihash(named)).hex()
    return found


def _config(lief: Any, *, signatures: bool) -> Any:
    config = lief.PE.ParserConfig()
    config.parse_signature = signatures
    for part in ("imports", "exports", "reloc", "rsrc", "exceptions", "arm64x_binary"):
        if hasattr(config, f"parse_{part}"):
            setattr(config, f"parse_{part}", False)
    return config


def _layout(lief: Any, image: Any) -> dict[str, Any]:
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
