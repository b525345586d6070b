"""A file whose reading ends in a bug of ours has a result of its own: the other files of the call are handled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalogs.inf.driver import DriverInf
from signer.cli import processes
from signer.pe.image import Image
from testcerts import inventory
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import Ran, drvsign

MARK = b"not foreseen"
BAD, GOOD = "bad", "good"


@pytest.fixture
def files(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of good files, and of bad ones whose mark makes the reader raise an exception of Python."""
    folder = work / "files"
    folder.mkdir()
    good = PeSpec(overlay=b"good").build()
    assert drvsign_on(folder, "good.sys", good, "sign", folder / "good.sys").code == 0
    (folder / "bad.sys").write_bytes((folder / "good.sys").read_bytes() + MARK)
    for name in (BAD, GOOD):
        text = HELLO.replace("hello.cat", f"{name}.cat").encode() + (b"; " + MARK if name == BAD else b"")
        (folder / f"{name}.inf").write_bytes(text)
    (folder / "good.cer").write_bytes((work / "testcerts" / "generated" / "root.cer").read_bytes())
    (folder / "bad.cer").write_bytes(MARK)
    break_reader(monkeypatch, Image, "parse")
    break_reader(monkeypatch, inventory, "open_contents")
    real = DriverInf.read

    def read(path: Path, *arguments: Any) -> Any:
        if MARK in path.read_bytes():
            raise IndexError("list index out of range")
        return real(path, *arguments)

    monkeypatch.setattr(DriverInf, "read", read)
    return folder


def drvsign_on(folder: Path, name: str, data: bytes, *arguments: object) -> Ran:
    (folder / name).write_bytes(data)
    return drvsign(*arguments)


def break_reader(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Let a function raise IndexError for data with the mark."""
    real = getattr(owner, name)

    def reader(data: Any, *arguments: Any) -> Any:
        if MARK in bytes(data):
            raise IndexError("list index out of range")
        return real(data, *arguments)

    monkeypatch.setattr(owner, name, reader)


COMMANDS: dict[str, tuple[str, ...]] = {
    "sign": ("sign", "{}.sys"),
    "sign-skip-signed": ("sign", "{}.sys", "--skip-signed"),
    "strip": ("strip", "{}.sys"),
    "digest": ("digest", "{}.sys"),
    "inspect": ("inspect", "{}.sys"),
    "verify": ("verify", "{}.sys", "--policy", "authenticode", "--roots", "test-signing"),
    "inf-show": ("inf", "show", "{}.inf"),
    "inf-lint": ("inf", "lint", "{}.inf", "--no-files"),
    "certs-show": ("certs", "show", "{}.cer"),
}


def call(command: tuple[str, ...], folder: Path, *more: str) -> Ran:
    """Run the command on the bad file and then on the good one."""
    words = [word for word in command if "{}" not in word]
    (pattern,) = (word for word in command if "{}" in word)
    at = command.index(pattern)
    return drvsign(*words[:at], folder / pattern.format(BAD), folder / pattern.format(GOOD), *words[at:], *more)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_an_unforeseen_exception_fails_one_file(files: Path, command: tuple[str, ...]) -> None:
    alone = drvsign(*(word.format(files / GOOD) for word in command), "--json")
    both = call(command, files, "--json")
    assert (alone.code, both.code) == (0, 3)
    of_good = [one for one in both.document["files"] if GOOD in Path(one["path"]).name]
    assert [one.keys() for one in of_good] == [one.keys() for one in alone.document["files"]]
    assert all(not one.get("error") for one in of_good)
    assert '"internal"' in both.stdout
    assert "unexpected error (IndexError: list index out of range)" in both.stdout


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_error_names_the_file_and_asks_for_a_report(
    files: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRVSIGN_DEBUG", raising=False)
    ran = call(command, files)
    said = ran.stdout + ran.stderr
    assert ran.code == 3
    assert "bad" in said
    assert "unexpected error (IndexError" in said
    assert "Please report it" in said
    assert "Traceback" not in said


def test_the_traceback_is_shown_on_request(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRVSIGN_DEBUG", "1")
    from typer.testing import CliRunner

    from signer.cli.app import app

    ran = CliRunner().invoke(app, ["digest", str(files / "bad.sys"), str(files / "good.sys")])
    assert (ran.exit_code, "Traceback" in ran.stderr, "good.sys" in ran.stdout) == (3, True, True)


def test_a_forked_process_returns_the_error_of_one_file(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "can_fork", lambda: True)
    many = []
    for number in range(140):
        many.append(files / f"{number}.sys")
        many[-1].write_bytes((files / ("bad.sys" if number == 70 else "good.sys")).read_bytes())
    ran = drvsign("sign", *many, "--jobs", "2", "--json")
    failed = [one for one in ran.document["files"] if one["action"] == "failed"]
    assert (ran.code, len(failed), failed[0]["error"]["code"]) == (3, 1, "internal")
    assert len([one for one in ran.document["files"] if one["action"] == "signed"]) == 139
