"""lief is imported ahead of everything else where a call will probably need it, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from signer import helper_program
from signer.cli import prefetch
from signer.formats.table import IMAGE
from signer.helper_program import LIEF_READER, start_ahead, started
from tests.support.images import PeSpec


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The programs that are started ahead."""
    found: list[Path] = []
    monkeypatch.setattr(prefetch, "start_ahead", found.append)
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images, and a folder with images and one without."""
    (tmp_path / "image.dll").write_bytes(PeSpec().build())
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "A.SYS").write_bytes(b"")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.inf").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("sign image.dll", True),
        ("sign papers IMAGE.DLL", True),
        ("sign --cert x drivers", True),
        ("package drivers", True),
        ("strip image.dll", True),
        ("timestamp image.dll --timestamp http://127.0.0.1/", True),
        ("attach image.dll --signature x", True),
        ("sign a.cat", False),
        ("sign papers", False),
        ("sign missing", False),
        ("sign", False),
        ("sign image.dll --help", False),
        ("sign image.dll --detached-request x", False),
        ("verify image.dll", False),
        ("inspect drivers", False),
        ("", False),
        ("--version", False),
    ],
)
def test_only_what_changes_images_starts_lief(folder: Path, programs: list[Path], call: str, expected: bool) -> None:
    prefetch.start(call.split())
    assert programs == [LIEF_READER] * expected


def test_a_word_that_is_no_path_does_no_harm(programs: list[Path]) -> None:
    prefetch.start(["sign", "a\0b", "x" * 5000])
    assert not programs


def test_the_names_of_images_are_those_of_the_table() -> None:
    assert IMAGE.suffixes == prefetch._SUFFIXES


def test_little_is_loaded_before_lief_is_started() -> None:
    """Each module that is loaded before delays lief, which is the last to be ready."""
    code = "import sys; from signer.cli import prefetch; print(*(name for name in sys.modules if 'signer' in name))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = ["signer.lazy_exports", "signer", "signer.cli", "signer.helper_program", "signer.cli.prefetch"]
    assert set(process.stdout.split()) == set(loaded)


def test_a_program_that_was_started_ahead_is_used_once(tmp_path: Path) -> None:
    program = tmp_path / "echo.py"
    program.write_text("import os, sys\nprint(os.getpid(), *sys.argv[1:], flush=True)\nsys.stdin.read()\n")
    start_ahead(program)
    (ahead,) = [process for (_, path), process in helper_program._ahead.items() if path == program]
    with started(program, "--other") as other, started(program) as first, started(program) as second:
        lines = [process.stdout and process.stdout.readline().split() for process in (other, first, second)]
        for process in (other, first, second):
            process.kill()
    assert first is ahead
    assert second is not ahead
    assert lines == [[b"%d" % other.pid, b"--other"], [b"%d" % first.pid], [b"%d" % second.pid]]


def test_another_process_does_not_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that write to the same pipes would get each other's answers."""
    program = tmp_path / "wait.py"
    program.write_text("import sys\nsys.stdin.read()\n")
    start_ahead(program)
    (ahead,) = [process for (_, path), process in helper_program._ahead.items() if path == program]
    monkeypatch.setattr(helper_program.os, "getpid", lambda: -1)
    with started(program) as own:
        assert own is not ahead
        own.kill()
    monkeypatch.undo()
    with started(program) as again:
        assert again is ahead
        again.kill()


def test_a_program_that_can_not_be_started_is_reported_later(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    start_ahead(tmp_path / "program.py")
    with pytest.raises(OSError):
        started(tmp_path / "program.py")
