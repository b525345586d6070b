"""A program that parses images with lief and prints what it found. Only this module imports lief.

It runs as a separate process and imports no other module of drvsign. A request or an answer is a length (32 bits,
little endian) and that many bytes. A request is an algorithm and an image or its headers; an answer is JSON, or null if
lief can't parse the image.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from typing import Any, BinaryIO

ALGORITHM_SIZE = 8
"""Size in bytes of the algorithm in a request: the name of a digest algorithm, "none", or spaces for headers only."""
_ALGORITHMS = {"md5": "MD5", "sha1": "SHA_1", "sha256": "SHA_256", "sha384": "SHA_384", "sha512": "SHA_512"}


def main() -> None:
    """Answer requests until the input ends."""
    # The parent process handles interrupts. Here, an interrupt during the import of lief would abort in C++.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # the import creates thousands of classes, and garbage collection would take a tenth of its time
    import lief

    gc.enable()

    lief.logging.disable()
    while (payload := _receive(sys.stdin.buffer)) is not None:
        algorithm, data = payload[:ALGORITHM_SIZE].strip().decode(), payload[ALGORITHM_SIZE:]
        answer = json.dumps(whole(lief, data, algorithm) if algorithm else layout(lief, data)).encode()
        sys.stdout.buffer.write(len(answer).to_bytes(4, "little") + answer)
        sys.stdout.buffer.flush()


def layout(lief: Any, headers: bytes) -> dict[str, Any] | None:
    """Return the layout that lief finds in the headers of an image, or None if it can't parse them.

    The layout is offset and size of each section with bytes in the file, the value of the checksum, and offset and size
    of the certificate table.
    """
    image = lief.PE.parse(headers, _config(lief, signatures=False))
    return None if image is None else _layout(lief, image)


def whole(lief: Any, data: bytes, algorithm: str) -> dict[str, Any] | None:
    """Return the layout of a whole image, the number of its signatures, and its Authenticode digest.

    With the algorithm "none", omits the digest.
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
