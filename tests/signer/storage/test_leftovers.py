"""Temporary files that a killed process left are deleted; those of a running one stay."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from signer.storage import leftovers
from signer.storage.files import atomic_writer, create_folder, temporary_folder, write_atomically
from tests.support.files import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows does not delete open files")
KILLED = """
import os, sys
from pathlib import Path
from signer.storage import leftovers
leftovers.create(Path(sys.argv[1]), is_folder=sys.argv[2] == "folder")
if sys.argv[3] == "wait":
    print("ready", flush=True)
    sys.stdin.read()
os._exit(9)
"""


def start(path: Path, kind: str, end: str) -> subprocess.Popen[str]:
    """Create a temporary file or folder in another process, which is killed or waits."""
    call = [sys.executable, "-c", KILLED, str(path), kind, end]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(call, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_swept", set())


def write(folder: Path) -> None:
    write_atomically(folder / "b.sys", b"new")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_next_run_deletes_what_a_killed_process_left(tmp_path: Path, kind: str) -> None:
    with start(tmp_path / "a.sys", kind, "exit") as killed:
        assert killed.wait() == 9
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".drvsign-new.a.sys.")
    if kind == "folder":
        (left / "key.pem").write_bytes(b"x")
    write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["b.sys"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_running_process_writes_stays(tmp_path: Path, kind: str) -> None:
    with start(tmp_path / "a.sys", kind, "wait") as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        write(tmp_path)
        assert len(list(tmp_path.iterdir())) == 2
        other.communicate()


def test_files_with_other_names_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"mine")
    (tmp_path / ".drvsign-new.x.tmp").symlink_to("target")
    for name in (".a.sys.x.tmp", ".drvsign-new.x", "drvsign-new.x.tmp"):
        (tmp_path / name).write_bytes(b"mine")
    before = {path.name for path in tmp_path.iterdir()}
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == before | {"b.sys"}
    assert (tmp_path / "target").read_bytes() == b"mine"


def test_a_file_system_without_locks_keeps_leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with start(tmp_path / "a.sys", "file", "exit") as killed:
        killed.wait()

    def refuse(_: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(leftovers, "lock_descriptor", refuse)
    write(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert (tmp_path / "b.sys").read_bytes() == b"new"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not list open files")
def test_no_descriptor_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor of a file in this folder: threads of other tests may open and close others meanwhile."""

    def opened() -> list[str]:
        found = []
        for descriptor in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):
                found.append(str(descriptor.readlink()))
        return [path for path in found if path.startswith(str(tmp_path))]

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (tmp_path / "seen").open("wb"):
        assert opened() == [str(tmp_path / "seen")]
    write(tmp_path)
    create_folder(tmp_path / "folder", {"a": (b"x", None)})
    with temporary_folder():
        pass
    with pytest.raises(RuntimeError), atomic_writer(tmp_path / "c.sys"):
        raise RuntimeError
    assert opened() == []


def test_a_folder_that_another_process_deletes_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, made = tempfile.mkdtemp, []

    def mkdtemp(**options: str | Path) -> str:
        made.append(original(**options))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    create_folder(tmp_path / "folder", {"a": (b"x", None)})
    assert (len(made), (tmp_path / "folder" / "a").read_bytes()) == (2, b"x")
