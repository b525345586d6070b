"""A package to build with Microsoft's command lines, a key, and a folder for the named stores."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testcerts.store import ensure
from tests.support.images import PeSpec
from tests.support.inf_files import BASE


@pytest.fixture(autouse=True)
def stores(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the named stores, and an environment that names nothing else."""
    for name in ("Platform", "STAMPINF_DATE", "STAMPINF_VERSION", "PRIVATE_DRIVER_PACKAGE", "SIGNTOOL_PAGE_HASHES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DRVSIGN_STORES", str(work / "stores"))
    return work / "stores"


@pytest.fixture
def package(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose INF is a template."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764201600")  # 2025-11-27
    folder = work / "package"
    folder.mkdir()
    folder.joinpath("sample.inf").write_text(BASE.replace("NTamd64", "NT$ARCH$"), newline="")
    folder.joinpath("sample.sys").write_bytes(PeSpec().build())
    return folder


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of test certificates that is made once; tests use copies of it."""
    folder = tmp_path_factory.mktemp("authority") / "certs"
    ensure(folder, datetime.now(UTC))
    return folder


@pytest.fixture
def pfx(work: Path, authority: Path) -> Path:
    """A PFX with the password "drvsign", whose authority drvsign does not know."""
    shutil.copytree(authority, work / "certs")
    return work / "certs" / "code-signing.pfx"
