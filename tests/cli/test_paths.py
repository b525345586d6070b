"""PATH arguments, and what a file is."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.cli.paths import expand, kind_of, kind_of_bytes
from signer.errors import FileError, UsageError
from tests.support import corpus_files

PE_HEAD = b"MZ" + bytes(0x3A) + (0x40).to_bytes(4, "little") + b"PE\0\0"


def sys_files(path: Path) -> bool:
    return path.suffix == ".sys"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.sys", "a.sys", "sub/c.sys", "notes.txt", ".hidden/d.sys"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_a_folder_is_walked_in_order_for_what_the_command_handles(folder):
    found = expand([folder], sys_files, "drivers")
    assert [file.relative_to(folder).as_posix() for file in found] == ["a.sys", "b.sys", "sub/c.sys"]


def test_a_named_file_is_taken_as_it_is_and_each_file_once(folder):
    found = expand([folder / "notes.txt", folder / "b.sys", folder], sys_files, "drivers")
    assert [file.name for file in found] == ["notes.txt", "b.sys", "a.sys", "c.sys"]


def test_a_list_names_one_path_a_line(folder):
    (folder / "list.txt").write_text(f"# drivers\n{folder / 'b.sys'}\n\n{folder / 'a.sys'}\n")
    found = expand([Path(f"@{folder / 'list.txt'}")], sys_files, "drivers")
    assert [file.name for file in found] == ["b.sys", "a.sys"]


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileError, match=r"gone\.sys: there is no such file"):
        expand([tmp_path / "gone.sys"], sys_files, "drivers")


def test_a_folder_with_nothing_to_do_is_a_wrong_call(tmp_path):
    with pytest.raises(UsageError, match="there are no drivers in this folder"):
        expand([tmp_path], sys_files, "drivers")


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (PE_HEAD, "x.sys", "image"),
        (b"MZ" + bytes(100), "command.com", "file"),
        (b"MSCF" + bytes(40), "x.cab", "cabinet"),
        (b"[Version]", "x.INF", "inf"),
        (b"\x30\x82\x01\x00junk", "x.cat", "file"),
        (b"", "empty.sys", "file"),
    ],
    ids=["pe", "dos-program", "cabinet", "inf", "not-a-catalog", "empty"],
)
def test_what_a_file_is_told_from_its_first_bytes(head, name, kind):
    assert kind_of_bytes(head, Path(name).suffix) == kind


def test_every_driver_and_catalog_of_the_corpus_is_recognized(corpus):
    for pattern, kind in (("drivers/*.sys", "image"), ("catalogs/*.cat", "catalog")):
        assert {path.name: kind_of(path) for path in corpus_files(pattern) if kind_of(path) != kind} == {}
