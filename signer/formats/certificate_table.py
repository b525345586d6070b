"""Read the certificate table of an image: the signature that Windows reads, and data hidden next to it.

Sources: "PE Format" (Microsoft), "The Attribute Certificate Table"; Microsoft Security Bulletin MS13-098. Like Windows
and osslsigncode, only the first PKCS #7 entry is read as the signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from signer.errors import ImageError, SignatureFormatError
from signer.formats.format import Embedded
from signer.numbers import counted
from signer.pe import certificate_table
from signer.pe.certificate_table import WinCertificate
from signer.pe.image import Image
from signer.pkcs7.problem import SignatureProblem

_ALIGNMENT = 8


def find_signature(image: Image) -> Embedded:
    """Find the signature in an image's certificate table, and the problems of the table."""
    try:
        entries = certificate_table.read(image)
    except ImageError as error:
        return Embedded(problems=(SignatureProblem("certificate-table", error.message),))
    problems = [*_entry_problems(entries), *(problem for entry in entries for problem in _padding_problems(entry))]
    problems += _alignment_problems(image, entries)
    first = next((entry for entry in entries if entry.is_signed_data), None)
    if first is None:
        return Embedded(problems=tuple(problems))
    try:
        data = first.signed_data()
    except SignatureFormatError:  # the reader of the signature reports it with more detail
        data = bytes(first.certificate)
    return Embedded((data,), tuple(problems))


def _entry_problems(entries: Sequence[WinCertificate]) -> Iterator[SignatureProblem]:
    if len([entry for entry in entries if entry.is_signed_data]) > 1:
        message = f"the certificate table has {len(entries)} entries; Windows reads only the first signature"
        yield SignatureProblem("several-certificates", message)
    for entry in entries:
        if not entry.is_signed_data:
            message = (
                "the certificate table contains an entry that is not a signature "
                f"(revision {entry.revision:#06x}, type {entry.kind})"
            )
            yield SignatureProblem("certificate-kind", message)


def _padding_problems(entry: WinCertificate) -> Iterator[SignatureProblem]:
    """Check the bytes after the DER inside an entry: at most seven zero bytes are padding."""
    if not entry.is_signed_data:
        return
    try:
        trailing = entry.trailing()
    except SignatureFormatError:  # the reader of the signature reports it
        return
    if len(trailing) >= _ALIGNMENT:
        yield SignatureProblem(
            "certificate-padding",
            f"the signature is followed by {counted(len(trailing), 'byte')} in its certificate table entry",
        )
    if any(trailing):
        yield SignatureProblem(
            "nonzero-padding", "the padding after the signature in the certificate table is not all zero"
        )


def _alignment_problems(image: Image, entries: Sequence[WinCertificate]) -> Iterator[SignatureProblem]:
    """Check the bytes between the entries and after the last: no signature covers them, so they must be zero."""
    ends = [entry.offset + 8 + len(entry.certificate) for entry in entries] or [image.table_offset]
    nexts = [*(entry.offset for entry in entries[1:]), image.table_offset + image.table_size]
    if any(any(image.data[start:end]) for start, end in zip(ends, nexts, strict=True)):
        yield SignatureProblem(
            "certificate-table-padding", "the certificate table contains nonzero bytes outside its entries"
        )
