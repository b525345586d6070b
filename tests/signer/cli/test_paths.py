"""PATH arguments, and what a file is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signer.cli.paths import expand
from signer.errors import FileError, UsageError
from signer.formats.detect import kind_of
from signer.storage.files import mapped


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"], ids=["utf-8", "utf-8-bom", "powershell-5"])
def test_a_list_is_read_in_every_encoding_that_shells_write(folder, encoding):
    (folder / "drïver 日本.sys").write_bytes(b"x")
    (folder / "list.txt").write_bytes(f"{folder / 'drïver 日本.sys'}\r\n".encode(encoding))
    found = expand([Path(f"@{folder / 'list.txt'}")], sys_files, "drivers")
    assert [file.name for file in found] == ["drïver 日本.sys"]


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", UsageError, "the list contains no paths"),
        (b"# none\n\n", UsageError, "the list contains no paths"),
        (b"dr\xffver.sys\n", FileError, "at offset 0x2: the list of paths is neither UTF-8 nor UTF-16"),
        (b"a\0b\n", FileError, "at offset 0x1: not a list of paths"),
    ],
    ids=["empty", "comments-only", "latin-1", "binary"],
)
def test_a_list_that_names_nothing_is_refused_and_not_taken_for_done(folder, content, error, says):
    (folder / "list.txt").write_bytes(content)
    with pytest.raises(error, match=says):
        expand([Path(f"@{folder / 'list.txt'}")], sys_files, "drivers")


def test_pipes_are_neither_found_in_folders_nor_read(folder):
    os.mkfifo(folder / "pipe.sys")
    assert [file.name for file in expand([folder], sys_files, "drivers")] == ["a.sys", "b.sys", "c.sys"]
    for use in (kind_of, lambda path: mapped(path).__enter__()):
        with pytest.raises(FileError, match=r"pipe\.sys: the path is a pipe, a socket or a device"):
            use(folder / "pipe.sys")


def test_a_link_to_itself_is_a_file_that_can_t_be_read(folder):
    (folder / "loop.sys").symlink_to("loop.sys")
    assert [file.name for file in expand([folder / "loop.sys"], sys_files, "drivers", missing_ok=True)] == ["loop.sys"]
    with pytest.raises(FileError, match="symbolic links"):
        kind_of(folder / "loop.sys")


def test_a_link_that_leads_nowhere_fails_alone_where_files_do(folder):
    (folder / "lost.sys").symlink_to("nowhere.sys")

    def images(path: Path) -> bool:
        return kind_of(path) == "file" and path.suffix == ".sys"

    found = expand([folder], images, "drivers", missing_ok=True)
    assert [file.name for file in found] == ["a.sys", "b.sys", "lost.sys", "c.sys"]
    with pytest.raises(FileError, match=r"lost\.sys"):
        expand([folder], images, "drivers")


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileError, match=r"gone\.sys: file or folder not found"):
        expand([tmp_path / "gone.sys"], sys_files, "drivers")


def test_a_folder_with_nothing_to_do_is_a_wrong_call(tmp_path):
    with pytest.raises(UsageError, match="no drivers in this folder"):
        expand([tmp_path], sys_files, "drivers")
