"""The table of formats: the magic bytes and file name suffixes that tell one from another.

A new format is one row here, its adapter beside this module, and a package with its bytes. Nothing else in the project
compares magic bytes. The module imports nothing, because every call reads it before its first file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Reader = Callable[[int, int], bytes]
"""Reads a file: from an offset, so many bytes, or fewer where the file ends."""

_DOS_HEADER_SIZE, _PE_HEADER_FIELD = 64, 0x3C
_CABINET_HEADER_SIZE = 36
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_CERTIFICATE_TRUST_LIST = bytes.fromhex("06092b0601040182370a01")


@dataclass(frozen=True, slots=True)
class FormatRow:
    """How files of one format are recognized."""

    name: str
    """In messages and JSON: image, cabinet, catalog."""
    matches: Callable[[Reader], bool]
    """Whether a file begins as this format does."""
    suffixes: tuple[str, ...]
    """Usual suffixes of file names, in lower case, with their dot."""
    shares_suffixes: bool = False
    """Whether other formats use the same suffixes: InstallShield's archives are called .cab as well."""


def _is_image(read: Reader) -> bool:
    """Whether a PE header is where the DOS header says ("PE Format", "MS-DOS Stub"). A DOS program has none."""
    head = read(0, _DOS_HEADER_SIZE)
    if head[:2] != b"MZ" or len(head) < _DOS_HEADER_SIZE:
        return False
    return read(int.from_bytes(head[_PE_HEADER_FIELD:], "little"), 4) == b"PE\0\0"


def _is_cabinet(read: Reader) -> bool:
    """Whether a whole CFHEADER is there ("Microsoft Cabinet Format")."""
    head = read(0, _CABINET_HEADER_SIZE)
    return head[:4] == b"MSCF" and len(head) == _CABINET_HEADER_SIZE


def _is_catalog(read: Reader) -> bool:
    """Whether ContentInfo holds SignedData, and that a certificate trust list."""
    head = read(0, 256)
    return head[:1] == b"\x30" and _SIGNED_DATA in head[:32] and _CERTIFICATE_TRUST_LIST in head


IMAGE = FormatRow("image", _is_image, (".sys", ".dll", ".exe"))
CABINET = FormatRow("cabinet", _is_cabinet, (".cab",), shares_suffixes=True)
CATALOG = FormatRow("catalog", _is_catalog, (".cat",))

TABLE: tuple[FormatRow, ...] = (IMAGE, CABINET, CATALOG)
