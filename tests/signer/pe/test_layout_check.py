"""Images that lief and pefile read differently are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.errors import ImageError
from signer.pe import layout_check, lief_process
from signer.pe.image import Image
from tests.support.files import corpus_files, corpus_id
from tests.support.images import PeSpec


@pytest.mark.parametrize("machine", ["x86", "x64", "arm64", "arm", "ia64"])
def test_a_valid_image_passes(machine: str) -> None:
    layout_check.require_agreement(Image.parse(PeSpec(machine=machine, overlay=b"behind").build()))


@pytest.mark.parametrize("path", corpus_files("drivers/*.sys")[::10], ids=corpus_id)
def test_real_drivers_pass(path: Path) -> None:
    layout_check.require_agreement(Image.parse(path.read_bytes()))


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("sections", {"sections": [[0x400, 0x400]], "checksum": 0, "table": [0, 0]}),
        ("checksum", {"sections": [[0x400, 0x200]], "checksum": 7, "table": [0, 0]}),
        ("certificate table", {"sections": [[0x400, 0x200]], "checksum": 0, "table": [0x600, 8]}),
    ],
)
@pytest.mark.usefixtures("fresh_reader")
def test_an_image_on_which_the_parsers_disagree_is_refused(
    field: str, other: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lief_process, "_answers", lambda process, requests: iter([other]))
    with pytest.raises(ImageError, match=f"two parsers disagree about the image's {field}"):
        layout_check.require_agreement(Image.parse(PeSpec().build()))


@pytest.mark.usefixtures("fresh_reader")
def test_a_directory_entry_with_size_zero_means_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"sections": [[0x400, 0x200]], "checksum": 0, "table": [0x600, 0]}
    monkeypatch.setattr(lief_process, "_answers", lambda process, requests: iter([other]))
    layout_check.require_agreement(Image.parse(PeSpec().build()))


@pytest.mark.usefixtures("fresh_reader")
def test_an_image_that_lief_cannot_parse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lief_process, "_answers", lambda process, requests: iter([None]))
    with pytest.raises(ImageError, match="lief can't parse the image"):
        layout_check.require_agreement(Image.parse(PeSpec().build()))
