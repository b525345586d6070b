"""`signer.audit.examine`: each INF of a folder is accounted for, whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.verification.query import VerifyQuery
from signer.audit import examine as module
from signer.audit.examine import Question, examine
from signer.audit.rows import Sighting
from signer.audit.units import Unit
from signer.errors import FileError
from signer.pe import image
from signer.pe.headers import Headers, usual_headers
from signer.policy.machine_state import MachineState
from signer.policy.targets import parse_targets
from signer.policy.trust import Trust
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO


def examined(folder: Path, target: str = "") -> dict[str, Sighting]:
    """Examine the files of a folder; return what was found by file name."""
    query = VerifyQuery("kernel", Trust.release(), MachineState(at=datetime(2026, 11, 1, tzinfo=UTC)))
    question = Question(
        VerifyQuery(query.policy, query.trust, query.machine, parse_targets([target] if target else []))
    )
    infs, files = (tuple(sorted(folder.glob(f"*.{suffix}"))) for suffix in ("inf", "sys"))
    return {Path(one.path).name: one for one in examine(Unit(folder, infs, files), question)}


INFS: dict[str, tuple[str | bytes, str]] = {
    "an INF whose driver is not here": (HELLO, "file-missing"),
    "an INF that can't be read": (b"\0\1\2 garbage", "inf"),
    "an INF for no release": (HELLO.replace("NTamd64.10.0...16299", "NTalpha"), "no-releases"),
    "an INF without a version section": ("[Other]\nx=1\n", "missing-version"),
}


@pytest.mark.parametrize(("text", "rule"), INFS.values(), ids=INFS.keys())
def test_an_inf_that_says_nothing_about_a_file_here_is_a_row(tmp_path: Path, text: str | bytes, rule: str) -> None:
    (tmp_path / "bad.inf").write_bytes(text if isinstance(text, bytes) else text.encode())
    found = examined(tmp_path)
    assert [(name, one.reason.answer, one.reason.rule) for name, one in found.items()] == [
        ("bad.inf", "needs-file", rule)
    ]
    assert found["bad.inf"].reason.remedy


def test_an_inf_without_drivers_is_no_row(tmp_path: Path) -> None:
    text = HELLO.replace("[Install.NT.Services]", "[Unused]").replace("CopyFiles=Files", "AddReg=Values\n[Values]")
    (tmp_path / "none.inf").write_text(text)
    assert examined(tmp_path) == {}


def test_each_wrong_inf_is_a_row_beside_a_good_package(tmp_path: Path) -> None:
    (tmp_path / "hello.inf").write_text(HELLO)
    (tmp_path / "hello.sys").write_bytes(PeSpec().build())
    for name in ("one", "two"):
        (tmp_path / f"{name}.inf").write_bytes(b"\0 garbage")
    found = examined(tmp_path)
    assert {name: one.reason.answer for name, one in found.items()} == {
        "hello.sys": "already-refused",
        "one.inf": "needs-file",
        "two.inf": "needs-file",
    }
    assert found["hello.sys"].links[-1] == "inf:hello.inf|1.2.3.4"


def raised(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize("error", [FileError("gone"), RuntimeError("a defect")], ids=["file", "defect"])
def test_if_the_check_of_a_folder_fails_all_its_infs_and_images_are_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    for name in ("one.inf", "two.inf"):
        (tmp_path / name).write_text(HELLO)
    (tmp_path / "hello.sys").write_bytes(PeSpec().build())
    monkeypatch.setattr(module, "check_packages", raised(error))
    found = examined(tmp_path)
    assert sorted(found) == ["hello.sys", "one.inf", "two.inf"]
    assert {found[name].reason.answer for name in ("one.inf", "two.inf")} == {"needs-file"}


def test_the_infs_of_a_package_that_fails_are_all_rows(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.inf").write_text(HELLO)
    (tmp_path / "hello.sys").write_bytes(PeSpec().build())
    (tmp_path / "hello.cat").write_bytes(b"not a catalog")
    found = examined(tmp_path)
    assert sorted(found) == ["hello.sys", "one.inf", "two.inf"]


TARGETS = {"win11-24h2-arm64": "not-for-target", "win11-24h2-x64": "already-refused", "": "already-refused"}


@pytest.mark.parametrize(("target", "answer"), TARGETS.items())
def test_an_image_for_another_architecture_is_not_refused_but_never_loaded(
    tmp_path: Path, target: str, answer: str
) -> None:
    (tmp_path / "hello.sys").write_bytes(PeSpec().build())
    assert examined(tmp_path, target)["hello.sys"].reason.answer == answer


def test_each_image_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []

    def counted(data: memoryview) -> Headers | None:
        parsed.append(len(data))
        return usual_headers(data)

    (tmp_path / "hello.inf").write_text(HELLO)
    for number, name in enumerate(("hello.sys", "loose.sys")):
        (tmp_path / name).write_bytes(PeSpec().build() + bytes(8 * number))
    monkeypatch.setattr(image, "usual_headers", counted)
    assert examined(tmp_path).keys() == {"hello.sys", "loose.sys"}
    assert len(parsed) == len(set(parsed)) == 2


REMEDIES = {
    "a word": (FileError("not a cabinet", hint="Get another copy."), "Not a cabinet. Get another copy."),
    "a name": (FileError("hello.sys is not here"), "hello.sys is not here"),
}


@pytest.mark.parametrize(("error", "text"), REMEDIES.values(), ids=REMEDIES.keys())
def test_a_remedy_is_a_sentence_and_names_keep_their_case(error: FileError, text: str) -> None:
    assert module._remedy(error) == text
