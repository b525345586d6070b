"""lief reads every changed image before it replaces a file, so a wrong result replaces no file."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signer.errors import ImageError
from signer.operations.sign import Signed, sign_file
from signer.operations.signatures import without_signatures
from signer.pe import layout_check
from signer.pe.embed import embed
from signer.pe.image import Image
from signer.pe.layout_check import MAX_READ_WHOLE
from signer.pkcs7.signed_data import SigningOptions
from signer.storage.patching import Patched, PatchSet, change_atomically
from tests.support.identities import identity
from tests.support.images import PeSpec

SIZES = {"kept": 0, "read": MAX_READ_WHOLE - (1 << 16), "excerpt": MAX_READ_WHOLE, "mapped": 1 << 21}
"""Size in bytes of the overlay. The size of a file determines how it is changed and read back."""


def patched(changes: PatchSet, place: int, new: bytes) -> PatchSet:
    """Replace bytes at an offset in the patch that contains it."""
    patches = [
        (start, old[: place - start] + new + old[place - start + len(new) :])
        if start <= place < start + len(old)
        else (start, old)
        for start, old in changes.patches
    ]
    return replace(changes, patches=tuple(patches))


def misplaced(image: Image, changes: PatchSet) -> PatchSet:
    """Make the directory entry point eight bytes behind the start of the table."""
    start = changes.patches[-1][0] + -changes.patches[-1][0] % 8
    entry = struct.pack("<II", start + 8, changes.size - start - 8)
    return patched(changes, image.directory_offset, entry)


def without_signature(image: Image, changes: PatchSet) -> PatchSet:
    """Replace the signature in the table by other data, without moving the table."""
    start = changes.patches[-1][0] + -changes.patches[-1][0] % 8
    return patched(changes, start + 8, b"\x04\x82")


def wrong_checksum(image: Image, changes: PatchSet) -> PatchSet:
    return patched(changes, image.checksum_offset, b"\0\0\0\0")


def wrong_content(image: Image, changes: PatchSet) -> PatchSet:
    """Also change one byte of the content."""
    return replace(changes, patches=(*changes.patches, (image.sections[0].offset + 7, b"!")))


def wrong_section(image: Image, changes: PatchSet) -> PatchSet:
    """Also change one byte of the section's offset in the headers."""
    data = bytes(image.data[: image.headers_size])
    place = data.index(struct.pack("<I", image.sections[0].offset), data.index(image.sections[0].name.encode()))
    return replace(changes, patches=(*changes.patches, (place + 1, b"\x02")))


WRONG = {
    "certificate table": misplaced,
    "number of signatures": without_signature,
    "checksum": wrong_checksum,
    "digest": wrong_content,
    "sections": wrong_section,
}


def signed(data: memoryview) -> Signed:
    return sign_file(data, identity(), SigningOptions(signing_time=datetime(2026, 1, 1, tzinfo=UTC)))


CASES = {f"{field}-{size}": (field, size) for field in WRONG for size in SIZES}


@pytest.mark.parametrize(("field", "size"), CASES.values(), ids=CASES)
def test_a_wrong_result_replaces_no_file(tmp_path: Path, field: str, size: str) -> None:
    path = tmp_path / "a.sys"
    before = PeSpec(overlay=b"\1" * SIZES[size]).build()
    path.write_bytes(before)

    def change(data: memoryview) -> Patched:
        return Patched(WRONG[field](Image.parse(data), signed(data).changes))

    with pytest.raises(ImageError, match=f"disagree about the image's {field}"):
        change_atomically(path, path, change)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("overlay", SIZES.values(), ids=SIZES)
def test_a_signature_is_written_and_stripped_again(tmp_path: Path, overlay: int) -> None:
    path = tmp_path / "a.sys"
    before = PeSpec(overlay=b"\1" * overlay).build()
    path.write_bytes(before)
    change_atomically(path, path, signed)
    assert Image.parse(path.read_bytes()).is_signed
    change_atomically(path, path, lambda data: Patched(without_signatures(data)))
    assert not Image.parse(path.read_bytes()).is_signed
    assert path.stat().st_size == len(before)


def test_an_unsigned_image_of_odd_size_passes() -> None:
    """The digest includes padding to a multiple of 8, which LIEF omits."""
    data = PeSpec(overlay=b"odd").build()
    assert len(data) % 8
    assert embed(Image.parse(data), []).applied_to(data)[-3:] == b"odd"


@pytest.mark.parametrize("overlay", SIZES.values(), ids=SIZES)
def test_a_signature_that_lief_cannot_parse_is_written_where_it_belongs(tmp_path: Path, overlay: int) -> None:
    """As .NET writes them. What lief does not parse in the table that was meant, it need not parse in the result."""
    path = tmp_path / "a.sys"
    path.write_bytes(PeSpec(overlay=b"\1" * overlay).build())
    foreign = b"\x30\x03\x02\x01\x05"
    change_atomically(path, path, lambda data: Patched(embed(Image.parse(data), [foreign])))
    assert Image.parse(path.read_bytes()).is_signed

    def misplace(data: memoryview) -> Patched:
        image = Image.parse(data)
        return Patched(misplaced(image, embed(image, [foreign])))

    with pytest.raises(ImageError, match="disagree about the image's certificate table"):
        change_atomically(path, path, misplace)


def test_a_result_above_the_limit_is_read_but_not_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its layout and its signatures are still compared."""
    monkeypatch.setattr(layout_check, "MAX_HASHED", MAX_READ_WHOLE)
    path = tmp_path / "a.sys"
    path.write_bytes(PeSpec(overlay=b"\1" * SIZES["mapped"]).build())

    def change(data: memoryview, wrong: str) -> Patched:
        return Patched(WRONG[wrong](Image.parse(data), signed(data).changes))

    for field in set(WRONG) - {"digest"}:
        with pytest.raises(ImageError, match=f"disagree about the image's {field}"):
            change_atomically(path, path, lambda data, field=field: change(data, field))
    change_atomically(path, path, lambda data: change(data, "digest"))


@pytest.mark.parametrize("machine", ["x86", "x64"])
@pytest.mark.parametrize("overlay", [MAX_READ_WHOLE, SIZES["mapped"]], ids=["excerpt", "mapped"])
def test_a_signed_result_keeps_its_digest_when_it_is_stripped(tmp_path: Path, overlay: int, machine: str) -> None:
    """Each step hashes the result at the fields that lief finds: PE32 and PE32+ have them at different offsets."""
    path = tmp_path / "a.sys"
    path.write_bytes(PeSpec(overlay=b"\1" * overlay, machine=machine).build())
    change_atomically(path, path, signed)
    change_atomically(path, path, signed)
    change_atomically(path, path, lambda data: Patched(without_signatures(data)))
    assert not Image.parse(path.read_bytes()).is_signed
