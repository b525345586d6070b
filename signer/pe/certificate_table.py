"""Read and build the certificate table of a signed image: WIN_CERTIFICATE entries.

Source: "PE Format" (Microsoft), "The Attribute Certificate Table"; wintrust.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from signer.asn1.der import total_length
from signer.errors import ImageError
from signer.pe.digest import padding
from signer.pe.image import Image
from signer.records import dataclass

REVISION_2_0 = 0x0200
PKCS_SIGNED_DATA = 0x0002
MAX_ENTRIES = 1000
_HEADER = struct.Struct("<IHH")


@dataclass(frozen=True, slots=True)
class WinCertificate:
    """One entry of a certificate table."""

    offset: int
    """Offset of the entry in the file."""
    revision: int
    kind: int
    """wCertificateType: 2 for PKCS #7 SignedData."""
    certificate: memoryview
    """bCertificate: the DER, and padding if dwLength includes it."""

    @property
    def is_signed_data(self) -> bool:
        """Whether the entry contains an Authenticode signature."""
        return self.revision == REVISION_2_0 and self.kind == PKCS_SIGNED_DATA

    def signed_data(self) -> bytes:
        """Return the DER without the bytes that follow it. Raises SignatureFormatError."""
        return bytes(self.certificate[: total_length(self.certificate)])

    def trailing(self) -> bytes:
        """Return the bytes that follow the DER: normally padding, but data can be hidden there.

        Raises SignatureFormatError.
        """
        return bytes(self.certificate[total_length(self.certificate) :])


def read(image: Image) -> tuple[WinCertificate, ...]:
    """Read the entries of an image's certificate table; an empty tuple if it has none.

    Raises ImageError with the offset.
    """
    entries: list[WinCertificate] = []
    offset, end = image.table_offset, image.table_offset + image.table_size
    while offset + _HEADER.size <= end:
        length, revision, kind = _HEADER.unpack_from(image.data, offset)
        if len(entries) == MAX_ENTRIES:
            raise ImageError(f"the certificate table has more than {MAX_ENTRIES} entries", offset=offset)
        if length < _HEADER.size or offset + length > end:
            raise ImageError(f"the length {length} of a certificate table entry is out of range", offset=offset)
        body = image.data[offset + _HEADER.size : offset + length]
        entries.append(WinCertificate(offset, revision, kind, body))
        offset += length + len(padding(length))
    return tuple(entries)


def build(signatures: Iterable[bytes]) -> bytes:
    """Build a certificate table of DER SignedData, each padded to a multiple of 8 bytes.

    dwLength includes the padding, as SignTool writes it and nearly all images in the field have it, although the
    specification excludes it.
    """
    return b"".join(_entry(der) for der in signatures)


def _entry(der: bytes) -> bytes:
    body = der + padding(len(der))
    return _HEADER.pack(_HEADER.size + len(body), REVISION_2_0, PKCS_SIGNED_DATA) + body
