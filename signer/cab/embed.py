"""Embed a signature in a cabinet, and remove it.

Source: "Microsoft Cabinet Format" (CFHEADER, CFFOLDER), and signed cabinets: the header gets a reserved area of 20
bytes for the offset and size of the signature, everything behind it moves by 24 bytes, and the signature follows the
data.
"""

from __future__ import annotations

import struct

from signer.cab.cabinet import Cabinet
from signer.errors import MalformedInput
from signer.numbers import counted

_FIXED = 36
_MOVED = 24
_RESERVED = struct.pack("<HBBI", 20, 0, 0, 0x00100000)
_FLAGS_AT, _COFF_FILES_AT, _SIZE_AT, _FOLDERS_AT = 30, 16, 8, 26
_IN_A_SET, _RESERVE_PRESENT = 0x0003, 0x0004


def prepare(cabinet: Cabinet) -> bytes:
    """Return the cabinet with a reserved area in its header and without a signature. Raises MalformedInput."""
    if cabinet.has_signature_reserve:
        end = cabinet.signature_offset or len(cabinet.data)
        return _with_signature_field(bytes(cabinet.data[:end]), end, 0)
    _require_single(cabinet)
    data = bytearray(cabinet.data)
    _move(data, _FIXED, _MOVED)
    _set_flag(data, present=True)
    return bytes(data[:_FIXED]) + _RESERVED + struct.pack("<IIQ", len(data) + _MOVED, 0, 0) + bytes(data[_FIXED:])


def embed(prepared: bytes, signature: bytes) -> bytes:
    """Append a signature (DER), padded to a multiple of 8 bytes, to a prepared cabinet."""
    padded = signature + bytes(-len(signature) % 8)
    return _with_signature_field(prepared, len(prepared), len(padded)) + padded


def strip(cabinet: Cabinet) -> bytes:
    """Return the cabinet without its signature and without the reserved area. Raises MalformedInput.

    Keeps a reserved area of more than 20 bytes, because `prepare` did not add it.
    """
    data = bytearray(cabinet.data[: cabinet.signature_offset or len(cabinet.data)])
    if cabinet.reserve_size > _MOVED - 4:
        return _with_signature_field(bytes(data), 0, 0)
    _move(data, _FIXED + _MOVED, -_MOVED)
    _set_flag(data, present=False)
    return bytes(data[:_FIXED] + data[_FIXED + _MOVED :])


def _require_single(cabinet: Cabinet) -> None:
    flags = _u16(cabinet.data, _FLAGS_AT)
    if flags & _IN_A_SET:
        raise MalformedInput(
            "the cabinet is part of a multi-cabinet set; signing sets is not supported",
            offset=_FLAGS_AT,
            hint="Put all files into one cabinet.",
        )
    if flags & _RESERVE_PRESENT:
        raise MalformedInput("the reserved area in the cabinet's header is in use for another purpose", offset=_FIXED)
    if cabinet.size != len(cabinet.data):
        given = counted(cabinet.size, "byte")
        raise MalformedInput(
            f"the header gives {given} as the size of the cabinet, but the file has {len(cabinet.data)}",
            offset=_SIZE_AT,
        )


def _move(data: bytearray, folders: int, distance: int) -> None:
    """Add `distance` to every offset in the cabinet. `folders` is the offset of its CFFOLDER entries."""
    places = [_SIZE_AT, _COFF_FILES_AT, *(folders + 8 * i for i in range(_u16(data, _FOLDERS_AT)))]
    for place in places:
        if place + 4 > len(data):
            raise MalformedInput("the cabinet is truncated in its folder table", offset=place)
        (value,) = struct.unpack_from("<I", data, place)
        if not 0 <= value + distance <= 0xFFFFFFFF:
            raise MalformedInput(f"the offset {value:#x} in the cabinet is out of range", offset=place)
        struct.pack_into("<I", data, place, value + distance)


def _set_flag(data: bytearray, *, present: bool) -> None:
    flags = _u16(data, _FLAGS_AT)
    struct.pack_into("<H", data, _FLAGS_AT, flags | _RESERVE_PRESENT if present else flags & ~_RESERVE_PRESENT)


def _with_signature_field(data: bytes, offset: int, size: int) -> bytes:
    """Set the offset and size of the signature in the reserved area."""
    place = _FIXED + len(_RESERVED)
    return data[:place] + struct.pack("<II", offset, size) + data[place + 8 :]


def _u16(data: bytes | bytearray | memoryview, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "little")
