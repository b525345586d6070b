"""A folder to work in, with a test identity that is made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import pytest

from signer.pkcs7 import timestamp
from testcerts.store import ensure
from tests.support.images import PeSpec
from tests.support.program import MakeOnce


@pytest.fixture(scope="session")
def made_identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test hierarchy of this session."""
    folder = tmp_path_factory.mktemp("identity") / "generated"
    ensure(folder, datetime.now(UTC))
    return folder


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_identity: Path) -> Iterator[Path]:
    """The working directory: an empty folder that has the test identity where it belongs."""
    folder = tmp_path / "work"
    (folder / "testcerts").mkdir(parents=True)
    (folder / "testcerts" / "generated").symlink_to(made_identity)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    yield folder


@pytest.fixture(scope="module")
def make_once(tmp_path_factory: pytest.TempPathFactory, made_identity: Path) -> MakeOnce:
    """A function that fills the working folder by calling another, which it calls once for all tests of a module."""

    @cache
    def made(make: Callable[[], object]) -> Path:
        folder = tmp_path_factory.mktemp("made")
        with pytest.MonkeyPatch.context() as patched:
            patched.chdir(folder)
            patched.setenv("DRVSIGN_CERTS", str(made_identity))
            make()
        return folder

    def fill(make: Callable[[], object]) -> None:
        shutil.copytree(made(make), Path.cwd(), dirs_exist_ok=True)

    return fill


@pytest.fixture
def driver(work: Path) -> Path:
    """An unsigned driver."""
    path = work / "toaster.sys"
    path.write_bytes(PeSpec().build())
    return path


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process ask a timestamp authority again without a pause."""
    prompt = partial(timestamp.TimestampClient, sleep=lambda seconds: None)
    monkeypatch.setattr(timestamp, "TimestampClient", prompt)
