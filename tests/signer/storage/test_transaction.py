"""Several files are replaced together or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signer.errors import FileError, UnfinishedRun
from signer.storage import journal, transaction
from signer.storage.patching import Patched, PatchSet
from signer.storage.recovery import UnfinishedRuns
from signer.storage.transaction import atomic_update
from tests.support.files import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.sys").write_bytes(b"old a")
    (tmp_path / "a.sys").chmod(0o640)
    (tmp_path / "b.sys").write_bytes(b"old b")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != ".drvsign.lock"
    }


def test_a_commit_replaces_all_files_and_leaves_no_other_file(folder):
    with atomic_update(folder) as staging:
        staging.change(folder / "a.sys", folder / "a.sys", lambda copy: Patched(PatchSet(((0, b"new"),), len(copy))))
        staging.write(folder / "c.cat", b"catalog")
        assert contents(folder) == {"a.sys": b"old a", "b.sys": b"old b"}
        assert staging.current(folder / "a.sys").read_bytes() == b"new a"
        assert staging.current(folder / "b.sys") == folder / "b.sys"
    assert contents(folder) == {"a.sys": b"new a", "b.sys": b"old b", "c.cat": b"catalog"}
    assert (folder / "a.sys").stat().st_mode & 0o777 == 0o640
    assert len(list(folder.iterdir())) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
@pytest.mark.parametrize("name", ["link.sys", "sub/a.sys"], ids=["a-link", "a-file-in-a-linked-folder"])
def test_a_link_is_written_through(folder: Path, name: str) -> None:
    (folder / "link.sys").symlink_to("a.sys")
    (folder / "sub").symlink_to(".", target_is_directory=True)
    with atomic_update(folder) as staging:
        staging.write(folder / name, b"new a")
        for alias in ("a.sys", "link.sys", "sub/a.sys"):
            assert staging.current(folder / alias).read_bytes() == b"new a"
    assert (folder / "a.sys").read_bytes() == b"new a"
    assert (folder / "link.sys").readlink() == Path("a.sys")
    assert (folder / "sub").is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_link_to_a_missing_file_gets_its_target(folder: Path) -> None:
    (folder / "link.sys").symlink_to("made.sys")
    with atomic_update(folder) as staging:
        staging.write(folder / "link.sys", b"new")
    assert (folder / "made.sys").read_bytes() == b"new"
    assert (folder / "link.sys").is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_link_out_of_the_folder_is_refused(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, linked: str
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "x.sys").write_bytes(b"theirs")
    (folder / "link.sys").symlink_to(elsewhere / "x.sys")
    (folder / "sub").symlink_to(elsewhere, target_is_directory=True)
    target = folder / ("link.sys" if linked == "file" else "sub/x.sys")
    with pytest.raises(FileError, match="symbolic link"), atomic_update(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        staging.write(target, b"ours")
    assert (elsewhere / "x.sys").read_bytes() == b"theirs"
    assert (folder / "a.sys").read_bytes() == b"old a"
    assert (folder / "link.sys").is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_folder_that_is_a_link_is_updated(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    alias = tmp_path_factory.mktemp("alias") / "package"
    alias.symlink_to(folder, target_is_directory=True)
    (alias / "taken").mkdir()
    before = contents(folder)
    with pytest.raises(FileError), atomic_update(alias) as staging:  # rolled back
        staging.write(alias / "a.sys", b"new a")
        staging.write(alias / "taken", b"new")
    assert contents(folder) == before
    with atomic_update(alias) as staging:
        staging.write(alias / "a.sys", b"new a")
    assert (folder / "a.sys").read_bytes() == b"new a"


def test_an_exception_in_the_block_leaves_every_file_as_it_was(folder):
    before = contents(folder)
    with pytest.raises(RuntimeError), atomic_update(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        raise RuntimeError
    assert contents(folder) == before
    assert len(list(folder.iterdir())) == 2


def test_a_move_that_fails_undoes_the_moves_before_it(folder):
    before = contents(folder)
    (folder / "taken").mkdir()
    with pytest.raises(FileError, match="taken"), atomic_update(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        staging.write(folder / "new.cat", b"catalog")
        staging.write(folder / "taken", b"can't replace a folder")
    assert contents(folder) == before
    assert (folder / "taken").is_dir()


def test_a_rollback_works_without_hard_links(folder, monkeypatch):
    def refuse(self: Path, target: Path) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    before = contents(folder)
    (folder / "taken").mkdir()
    with pytest.raises(FileError), atomic_update(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        staging.write(folder / "b.sys", b"new b")
        staging.write(folder / "taken", b"x")
    assert contents(folder) == before


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileError, match="gone: could not write to the folder"), atomic_update(tmp_path / "gone"):
        pass


def test_the_journal_is_synced_before_any_file_is_moved(folder, monkeypatch):
    """After a power failure, only the journal records how to restore the files that were moved."""
    synced = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: (synced.append(os.fstat(number).st_ino), fsync(number))[1])

    def move(path, target):
        inode = path.stat().st_ino
        assert inode in synced, f"{target} is not synced to disk"
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", move)
    with atomic_update(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        staging.write(folder / "c.cat", b"catalog")


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from signer.storage.transaction import atomic_update

    folder, steps, links = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "links"
    calls = {"replace": Path.replace, "unlink": Path.unlink, "hardlink_to": Path.hardlink_to, "chmod": Path.chmod}

    def step(name):
        def call(*arguments, **named):
            global steps
            if steps == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            steps -= 1
            if name == "hardlink_to" and not links:
                raise OSError(1, "Operation not permitted")
            return calls[name](*arguments, **named)
        return call

    for name in calls:
        setattr(Path, name, step(name))
    with atomic_update(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        staging.write(folder / "b.sys", b"new b")
        staging.write(folder / "c.cat", b"catalog")
    """
)
OLD = {"a.sys": b"old a", "b.sys": b"old b"}
NEW = {"a.sys": b"new a", "b.sys": b"new b", "c.cat": b"catalog"}


def run_and_kill(folder: Path, steps: int, links: str) -> int:
    command = [sys.executable, "-c", KILLED, str(folder), str(steps), links]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("links", ["links", "copies"])
def test_after_a_kill_at_any_step_the_next_run_has_all_old_or_all_new_files(folder: Path, links: str) -> None:
    ends = set()
    for steps in range(40):
        code = run_and_kill(folder, steps, links)
        messages: list[str] = []
        with atomic_update(folder, recovered=messages.append):
            found = contents(folder)
        assert found in (OLD, NEW), f"killed at step {steps}"
        assert (folder / "a.sys").stat().st_mode & 0o777 == 0o640
        ends.add((bool(messages), "new" if found == NEW else "old"))
        assert sorted(path.name for path in folder.iterdir()) == sorted(found), "no other file remains"
        if code == 0:
            break
        assert code == -signal.SIGKILL
        if found == NEW:
            for name, data in OLD.items():
                (folder / name).write_bytes(data)
            (folder / "c.cat").unlink()
    assert code == 0, "no run finished without a kill"
    assert ends == {(False, "old"), (True, "old"), (False, "new")}


def write_new(folder: Path, **options: Any) -> None:
    with atomic_update(folder, **options) as staging:
        staging.write(folder / "a.sys", b"new a")
        staging.write(folder / "b.sys", b"new b")
        staging.write(folder / "c.cat", b"catalog")


@pytest.mark.parametrize("is_called", [True, False], ids=["after", "before"])
def test_after_an_interrupt_at_any_step_the_files_are_all_old_or_all_new(
    folder: Path, monkeypatch: pytest.MonkeyPatch, is_called: bool
) -> None:
    """And this process can update the folder again at once, without a message."""
    left = 0

    def interrupting(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == 0 and not is_called:
                raise KeyboardInterrupt
            result = function(*arguments, **options)
            if left == 0:
                raise KeyboardInterrupt
            return result

        return call

    for owner, name in (
        (transaction, "flush_folder"),
        *((Path, name) for name in ("replace", "unlink", "hardlink_to")),
    ):
        monkeypatch.setattr(owner, name, interrupting(getattr(owner, name)))
    ends = set()
    for step in range(1, 40):
        left = step
        with contextlib.suppress(KeyboardInterrupt):
            write_new(folder)
        is_over, left = left > 0, 0
        found, messages = contents(folder), list[str]()
        assert found in (OLD, NEW), f"interrupted at step {step}"
        assert not list(folder.glob(".drvsign.*.tmp")), f"interrupted at step {step}"
        ends.add(found == NEW)
        with atomic_update(folder, recovered=messages.append):
            assert not messages
        if is_over:
            break
        for path in folder.iterdir():
            path.unlink()
        for name, data in OLD.items():
            (folder / name).write_bytes(data)
    assert is_over
    assert ends == {True, False}


def test_a_second_update_is_refused_during_the_first(folder: Path) -> None:
    with atomic_update(folder) as staging:
        staging.write(folder / "a.sys", b"new a")
        script = "import sys; from pathlib import Path; from signer.storage.transaction import atomic_update\n"
        script += "with atomic_update(Path(sys.argv[1])): pass"
        other = subprocess.run(
            [sys.executable, "-c", script, str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "another drvsign process is writing to this folder" in other.stderr
        assert staging.current(folder / "a.sys").read_bytes() == b"new a", "the staged file of the first run is kept"
    assert (folder / "a.sys").read_bytes() == b"new a"
    with atomic_update(folder):
        pass


def leave_journal(folder: Path, entries: object) -> None:
    """Create the staging folder of an interrupted update with this journal."""
    staging = folder / ".drvsign.killed.tmp"
    staging.mkdir()
    (staging / "0.old").write_bytes(b"before")
    (staging / "journal.json").write_text(entries if isinstance(entries, str) else json.dumps(entries))


@pytest.mark.parametrize("name", ["../outside.sys", "/outside.sys", "link/outside.sys"])
def test_a_journal_that_names_a_file_outside_of_the_folder_is_refused(
    folder: Path, tmp_path_factory, name: str
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "outside.sys").write_bytes(b"mine")
    (folder / "link").symlink_to(elsewhere)
    leave_journal(folder, [[name, None], [name, "0.old"]])
    with pytest.raises(FileError, match="outside of the folder"), atomic_update(folder):
        pass
    assert (elsewhere / "outside.sys").read_bytes() == b"mine"


@pytest.mark.parametrize("text", ["", "{", "[1]", '["ab", 1]', "null", "1", "[" * 100_000])
def test_a_journal_that_can_not_be_parsed_is_refused(folder: Path, text: str) -> None:
    leave_journal(folder, text)
    with pytest.raises(FileError, match="can't be parsed"), atomic_update(folder):
        pass
    assert contents(folder)["a.sys"] == b"old a"


def test_the_number_of_files_of_an_update_is_limited(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "MAX_FILES", 2)
    with atomic_update(folder) as update:
        for name in ("a.sys", "b.sys"):
            update.write(folder / name, b"new")
    with pytest.raises(FileError, match="more than 2 files"), atomic_update(folder) as update:
        for name in ("a.sys", "b.sys", "c.sys"):
            update.write(folder / name, b"newer")
    assert contents(folder)["a.sys"] == b"new"


def test_a_journal_with_too_many_files_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_FILES", 2)
    leave_journal(folder, [["a.sys", None]] * 3)
    with pytest.raises(FileError, match="can't be parsed"), atomic_update(folder):
        pass
    assert contents(folder)["a.sys"] == b"old a"


@pytest.mark.parametrize(
    ("target", "is_found"),
    [("a.sys", True), ("sub/b.sys", True), ("a.sys.bak", False), ("sub2/b.sys", False), ("su", False)],
)
def test_a_journal_concerns_the_files_that_it_names(folder: Path, target: str, is_found: bool) -> None:
    leave_journal(folder, [[str(Path("sub/b.sys")), None], ["a.sys", "0.old"]])
    (folder / Path(target).parent).mkdir(exist_ok=True)
    (folder / target).write_bytes(b"x")
    if is_found:
        with pytest.raises(UnfinishedRun):
            UnfinishedRuns().require_none(folder / target)
    else:
        UnfinishedRuns().require_none(folder / target)


def test_a_journal_concerns_a_folder_of_its_files(folder: Path) -> None:
    leave_journal(folder, [[str(Path("sub/x/b.sys")), None]])
    (folder / "sub" / "x").mkdir(parents=True, exist_ok=True)
    with pytest.raises(UnfinishedRun):
        UnfinishedRuns().require_none(folder / "sub")
