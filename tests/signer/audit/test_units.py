"""`signer.audit.units`: the folders of an audit, listed without reading a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.verification.query import VerifyQuery
from signer.audit import units as module
from signer.audit.examine import Question, examine
from signer.audit.units import Place, Unit, units
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_each_folder_with_infs_or_images_is_a_unit(tmp_path: Path) -> None:
    make(tmp_path, "a/x.inf", "a/x.CAT", "a/x64/x.SYS", "b/readme.txt", "c/y.sys")
    found = list(units([Place(tmp_path, "pc")]))
    assert [one.folder.relative_to(tmp_path).as_posix() for one in found] == ["a", "a/x64", "c"]
    assert [len(one.infs) for one in found] == [1, 0, 0]
    assert [path.name for path in found[0].catalogs] == ["x.CAT"]
    assert {one.machine for one in found} == {"pc"}


def test_a_file_is_a_unit_of_its_own(tmp_path: Path) -> None:
    make(tmp_path, "x.bin", "x.inf")
    (image,) = units([Place(tmp_path / "x.bin")])
    (inf,) = units([Place(tmp_path / "x.inf")])
    assert (image.files, image.infs) == ((tmp_path / "x.bin",), ())
    assert (inf.files, inf.infs) == ((), (tmp_path / "x.inf",))


def test_a_large_folder_is_split_and_its_infs_stay_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_FILES", 2)
    make(tmp_path, "a.inf", *(f"{number}.sys" for number in range(5)))
    found = list(units([Place(tmp_path)]))
    assert [(len(one.infs), len(one.files)) for one in found] == [(1, 2), (0, 2), (0, 1)]


def test_a_folder_that_cannot_be_listed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "open/x.sys", "shut/y.sys")
    scan = module.os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(module.os, "scandir", refuse)
    found = list(units([Place(tmp_path, "pc")]))
    assert [(one.folder.name, one.machine) for one in found if one.unreadable] == [("shut", "pc")]
    assert "Permission denied" in next(one.unreadable for one in found if one.unreadable)


def test_a_folder_that_cannot_be_listed_is_a_row_with_its_machine(tmp_path: Path) -> None:
    question = Question(VerifyQuery("kernel", Trust.release(), MachineState(at=datetime(2026, 11, 1, tzinfo=UTC))))
    (found,) = examine(Unit(tmp_path, machine="pc", unreadable="can't read the folder"), question)
    assert (found.path, found.machine, found.reason.answer) == (str(tmp_path), "pc", "needs-file")
