"""The certificate table of an image as evidence: the signature that counts, and what else was put there.

Source: "PE Format" (Microsoft), "The Attribute Certificate Table"; Microsoft Security Bulletin MS13-098; policy of
osslsigncode, which reads the first entry of PKCS #7 only, as Windows does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from signer.errors import ImageError, SignatureFormatError
from signer.pe import certificate_table
from signer.pe.certificate_table import WinCertificate
from signer.pe.image import Image
from signer.verify.evidence import Problem
from signer.verify.signatures import Read, read_signatures

_ALIGNMENT = 8


def read_table(image: Image) -> tuple[list[Read], list[Problem]]:
    """The signatures in an image's certificate table, and what is wrong with the table."""
    try:
        entries = certificate_table.read(image)
    except ImageError as error:
        return [], [Problem("certificate-table", error.message)]
    problems = [*_about_entries(entries), *(problem for entry in entries for problem in _padding(entry))]
    problems += _behind_entries(image, entries)
    first = next((entry for entry in entries if entry.is_signed_data), None)
    if first is None:
        return [], problems
    try:
        data = first.signed_data()
    except SignatureFormatError:  # said again, and better, when the signature is read
        data = bytes(first.certificate)
    return list(read_signatures(data)), problems


def _about_entries(entries: Sequence[WinCertificate]) -> Iterator[Problem]:
    if len([entry for entry in entries if entry.is_signed_data]) > 1:
        message = f"the certificate table has {len(entries)} entries, of which Windows looks at one"
        yield Problem("several-certificates", message)
    for entry in entries:
        if not entry.is_signed_data:
            message = (
                f"an entry of the certificate table is no signature (revision {entry.revision:#06x}, type {entry.kind})"
            )
            yield Problem("certificate-kind", message)


def _padding(entry: WinCertificate) -> Iterator[Problem]:
    """What follows the DER inside its entry: up to seven zeros are padding."""
    if not entry.is_signed_data:
        return
    try:
        trailing = entry.trailing()
    except SignatureFormatError:  # said when the signature is read
        return
    if len(trailing) >= _ALIGNMENT:
        yield Problem(
            "certificate-padding", f"{len(trailing)} bytes stand behind the signature in the certificate table"
        )
    if any(trailing):
        yield Problem("nonzero-padding", "the bytes behind the signature in the certificate table are not all zero")


def _behind_entries(image: Image, entries: Sequence[WinCertificate]) -> Iterator[Problem]:
    """What follows the last entry, and what aligns each: zeros, since nothing covers them."""
    ends = [entry.offset + 8 + len(entry.certificate) for entry in entries] or [image.table_offset]
    nexts = [*(entry.offset for entry in entries[1:]), image.table_offset + image.table_size]
    if any(any(image.data[start:end]) for start, end in zip(ends, nexts, strict=True)):
        yield Problem(
            "certificate-table-padding", "the certificate table has bytes outside its entries that are not zero"
        )
