"""A program that parses images with lief and prints what it found. Only this module imports lief.

It runs as a separate process and imports no other module of drvsign. A request or an answer is a length (32 bits,
little endian) and that many bytes. A request is what to do (`ACTION_SIZE` bytes), an algorithm (`ALGORITHM_SIZE` bytes)
and the data that `main` names; an answer is JSON, or null if lief can't parse the image.
"""

from __future__ import annotations

import enum
import hashlib
import io
import json
import os
import signal
import sys
import types
from collections.abc import Iterator
from typing import Any, BinaryIO

ACTION_SIZE = 8
"""Size in bytes of the action in a request: "layout", "whole", "bytes" or "file", padded with spaces."""
ALGORITHM_SIZE = 8
"""Size in bytes of the name of the digest algorithm in a request, padded with spaces; "none" asks for no digest."""
PLAIN = "--plain"
"""The argument that makes the program import lief in the ordinary way, which takes longer."""
_SET_BY_LIEF = ("__doc__", "__name__", "__objclass__", "_name_", "_sort_order_", "_value_")
"""Attributes of a member of an enumeration that lief's extension module sets."""
_OPTIONAL_HEADER = 24
"""Offset of the optional header from the PE signature, in bytes ("PE Format", "COFF File Header")."""
_CHECKSUM = 64
"""Offset of the checksum in the optional header."""
_CERTIFICATE_ENTRY = {"PE32": 96 + 4 * 8, "PE32_PLUS": 112 + 4 * 8}
"""Offset of the certificate table's directory entry in the optional header."""
_CHUNK = 1 << 18
"""Size in bytes of the pieces in which a file is hashed."""
_ALGORITHMS = {"md5": "MD5", "sha1": "SHA_1", "sha256": "SHA_256", "sha384": "SHA_384", "sha512": "SHA_512"}


def main() -> None:
    """Answer requests until the input ends.

    The data of a request is the headers of an image ("layout"), an image ("whole", "bytes"), or the size of the headers
    (32 bits, little endian) and the path of an image ("file"). "bytes" has the size of the headers too.
    """
    # The parent process handles interrupts. Here, an interrupt during the import of lief would abort in C++.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lief = _import_lief(plain=PLAIN in sys.argv)
    lief.logging.disable()
    while (payload := _receive(sys.stdin.buffer)) is not None:
        answer = json.dumps(_answer(lief, payload)).encode()
        sys.stdout.buffer.write(len(answer).to_bytes(4, "little") + answer)
        sys.stdout.buffer.flush()


def _import_lief(*, plain: bool) -> Any:
    """Import lief. Unless `plain`, the enumerations of its disassembler become `_Instruction` classes.

    These have 64,000 of lief's 68,000 enumeration members, and nothing here uses them. To make them members of Python's
    enumerations would take a third of the import. `signer.pe.lief_process` starts this program with `PLAIN` if lief
    can't be imported in this way.
    """
    substitute = types.ModuleType("enum")
    if not plain:
        vars(substitute).update(vars(enum), Enum=_new_enumeration)
        sys.modules["enum"] = substitute  # lief's extension module looks its factories up here
    try:
        import lief
    finally:
        sys.modules["enum"] = enum
    return lief


def _new_enumeration(name: str, bases: tuple[()], *, module: str, qualname: str) -> Any:
    """Create an enumeration as `enum.Enum` does when it is called, or a substitute for one of the disassembler."""
    if ".assembly" not in module:
        return enum.Enum(name, bases, module=module, qualname=qualname)
    maps: dict[str, Any] = {"_member_map_": {}, "_value2member_map_": {}, "_member_names_": []}
    return _Instructions(name, (_Instruction,), {**maps, "__slots__": _SET_BY_LIEF, "__module__": module})


vars(_new_enumeration)["__str__"] = enum.Enum.__str__


class _Instructions(type):
    """The class of a substitute: it keeps only the attribute by which lief finds its own data, and no members."""

    def __setattr__(cls, name: str, value: object) -> None:
        if name == "__nb_enum__":
            super().__setattr__(name, value)


class _Instruction(metaclass=_Instructions):
    """A member of a substitute."""

    __slots__ = ()

    def __new__(cls, *_: object) -> _Instruction:
        return super().__new__(cls)


def _answer(lief: Any, payload: bytes) -> dict[str, Any] | None:
    action, algorithm = payload[:ACTION_SIZE].strip(), payload[ACTION_SIZE:][:ALGORITHM_SIZE].strip().decode()
    data = payload[ACTION_SIZE + ALGORITHM_SIZE :]
    if action == b"layout":
        return layout(lief, data)
    if action == b"whole":
        return whole(lief, data, algorithm)
    size, rest = int.from_bytes(data[:4], "little"), data[4:]
    with io.BytesIO(rest) if action == b"bytes" else open(os.fsdecode(rest), "rb") as file:  # noqa: PTH123
        return hashed(lief, file, size, algorithm)


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


def hashed(lief: Any, file: BinaryIO, headers_size: int, algorithm: str) -> dict[str, Any] | None:
    """Return the layout of a large image and its Authenticode digest, whose ranges are where lief finds the fields.

    lief's own digest takes five times as long as OpenSSL's, and copies the image.
    """
    image = lief.PE.parse(file.read(headers_size), _config(lief, signatures=False))
    if image is None:
        return None
    found = _layout(lief, image)
    hasher = hashlib.new(algorithm)
    for start, end in _hashed_ranges(image, found["table"], file.seek(0, io.SEEK_END)):
        file.seek(start)
        while start < end and (piece := file.read(min(_CHUNK, end - start))):
            hasher.update(piece)
            start += len(piece)
    return {**found, "digest": hasher.hexdigest()}


def _hashed_ranges(image: Any, table: tuple[int, int], size: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the ranges that the digest covers ("Calculating the PE Image Hash")."""
    header = image.dos_header.addressof_new_exeheader + _OPTIONAL_HEADER
    entry = header + _CERTIFICATE_ENTRY[image.optional_header.magic.name]
    yield 0, header + _CHECKSUM
    yield header + _CHECKSUM + 4, entry
    yield entry + 8, table[0] if all(table) else size
    if all(table):
        yield sum(table), size


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
