"""A fault at every call that changes the disk: each file is old or new, and the next run leaves nothing behind.

The fast sweep tries some of the calls of each command; `make faults` tries all of them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from signer.cli.tsa_server import serving
from tests.support import system_faults
from tests.support.files import ROOT
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import drvsign, state
from tests.support.timestamping import tsa

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks processes")

COMMANDS: dict[str, tuple[str, ...]] = {
    "sign": ("sign", "new.sys", "large.sys"),
    "sign-output": ("sign", "new.sys", "--output", "other.sys"),
    "sign-depfile": ("sign", "new.sys", "--output", "made.sys", "--depfile", "made.d"),
    "strip": ("strip", "signed.sys"),
    "extract": ("extract", "signed.sys", "--output", "other.p7"),
    "attach": ("attach", "new.sys", "--signature", "a.p7"),
    "catalog-build": ("catalog", "build", "hello"),
    "package": ("package", "hello", "--os", "10_X64"),
    "package-output": ("package", "hello", "--os", "10_X64", "--output-dir", "out"),
    "timestamp": ("timestamp", "signed.sys", "--legacy-timestamp", "URL"),
    "submission": ("submission", "build", "hello", "--unsigned", "-o", "other.cab"),
    "inf-stamp": ("inf", "stamp", "hello/hello.inf", "-o", "other.inf", "--date", "11/24/2026", "--version", "1.2.3.4"),
    "inf-fix": ("inf", "lint", "lines", "--fix"),
}
CERTIFICATES: dict[str, tuple[str, ...]] = {
    "create": ("certs", "create", "made", "--key", "p256"),
    "create-force": ("certs", "create", "testcerts/generated", "--key", "p256", "--force"),
    "import": ("certs", "import", "test.pfx", "made", "--password-file", "password"),
    "import-force": ("certs", "import", "test.pfx", "testcerts/generated", "--password-file", "password", "--force"),
}
STRIDES = {"sign": 9, "package": 13, "package-output": 17}
"""Every n-th call fails, by default every fourth; with DRVSIGN_FAULTS=1 every call."""
TOGETHER = {"package": {"hello/hello.sys", "hello/hello.cat"}, "package-output": {"out/hello.sys", "out/hello.cat"}}
"""Files that are replaced together: after the next run they are all new."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with old files, and the test identity."""
    folder = tmp_path_factory.mktemp("faults") / "source"
    (folder / "hello").mkdir(parents=True)
    (folder / "hello" / "hello.inf").write_bytes(HELLO.encode())
    for path, overlay in (
        ("hello/hello.sys", b""),
        ("new.sys", b""),
        ("signed.sys", b""),
        ("large.sys", bytes(1 << 20)),
    ):
        (folder / path).write_bytes(PeSpec(overlay=overlay).build())
    shutil.copytree(folder / "hello", folder / "lines")
    (folder / "lines" / "hello.inf").write_bytes(HELLO.replace("\r\n", "\n").encode())
    (folder / "other.sys").write_bytes(PeSpec(fill=3).build())
    certs = ("--certs", folder / "testcerts" / "generated")
    assert drvsign("sign", folder / "signed.sys", *certs).code == 0
    assert drvsign("extract", folder / "signed.sys", "--output", folder / "a.p7").code == 0
    (folder / "password").write_text("secret")
    password = ("--password-file", folder / "password")
    other = tmp_path_factory.mktemp("other") / "certs"
    assert drvsign("certs", "create", other, "--key", "p256").code == 0
    assert drvsign("certs", "export", other, "--output", folder / "test.pfx", *password).code == 0
    return folder


def runs(python: Path, source: Path, kind: str, command: tuple[str, ...], stride: int) -> Iterator[dict[str, Any]]:
    """Yield the results of the runs."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1780000000"}
    environment["DRVSIGN_CERTS"] = str(source / "testcerts" / "generated")
    call = [python, "-m", "tests.support.faults", kind, str(stride), str(source), *command]
    done = subprocess.run(call, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    yield from map(json.loads, done.stdout.splitlines())


def is_temporary(name: str) -> bool:
    return any(part.startswith(".drvsign") for part in Path(name).parts)


def is_needed(name: str) -> bool:
    """Tell whether a temporary file is more than what a run that succeeded could not delete."""
    return not name.endswith((".old", ".lock"))


def check(python: Path, source: Path, kind: str, name: str) -> None:
    """Check all runs of a command: the last one had no fault, so its state is the new one."""
    with serving(tsa()) as server:  # the legacy protocol has no nonce: each timestamp has the same bytes
        command = tuple(server.url if word == "URL" else word for word in COMMANDS[name])
        *faulty, whole = runs(
            python, source, kind, command, int(os.environ.get("DRVSIGN_FAULTS") or STRIDES.get(name, 4))
        )
    old, new = state(source), whole["state"]
    assert whole["status"] == whole["again"] == 0, whole["text"]
    assert new != old
    assert faulty
    for run in faulty:
        where = f"{name}, call {run['at']}: {run['text']}"
        assert run["status"] == -9 if kind == "kill" else run["status"] in (0, 3), where
        assert "Traceback" not in run["text"], where
        seen = {key: value for key, value in run["state"].items() if not is_temporary(key)}
        for key in {*old, *seen}:
            assert seen.get(key) in (old.get(key), new.get(key)), f"{where}: {key} is neither old nor new"
        if kind != "kill":
            left = [key for key in run["state"] if is_temporary(key)]
            assert not left or (run["status"] == 0 and not any(map(is_needed, left))), where
            done = {key for key in seen if seen[key] != old.get(key)}
            assert not done or "No file was changed" not in run["text"], where
            assert not done & TOGETHER.get(name, set()) or TOGETHER[name] <= done, where
        assert run["again"] == 0, run["text again"]
        assert run["after"] == new, where


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_any_call_each_file_is_old_or_new(warm_python: Path, source: Path, name: str) -> None:
    check(warm_python, source, "kill", name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [*product(("sign", "package"), ("ENOSPC", "EACCES", "EROFS", "EIO")), ("sign-depfile", "ENOSPC")],
)
def test_a_call_that_fails_changes_no_file_by_half(warm_python: Path, source: Path, name: str, kind: str) -> None:
    check(warm_python, source, kind, name)


@pytest.mark.skipif(not system_faults.is_available(), reason="strace is not installed, or may not trace processes")
@pytest.mark.parametrize("fault", ["signal=KILL", "error=ENOSPC"])
@pytest.mark.parametrize("name", ["sign", "catalog-build", "package", "timestamp"])
def test_a_fault_in_a_system_call_leaves_each_file_old_or_new(
    warm_python: Path, source: Path, name: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same from outside: strace kills the process, or lets the call fail, at each call that changes files."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780000000")
    monkeypatch.setenv("DRVSIGN_CERTS", str(source / "testcerts" / "generated"))
    work = tmp_path / "work"
    with serving(tsa()) as server:
        command = tuple(server.url if word == "URL" else word for word in COMMANDS[name])
        shutil.copytree(source, work)
        stride = 1 if os.environ.get("DRVSIGN_FAULTS") else 30
        faults = list(system_faults.faults_of(command, work, stride))
        old, new = state(source), state(work)
        assert new != old
        assert faults
        for call, number in faults:
            shutil.rmtree(work)
            shutil.copytree(source, work)
            code = system_faults.with_fault(command, work, call, number, fault)
            found = {key: value for key, value in state(work).items() if not is_temporary(key)}
            where = f"{name}, {call} {number}: exit code {code}"
            assert code in (0, 3, -9, 137) if "KILL" in fault else code in (0, 3, 120), where
            for key in {*old, *found}:
                assert found.get(key) in (old.get(key), new.get(key)), f"{where}: {key} is neither old nor new"
            assert system_faults.run(command, work, python=warm_python) == 0, where
            assert state(work) == new, where


@pytest.mark.parametrize("kind", ["kill", "ENOSPC"])
@pytest.mark.parametrize("name", CERTIFICATES)
def test_test_certificates_are_whole_after_a_fault_at_any_call(
    warm_python: Path, source: Path, name: str, kind: str
) -> None:
    """Their keys are random, so that names are compared: the next run reads or makes every file and leaves no other."""
    command = CERTIFICATES[name]
    folder = next(word for word in command if word in ("made", "testcerts/generated"))
    *faulty, whole = runs(warm_python, source, kind, command, int(os.environ.get("DRVSIGN_FAULTS") or 5))
    assert whole["status"] == whole["again"] == 0, whole["text"]
    assert faulty
    old, new = (names(one, folder) for one in (state(source), whole["state"]))
    for run in faulty:
        where = f"{name}, call {run['at']}: {run['text']}"
        assert run["status"] == -9 if kind == "kill" else run["status"] in (0, 3), where
        assert "Traceback" not in run["text"], where
        if kind != "kill":
            assert names(run["state"], folder) in (old, new), where
        assert run["again"] == 0, run["text again"]
        assert names(run["after"], folder) == new, where
        assert not [key for key in run["after"] if is_temporary(key)], where


def names(found: dict[str, str], folder: str) -> set[str]:
    """Return the names of the files in a folder; that of a former root has the key id, which differs in each run."""
    return {re.sub(r"former-root-\w+", "former-root", key) for key in found if key.startswith(f"{folder}/")}
