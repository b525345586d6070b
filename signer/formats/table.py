"""The table of formats: the magic bytes and file name suffixes that tell one from another.

A new format is one row here, its adapter beside this module, a package with its bytes, and the content of its
signatures in `signer.pkcs7.indirect_data`. Nothing else in the project compares magic bytes. Adapters are imported on
use, because every call reads this module before its first file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from signer.asn1 import oids
from signer.records import dataclass

if TYPE_CHECKING:
    from signer.formats.format import Format, Subject

Reader = Callable[[int, int], bytes]
"""Reads a number of bytes at an offset; fewer at the end of the file."""

_DOS_HEADER_SIZE, _PE_HEADER_FIELD = 64, 0x3C
_COFF_HEADER_END, _CERTIFICATE_TABLE_ENTRY = 24, 4 * 8
_DIRECTORIES_AT = {0x10B: 96, 0x20B: 112}
"""Offset of the data directories in the optional headers PE32 and PE32+."""
_CERTIFICATE_HEADER_SIZE, _MAX_PLAIN_TABLE = 8, 1 << 17
_SIGNED_DATA_OF_REVISION_2 = bytes.fromhex("00020200")
"""wRevision and wCertificateType of a WIN_CERTIFICATE."""
_CABINET_HEADER_SIZE = 36
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_CERTIFICATE_TRUST_LIST = bytes.fromhex("06092b0601040182370a01")


OpenFormat = Callable[[memoryview | bytes], "Format"]
"""Makes an adapter over the bytes of a file. Raises MalformedInput."""


OpenSubject = Callable[[memoryview | bytes], "Subject"]
"""Makes the evidence of a file from its bytes. Raises MalformedInput."""


@dataclass(frozen=True, slots=True)
class MemberType:
    """The type of a member in catalogs."""

    guid: str
    """The subject interface package (CAT_MEMBERINFO, of catalogs of version 1)."""
    choice: bytes
    """CAT_MEMBERINFO2 in DER, of catalogs of version 2."""


@dataclass(frozen=True, slots=True)
class Features:
    """Optional capabilities of a format's signatures."""

    append: bool = False
    """Additional signatures, nested in an existing one."""
    dual: bool = False
    """Two signatures made together, for old and new releases."""
    page_hashes: bool = False


@dataclass(frozen=True, slots=True)
class Traits:
    """How Windows uses the files of a format. Policies, events and verification ask for these, not for a format."""

    loaded_as_code: bool = False
    """Windows loads the file as code: the rules about drivers and programs apply to it."""
    lists_files: bool = False
    """The file is a catalog: its signature covers the files whose hashes it lists."""


@dataclass(frozen=True, slots=True)
class FormatRow:
    """The detection and the adapters of one format."""

    name: str
    """In messages and JSON: image, catalog, cabinet."""
    title: str
    """With its article."""
    matches: Callable[[Reader], bool]
    """Detects the format from the start of a file."""
    suffixes: tuple[str, ...]
    """Usual suffixes of file names, in lower case, with their dot."""
    load: Callable[[], OpenFormat]
    """Imports the adapter."""
    features: Features
    traits: Traits
    load_subject: Callable[[], OpenSubject] | None
    """Imports the adapter for evidence; None for a format whose files are themselves the signed content."""
    subject_types: tuple[str, ...] = ()
    """How SpcIndirectDataContent names the format (SpcAttributeTypeAndOptionalValue.type)."""
    member_type: MemberType | None = None
    """How catalogs name the format; None for one whose files they list by the hash of all bytes."""
    prepare: Callable[[], None] | None = None
    """Starts slow preparations for changing a file of this format in the background; None if there are none."""
    plain_signatures: Callable[[Reader], tuple[bytes, ...] | None] = lambda _: None
    """Reads the signatures of a file, in DER, from where its header says; None where only the adapter can tell."""
    shares_suffixes: bool = False
    """Whether other formats use the same suffixes: InstallShield's archives are called .cab as well."""

    @property
    def is_content(self) -> bool:
        """Whether a file is itself the signed content: its one signature is the file, and can't be removed."""
        return self.load_subject is None


def _is_image(read: Reader) -> bool:
    """Whether a PE header is where the DOS header says ("PE Format", "MS-DOS Stub"). A DOS program has none."""
    head = read(0, _DOS_HEADER_SIZE)
    if head[:2] != b"MZ" or len(head) < _DOS_HEADER_SIZE:
        return False
    return read(int.from_bytes(head[_PE_HEADER_FIELD:], "little"), 4) == b"PE\0\0"


def _plain_signatures(read: Reader) -> tuple[bytes, ...] | None:
    """Read the signature of a certificate table with one entry ("PE Format", Attribute Certificate Table).

    Returns none for a data directory entry that is zero, and None for any other table.
    """
    optional_header = int.from_bytes(read(_PE_HEADER_FIELD, 4), "little") + _COFF_HEADER_END
    directories = _DIRECTORIES_AT.get(int.from_bytes(read(optional_header, 2), "little"))
    entry = b"" if directories is None else read(optional_header + directories + _CERTIFICATE_TABLE_ENTRY, 8)
    if entry == bytes(8):
        return ()
    offset, size = int.from_bytes(entry[:4], "little"), int.from_bytes(entry[4:], "little")
    if not _CERTIFICATE_HEADER_SIZE < size <= _MAX_PLAIN_TABLE:
        return None
    table = read(offset, size)
    header = size.to_bytes(4, "little") + _SIGNED_DATA_OF_REVISION_2
    der = table[_CERTIFICATE_HEADER_SIZE:]
    if len(table) != size or table[:_CERTIFICATE_HEADER_SIZE] != header or der[:2] != b"\x30\x82":
        return None
    return (der[: 4 + int.from_bytes(der[2:4], "big")],)


def _is_cabinet(read: Reader) -> bool:
    """Whether a whole CFHEADER is there ("Microsoft Cabinet Format")."""
    head = read(0, _CABINET_HEADER_SIZE)
    return head[:4] == b"MSCF" and len(head) == _CABINET_HEADER_SIZE


def _is_catalog(read: Reader) -> bool:
    """Whether ContentInfo holds SignedData, and that a certificate trust list."""
    head = read(0, 256)
    return head[:1] == b"\x30" and _SIGNED_DATA in head[:32] and _CERTIFICATE_TRUST_LIST in head


def _image() -> OpenFormat:
    from signer.formats.image import ImageFormat

    return ImageFormat


def _catalog() -> OpenFormat:
    from signer.formats.catalog import CatalogFormat

    return CatalogFormat


def _cabinet() -> OpenFormat:
    from signer.formats.cabinet import CabinetFormat

    return CabinetFormat


def _image_subject() -> OpenSubject:
    from signer.formats.image import ImageSubject

    return ImageSubject


def _cabinet_subject() -> OpenSubject:
    from signer.formats.cabinet import CabinetSubject

    return CabinetSubject


def _start_lief() -> None:
    from signer.pe.layout_check import prepare

    prepare()


IMAGE = FormatRow(
    "image",
    "a PE image",
    _is_image,
    (".sys", ".dll", ".exe"),
    _image,
    Features(append=True, dual=True, page_hashes=True),
    Traits(loaded_as_code=True),
    _image_subject,
    (oids.SPC_PE_IMAGE_DATA,),
    MemberType("{C689AAB8-8E78-11D0-8C47-00C04FC295EE}", b"\x80\x00"),
    prepare=_start_lief,
    plain_signatures=_plain_signatures,
)
CATALOG = FormatRow(
    "catalog", "a catalog", _is_catalog, (".cat",), _catalog, Features(), Traits(lists_files=True), None
)
CABINET = FormatRow(
    "cabinet",
    "a cabinet",
    _is_cabinet,
    (".cab",),
    _cabinet,
    Features(append=True),
    Traits(),
    _cabinet_subject,
    (oids.SPC_CAB_DATA, oids.SPC_LINK),
    MemberType("{C689AABA-8E78-11D0-8C47-00C04FC295EE}", b"\x81\x00"),
    shares_suffixes=True,
)

TABLE: tuple[FormatRow, ...] = (IMAGE, CATALOG, CABINET)
