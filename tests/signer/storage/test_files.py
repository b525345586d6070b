"""A file is replaced completely or left unchanged."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signer.cli.text import text_of
from signer.errors import FileError
from signer.storage.files import write_atomically
from signer.storage.patching import PatchSet, patch_atomically
from signer.storage.transaction import atomic_update
from tests.support.files import ROOT

MAX_NAME = 255


@pytest.mark.parametrize("length", [200, 250, MAX_NAME])
@pytest.mark.parametrize("letter", ["n", "ñ"], ids=["ascii", "two-bytes"])
def test_a_file_name_can_have_the_maximum_length(tmp_path: Path, length: int, letter: str) -> None:
    path = tmp_path / (letter * ((length - 4) // len(letter.encode())) + ".sys")
    path.write_bytes(b"old")
    patch_atomically(path, path, PatchSet(((0, b"new"),), 3))
    assert path.read_bytes() == b"new"
    with atomic_update(tmp_path) as staging:
        staging.write(path, b"both")
    assert path.read_bytes() == b"both"
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_write_new_files_do_not_change_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: write_atomically(tmp_path / f"{n}.sys", b"x"), range(400)))
        assert os.umask(0o027) == 0o027
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}
    finally:
        os.umask(before)


def test_no_temporary_file_is_left_where_permissions_can_t_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems refuse it."""

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(FileError):
        write_atomically(tmp_path / "a.sys", b"x")
    assert not list(tmp_path.iterdir())


def test_a_path_through_a_symbolic_link_loop_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileError):
        write_atomically(tmp_path / "loop" / "x.sys", b"x")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", ["", "pässword\r\n"], ids=["empty", "a-line"])
def test_text_that_a_shell_wrote_is_decoded_with_and_without_byte_order_mark(encoding: str, text: str) -> None:
    assert text_of(text.encode(encoding)) == text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the umask")
def test_an_interrupt_can_not_leave_the_umask_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file gets its permissions without a change of the umask, which also other threads would see."""
    before = os.umask(0o027)
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask was changed"))
    try:
        write_atomically(tmp_path / "new", b"")
    finally:
        monkeypatch.undo()
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


FORKED = """
import atexit, contextlib, os, sys
from pathlib import Path
from signer.storage.files import Replacement
with contextlib.closing(Replacement(Path(sys.argv[1]))) as new:
    new.write(b"new")
    child = os.fork()
    if not child:  # ends as a program does whose other thread writes
        atexit._run_exitfuncs()
        os._exit(0)
    os.waitpid(child, 0)
    new.replace()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_that_ends_deletes_no_file_that_its_parent_writes(tmp_path: Path) -> None:
    """A program that uses the API can fork while a thread writes."""
    command = [sys.executable, "-c", FORKED, "x"]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    assert done.stderr == b""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"x": b"new"}
