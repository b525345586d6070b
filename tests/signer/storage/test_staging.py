"""Files that are kept in memory until they are complete, by the rules of a transaction."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.errors import FileError
from signer.storage.patching import Patched, PatchSet
from signer.storage.staging import MemoryStaging, Staging
from signer.storage.transaction import Transaction
from tests.support.program import state


def staging(kind: str, folder: Path) -> Staging:
    if kind == "memory":
        return MemoryStaging(folder)
    (folder / "staged").mkdir()
    return Transaction(folder / "staged")


@pytest.mark.parametrize("kind", ["memory", "transaction"])
def test_new_bytes_are_read_under_every_name_and_the_files_stay(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.sys").write_bytes(b"old")
    (tmp_path / "link.sys").symlink_to("a.sys")
    (tmp_path / "b.sys").write_bytes(b"other")
    new = staging(kind, tmp_path)
    changed = new.change(tmp_path / "a.sys", tmp_path / "a.sys", lambda _: Patched(PatchSet(((1, b"NEW"),), 4)))
    new.write(tmp_path / "c.cat", b"catalog")
    contents = {}
    for name in ("a.sys", "link.sys", "b.sys", "c.cat"):
        with new.opened(tmp_path / name) as data:
            contents[name] = bytes(data)
    assert contents == {"a.sys": b"oNEW", "link.sys": b"oNEW", "b.sys": b"other", "c.cat": b"catalog"}
    assert [new.is_staged(tmp_path / name) for name in contents] == [True, True, False, True]
    assert changed.changes is not None
    assert (tmp_path / "a.sys").read_bytes() == b"old"
    assert not (tmp_path / "c.cat").exists()


@pytest.mark.parametrize("kind", ["memory", "transaction"])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, kind: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "out.sys").write_bytes(b"old")
    (home / "link.sys").symlink_to(tmp_path / "out.sys")
    new = staging(kind, home)
    with pytest.raises(FileError, match="outside of the folder"):
        new.write(home / "link.sys", b"new")
    with pytest.raises(FileError, match="outside of the folder"):
        new.change(home / "link.sys", home / "link.sys", lambda _: Patched(None))


def test_memory_writes_nothing_and_may_be_for_any_folder(tmp_path: Path) -> None:
    (tmp_path / "a.sys").write_bytes(b"old")
    before = state(tmp_path)
    new = MemoryStaging()
    new.write(tmp_path / "far" / "b.sys", b"new")
    new.change(tmp_path / "a.sys", tmp_path / "a.sys", lambda _: Patched(None))
    assert new.is_staged(tmp_path / "a.sys")
    assert state(tmp_path) == before
