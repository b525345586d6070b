"""`drvsign package` signs and checks many files in other processes, with the same results as in this one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from catalogs import signing
from catalogs.verification import gathered
from catalogs.verification.gathered import Gathered
from signer.cli import processes
from signer.cli.output import Output
from signer.cli.packaging import PackageCall
from signer.cli.waiting import WaitingKey
from signer.errors import SigningError
from signer.operations.sign import sign_file
from tests.support.identities import identity
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, write_package
from tests.support.program import drvsign, state

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork")

COUNT = 130
"""Number of drivers: enough for processes."""
BROKEN = f"part{COUNT - 2:03}.sys"


@pytest.fixture(autouse=True)
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of those who run the tests do no harm here."""
    monkeypatch.setattr(processes, "can_fork", lambda: True)


@pytest.fixture
def package(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of many different drivers."""
    names = [f"part{number:03}.sys" for number in range(COUNT - 1)]
    inf = BASE.replace("[Drivers]\nsample.sys", "\n".join(["[Drivers]\nsample.sys", *names]))
    inf = inf.replace("sample.sys = 1", "\n".join(["sample.sys = 1", *(f"{name} = 1" for name in names)]))
    write_package(work / "echo", inf, "sample.sys", *names)
    for number, name in enumerate(names):
        (work / "echo" / name).write_bytes(PeSpec(overlay=number.to_bytes(8, "little")).build())
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    return work / "echo"


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[int]]:
    """The processes that signed files."""
    folder = tmp_path / "pids"
    folder.mkdir()

    def noted(data: memoryview, *arguments: Any, **options: Any) -> Any:
        (folder / str(os.getpid())).touch()
        return sign_file(data, *arguments, **options)

    monkeypatch.setattr(signing, "sign_file", noted)
    return lambda: {int(path.name) for path in folder.iterdir()}


def test_the_files_are_those_that_one_process_writes(package: Path, pids: Callable[[], set[int]]) -> None:
    def made(jobs: int) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
        copy = package.with_name(f"jobs{jobs}")
        ran = drvsign("package", package, "--output-dir", copy, "--jobs", jobs, "--json")
        assert ran.code == 0
        return [(Path(one["path"]).name, one["action"], one["digest"]) for one in ran.document["files"]], state(copy)

    several = made(2)
    others = pids()
    assert others
    assert os.getpid() not in others
    assert several == made(1)
    assert pids() == others | {os.getpid()}


def test_the_verdict_uses_what_other_processes_gathered(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, asked = os.getpid(), []
    gather = gathered.gather

    def noted(data: memoryview, kind: str, name: str, *arguments: Any, **options: Any) -> Any:
        if os.getpid() == here:
            asked.append(name)
        return gather(data, kind, name, *arguments, **options)

    monkeypatch.setattr(gathered, "gather", noted)
    ran = drvsign("package", package, "--jobs", 2, "--json")
    assert ran.document["verdict"]["accepted"]
    assert asked == []


def test_a_driver_that_one_process_cannot_sign_cancels_all(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, before = (package / BROKEN).read_bytes(), state(package)

    def refused(data: memoryview, *arguments: Any, **options: Any) -> Any:
        if bytes(data) == broken:
            raise SigningError("this image is refused", hint="Build it again.")
        return sign_file(data, *arguments, **options)

    monkeypatch.setattr(signing, "sign_file", refused)
    ran = drvsign("package", package, "--jobs", 2)
    assert ran.code == 3
    assert "this image is refused" in ran.stderr
    assert BROKEN in ran.stderr
    assert state(package) == before


def test_a_rehearsal_signs_in_this_process(package: Path, pids: Callable[[], set[int]]) -> None:
    """Its results are in memory."""
    before = state(package)
    ran = drvsign("package", package, "--dry-run", "--jobs", 2, "--json")
    assert (ran.code, len(ran.document["files"])) == (0, COUNT + 1)
    assert pids() == {os.getpid()}
    assert state(package) == before


@pytest.mark.parametrize(
    ("is_local", "timestamper", "forks"),
    [(True, None, True), (False, None, False), (True, lambda _: b"", False)],
    ids=["a key in memory", "a key in a service", "a timestamp"],
)
def test_signing_that_waits_for_a_server_stays_in_this_process(is_local: bool, timestamper: Any, forks: bool) -> None:
    """A session with a token or a service does not survive a fork."""
    signer = identity() if is_local else replace(identity(), key=WaitingKey(identity().key))
    options: Any = SimpleNamespace(timestamper=timestamper)
    unused: Any = None
    call = PackageCall(Output(quiet=True), unused, Path(), None, [], signer, options, unused, 2, None, Gathered())
    found = call.each(lambda _: os.getpid(), range(300))
    assert (os.getpid() not in found) is forks
