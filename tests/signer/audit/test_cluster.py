"""`signer.audit.cluster`: a cluster of processes gives the rows of a local audit, also if one of them is killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from catalogs.verification.query import VerifyQuery
from signer.audit.cluster import Cluster
from signer.audit.examine import Question
from signer.audit.ledger import Ledger
from signer.audit.run import Run, audit
from signer.audit.tables import json_rows
from signer.audit.units import Place
from signer.errors import SignerError, UsageError
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.patience import PATIENCE

QUESTION = Question(VerifyQuery("kernel", Trust.release(), MachineState(at=datetime(2026, 11, 1, tzinfo=UTC))))
FOLDERS = 100
"""More than the units of several tasks."""
stopped = False


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    for number in range(FOLDERS):
        package = folder / f"{number:03}"
        package.mkdir()
        (package / "hello.inf").write_text(HELLO)
        (package / "hello.sys").write_bytes(PeSpec(fill=number).build())
    (folder / "050" / "broken.sys").write_bytes(b"MZ" + bytes(200))
    return folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="the package distributed (Dask) is not installed")
    with pytest.MonkeyPatch.context() as patched:
        for name in ("_START_SECONDS", "_ALONE_SECONDS", "_STALLED_SECONDS"):
            patched.setattr(f"signer.audit.cluster.{name}", PATIENCE)
        with Cluster(None, 3, lambda: stopped) as found:
            yield found


def rows(place: Path, run: Run = map) -> bytes:
    with Ledger() as ledger:
        audit([Place(place, "pc")], QUESTION, ledger, run)
        return b"".join(json_rows(ledger.rows()))


def killing_once(work: Callable[[Any], Any], marker: Path, unit: Any) -> Any:
    """Kill the process of the worker that is the first to reach a folder in the middle."""
    if unit.folder.name == "050":
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            return work(unit)
        os.kill(os.getpid(), signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    return work(unit)


def test_the_rows_are_those_of_a_local_audit_byte_for_byte(cluster: Cluster, store: Path) -> None:
    cluster.require_equal_workers([store])
    assert rows(store, cluster.run) == rows(store)


def test_a_worker_that_is_killed_changes_nothing(cluster: Cluster, store: Path, tmp_path: Path) -> None:
    marker = tmp_path / "killed"

    def run(work: Callable[[Any], Any], units: Iterable[Any]) -> Iterator[Any]:
        return cluster.run(partial(killing_once, work, marker), units)

    assert rows(store, run) == rows(store)
    assert marker.exists()


def test_relative_paths_are_those_of_the_caller(
    cluster: Cluster, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").symlink_to(store) if sys.platform != "win32" else pytest.skip("links need rights on Windows")
    monkeypatch.chdir(tmp_path)
    cluster.require_equal_workers([Path("here/001")])
    found = rows(Path("here/001"), cluster.run)
    assert found == rows(Path("here/001"))
    assert b'"here/001/hello.sys"' in found


def test_a_folder_that_a_worker_does_not_see_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not see"):
        cluster.require_equal_workers([tmp_path / "missing"])


def test_workers_with_another_version_are_refused(
    cluster: Cluster, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer.audit.cluster.program_digest", lambda: "another")
    with pytest.raises(UsageError, match="another version"):
        cluster.require_equal_workers([store])


def test_an_interrupt_ends_the_work_and_keeps_what_is_there(
    cluster: Cluster, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    anything: tuple[Any, Any] = (len_of, range(1000))
    for one in cluster.run(*anything):
        found.append(one)
        if len(found) == 20:
            monkeypatch.setattr(sys.modules[__name__], "stopped", True)
    assert 20 <= len(found) < 1000


class Stalling:
    """A client of Dask on whose cluster the first tasks wait for ever."""

    def __init__(self, stalled: int) -> None:
        self.stalled, self.submitted = stalled, 0

    def submit(self, function: Callable[..., Any], *arguments: Any, pure: bool) -> Any:
        self.submitted += 1
        return Stalled() if self.submitted <= self.stalled else Done(function(*arguments))

    def ncores(self) -> dict[str, int]:
        return {"worker": 1}

    def processing(self) -> dict[str, tuple[str, ...]]:
        return {"worker": ()}

    def cancel(self, futures: list[Any]) -> None:
        """Called at the end."""


class Stalled:
    def result(self, timeout: float) -> None:
        raise TimeoutError

    def done(self) -> bool:
        return False


class Done:
    def __init__(self, found: Any) -> None:
        self.found = found

    def result(self, timeout: float) -> Any:
        return self.found


@pytest.fixture
def stalling(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], tuple[Cluster, Stalling]]:
    """A cluster whose client stalls for this number of submitted tasks."""
    pytest.importorskip("distributed", reason="the package distributed (Dask) is not installed")
    monkeypatch.setattr("signer.audit.cluster._STALLED_SECONDS", 0.0)

    def make(stalled: int) -> tuple[Cluster, Stalling]:
        client = Stalling(stalled)
        monkeypatch.setattr("signer.audit.cluster._dask", lambda: (lambda *_, **__: client, lambda **_: None))
        monkeypatch.setattr(Stalling, "wait_for_workers", lambda *_, **__: None, raising=False)
        return Cluster(None, 1, lambda: False), client

    return make


@pytest.mark.parametrize("stalled", [0, 1, 3])
def test_a_task_that_no_worker_does_is_submitted_again(
    stalling: Callable[[int], tuple[Cluster, Stalling]], stalled: int
) -> None:
    cluster, client = stalling(stalled)
    anything: tuple[Any, Any] = (len_of, range(5))
    assert list(cluster.run(*anything)) == [[number] for number in range(5)]
    assert client.submitted == stalled + 1


def test_an_audit_ends_if_no_worker_does_anything(stalling: Callable[[int], tuple[Cluster, Stalling]]) -> None:
    cluster, client = stalling(100)
    anything: tuple[Any, Any] = (len_of, range(5))
    with pytest.raises(SignerError, match="do no work") as caught:
        list(cluster.run(*anything))
    assert "Run the same command again" in (caught.value.hint or "")
    assert client.submitted == 4


def len_of(number: int) -> list[int]:
    return [number]


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="distributed") as caught:
        Cluster("tcp://localhost:1", 1, lambda: False)
    assert "drvsign[cluster]" in str(caught.value.hint)


def test_a_scheduler_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the package distributed (Dask) is not installed")
    monkeypatch.setattr("signer.audit.cluster._START_SECONDS", 1)
    with pytest.raises(SignerError, match="no scheduler"):
        Cluster("tcp://127.0.0.1:9", 1, lambda: False)
