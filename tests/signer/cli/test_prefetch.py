"""lief is imported ahead of everything else where a call will need it, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.cli import prefetch
from signer.pe import layout_check
from tests.support.images import PeSpec


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(layout_check, "prepare", lambda: calls.append("lief"))
    return calls


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an image by any name, a file that is none, and a folder of each kind."""
    (tmp_path / "image").write_bytes(PeSpec().build())
    (tmp_path / "text.sys").write_bytes(b"text")
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "A.SYS").write_bytes(b"")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.inf").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("sign image", True),
        ("sign papers image", True),
        ("sign --cert x drivers", True),
        ("package drivers", True),
        ("strip image", True),
        ("timestamp image --timestamp http://127.0.0.1/", True),
        ("attach image --signature x", True),
        ("sign text.sys", False),
        ("sign papers", False),
        ("sign missing", False),
        ("sign", False),
        ("sign image --help", False),
        ("sign image --detached-request x", False),
        ("verify image", False),
        ("inspect drivers", False),
        ("", False),
        ("--version", False),
    ],
)
def test_only_what_changes_images_starts_lief(folder: Path, started: list[str], call: str, expected: bool) -> None:
    prefetch.start(call.split())
    assert bool(started) is expected


def test_a_word_that_is_no_path_does_no_harm(started: list[str]) -> None:
    prefetch.start(["sign", "a\0b", "x" * 5000])
    assert not started


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="open files have no names here")
def test_what_is_open_already_is_left_to_its_reader(started: list[str], folder: Path) -> None:
    """Where such a name is another for the same open file, as on macOS, a password file would seem empty later."""
    with (folder / "image").open("rb") as file:
        prefetch.start(["sign", f"/dev/fd/{file.fileno()}"])
    assert started == []
