"""Attacks on the certificate table and the layout of an image."""

from __future__ import annotations

import struct

from signer.pe.image import Image
from tests.attacks.attack import Attempt, attack
from tests.support.images import PeSpec
from tests.support.signed_samples import OTHER, UNSIGNED, signature_of
from tests.support.tables import entry, padded

MS13_098, PE_FORMAT = "MS13-098 (CVE-2013-3900)", "PE Format, The Attribute Certificate Table"
MS12_024, IMAGE_HASH = "MS12-024 (CVE-2012-0151)", "Calculating the PE Image Hash"


def with_table(table: bytes, image: bytes = UNSIGNED, entry_at: tuple[int, int] | None = None) -> bytes:
    """Return the image with these bytes as its certificate table; `entry_at` is another directory entry."""
    place, data = Image.parse(image).directory_offset, bytearray(image)
    data[place : place + 8] = struct.pack("<II", *(entry_at or (len(image), len(table))))
    return bytes(data) + table


def signature() -> bytes:
    """Return a signature that needs padding."""
    return next(one for one in iter(lambda: signature_of(UNSIGNED), None) if len(one) % 8)


@attack(MS13_098, authenticode="accepted", kernel="accepted", code="certificate-padding")
def stuffed_entry() -> Attempt:
    """Data behind the signature inside its certificate table entry, on a machine without the strict check."""
    return Attempt(with_table(entry(padded(signature() + b"payload " * 8))))


@attack(MS13_098, kernel="accepted", code="certificate-padding")
def stuffed_entry_with_the_strict_check() -> Attempt:
    """Data behind the signature inside its certificate table entry, with EnableCertPaddingCheck."""
    return Attempt(with_table(entry(padded(signature() + b"payload " * 8))), padding_check=True)


@attack("SigFlip (med0x2e, 2021)", authenticode="accepted", kernel="accepted", code="nonzero-padding")
def data_in_the_padding() -> Attempt:
    """Data in the padding behind the signature."""
    own = signature()
    return Attempt(with_table(entry(own + b"\x90" * (-len(own) % 8))))


@attack(PE_FORMAT, code="several-certificates")
def second_entry_is_the_right_one() -> Attempt:
    """Two WIN_CERTIFICATEs: the first has the signature of another image, the second the right one."""
    return Attempt(with_table(entry(padded(signature_of(OTHER))) + entry(padded(signature_of(UNSIGNED)))))


@attack(PE_FORMAT, code="certificate-kind")
def entry_of_another_kind() -> Attempt:
    """The signature in an entry of type 1 (X.509), which Windows does not read."""
    return Attempt(with_table(entry(padded(signature_of(UNSIGNED)), kind=1)))


@attack(PE_FORMAT, code="certificate-table")
def length_of_4_gib() -> Attempt:
    """dwLength of 0xFFFFFFFF, whose end overflows 32 bits."""
    return Attempt(with_table(entry(padded(signature_of(UNSIGNED)), length=0xFFFFFFFF)))


@attack(PE_FORMAT, code="certificate-table")
def length_that_wraps_to_zero() -> Attempt:
    """dwLength of 0xFFFFFFF9, which is 0 after rounding up to a multiple of 8."""
    return Attempt(with_table(entry(padded(signature_of(UNSIGNED)), length=0xFFFFFFF9)))


@attack(PE_FORMAT, code="certificate-table")
def length_of_zero() -> Attempt:
    """dwLength of 0, which never ends the table."""
    return Attempt(with_table(entry(padded(signature_of(UNSIGNED)), length=0)))


@attack(MS12_024, authenticode="refused", kernel="refused", code="ImageError")
def bytes_after_the_table() -> Attempt:
    """Bytes behind the certificate table."""
    return Attempt(with_table(entry(padded(signature_of(UNSIGNED)))) + bytes(8))


@attack(MS12_024, authenticode="refused", kernel="refused", code="ImageError")
def table_inside_a_section() -> Attempt:
    """A directory entry that places the certificate table in a section, so that its bytes are not hashed."""
    table = entry(padded(signature_of(UNSIGNED)))
    return Attempt(with_table(table, entry_at=(0x200, 0x200 + len(table))))


@attack(MS12_024, authenticode="refused", kernel="refused", code="ImageError")
def table_inside_the_headers() -> Attempt:
    """A directory entry that places the certificate table in the headers."""
    table = entry(padded(signature_of(UNSIGNED)))
    return Attempt(with_table(table, entry_at=(0x40, len(UNSIGNED) - 0x40 + len(table))))


@attack(PE_FORMAT, authenticode="refused", kernel="refused", code="ImageError")
def table_beyond_the_file() -> Attempt:
    """A directory entry with a size beyond the end of the file."""
    return Attempt(with_table(entry(padded(signature_of(UNSIGNED))), entry_at=(len(UNSIGNED), 1 << 20)))


@attack(PE_FORMAT, code="unsigned")
def directory_entry_of_size_zero() -> Attempt:
    """A directory entry with a place and the size 0: the bytes there are content, and the image is unsigned."""
    return Attempt(with_table(entry(padded(signature_of(UNSIGNED))), entry_at=(len(UNSIGNED), 0)))


@attack(PE_FORMAT, authenticode="refused", kernel="refused", code="ImageError")
def too_few_directories() -> Attempt:
    """NumberOfRvaAndSizes below 5, so that the directory entry of the table is something else."""
    return Attempt(PeSpec(directories=4).build())


@attack(IMAGE_HASH, authenticode="refused", kernel="refused", code="ImageError")
def overlapping_sections() -> Attempt:
    """Two sections with the same bytes, which one hash covers twice and another once."""
    return Attempt(PeSpec(sections=[(".a", 0x400, 0x400), (".b", 0x600, 0x200)]).build())


@attack(IMAGE_HASH, authenticode="refused", kernel="refused", code="ImageError")
def section_beyond_the_file() -> Attempt:
    """A section whose bytes extend beyond the end of the file."""
    return Attempt(PeSpec(sections=[(".a", 0x400, 0x400)]).build()[:-0x100])
