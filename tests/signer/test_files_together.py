"""Several files change together or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.errors import FileError
from signer.files import together


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.sys").write_bytes(b"old a")
    (tmp_path / "a.sys").chmod(0o640)
    (tmp_path / "b.sys").write_bytes(b"old b")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_all_files_take_their_places_and_nothing_else_is_left(folder):
    with together(folder) as staging:
        staging.patch(folder / "a.sys", [(0, b"new")], folder / "a.sys")
        staging.write(folder / "c.cat", b"catalog")
        assert contents(folder) == {"a.sys": b"old a", "b.sys": b"old b"}
        assert staging.current(folder / "a.sys").read_bytes() == b"new a"
        assert staging.current(folder / "b.sys") == folder / "b.sys"
    assert contents(folder) == {"a.sys": b"new a", "b.sys": b"old b", "c.cat": b"catalog"}
    assert (folder / "a.sys").stat().st_mode & 0o777 == 0o640
    assert len(list(folder.iterdir())) == 3


def test_an_exception_in_the_block_leaves_every_file_as_it_was(folder):
    before = contents(folder)
    with pytest.raises(RuntimeError), together(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        raise RuntimeError
    assert contents(folder) == before
    assert len(list(folder.iterdir())) == 2


def test_a_move_that_fails_undoes_the_moves_before_it(folder):
    before = contents(folder)
    (folder / "taken").mkdir()
    with pytest.raises(FileError, match="taken"), together(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        staging.write(folder / "new.cat", b"catalog")
        staging.write(folder / "taken", b"can't replace a folder")
    assert contents(folder) == before
    assert (folder / "taken").is_dir()


def test_undoing_also_works_where_no_hard_links_can_be_made(folder, monkeypatch):
    def refuse(self: Path, target: Path) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    before = contents(folder)
    (folder / "taken").mkdir()
    with pytest.raises(FileError), together(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        staging.write(folder / "b.sys", b"new b")
        staging.write(folder / "taken", b"x")
    assert contents(folder) == before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileError, match="gone: could not write in the folder"), together(tmp_path / "gone"):
        pass
