"""`drvsign package` when the disk is full, when it is killed, and when two run at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from signer.storage.transaction import atomic_update
from tests.support.files import ROOT
from tests.support.full_disk import full_disk
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, write_package
from tests.support.program import drvsign, state

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses limits and signals of POSIX")


@pytest.fixture
def package(work: Path) -> Path:
    """A package of many drivers, signed once, so that there is an old state to keep."""
    names = [f"part{number}.sys" for number in range(8)]
    inf = BASE.replace("[Drivers]\nsample.sys", "[Drivers]\nsample.sys\n" + "\n".join(names))
    inf = inf.replace("sample.sys = 1", "sample.sys = 1\n" + "\n".join(f"{name} = 1" for name in names))
    write_package(work / "echo", inf, "sample.sys", *names)
    assert drvsign("package", work / "echo", "--description", "old").code == 0
    return work / "echo"


def start(package: Path, *arguments: str, limit: int | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "signer", "package", str(package), *arguments]
    options = {"env": {**os.environ, "PYTHONPATH": str(ROOT)}} if limit is None else full_disk(limit)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def visible(package: Path) -> dict[str, str]:
    return {name: digest for name, digest in state(package).items() if not name.startswith(".drvsign.")}


def test_a_disk_that_is_full_changes_nothing(package: Path) -> None:
    (package / "part7.sys").write_bytes(PeSpec(overlay=bytes(200_000)).build())
    before = state(package)
    process = start(package, limit=100_000)
    _, errors = process.communicate()
    assert process.returncode == 3
    assert "This path is unchanged" in errors
    assert state(package) == before


def test_killed_at_any_moment_the_package_is_the_old_one_or_the_new(package: Path) -> None:
    old, ends = visible(package), []
    for delay in (0.3, 0.6, 0.8, 1.0, 1.2, 1.5):
        process = start(package, "--description", "new", "--quiet")
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with atomic_update(package):  # as the next run begins
            pass
        now = visible(package)
        changed = [name for name in old if now[name] != old[name]]
        ends.append(len(changed))
        assert set(now) == set(old)
        assert len(changed) in (0, 10), "nine drivers and the catalog, or nothing"
        if changed:
            break
    assert not list(package.glob(".drvsign*"))


def test_a_second_run_is_refused_and_changes_nothing(package: Path) -> None:
    before = visible(package)
    with atomic_update(package):
        ran = start(package)
        _, errors = ran.communicate()
    assert ran.returncode == 3
    assert "another drvsign process is writing to this folder" in errors
    assert visible(package) == before
