"""Audits as processes: a second run reads nothing, a killed one leaves the cache valid, and two may run at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest

from signer.audit.disk import Disk
from signer.audit.pending import pending_units
from signer.audit.units import Unit
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO

COUNTING = """
import os, sys
store, opened = os.path.realpath(sys.argv.pop(1)), []
def hook(event, args):
    if event == "open" and isinstance(args[0], str) and os.path.realpath(args[0]).startswith(store):
        opened.append(args[0])
sys.addaudithook(hook)
from signer.cli.app import main
try:
    main()
except SystemExit:
    pass
print(len(opened), file=sys.stderr)
"""
FOLDERS = 30


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    for number in range(FOLDERS):
        package = folder / f"{number:03}"
        package.mkdir(parents=True)
        (package / "hello.inf").write_text(HELLO)
        (package / "hello.sys").write_bytes(PeSpec(fill=number).build())
    return folder


def started(store: Path, *arguments: str, code: str = "") -> subprocess.Popen[str]:
    """Start an audit whose cache is beside the store."""
    program = ["-c", code, str(store)] if code else ["-m", "signer"]
    command = [sys.executable, *program, "audit", str(store), "--json", *arguments]
    variables = {**os.environ, "XDG_CACHE_HOME": str(store.parent / "cache")}
    variables |= {"HOME": str(store.parent), "LOCALAPPDATA": str(store.parent / "cache")}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)


def drivers(process: subprocess.Popen[str]) -> list[dict[str, object]]:
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    found: list[dict[str, object]] = json.loads(out)["drivers"]
    return found


def opened(store: Path) -> int:
    """Return how many files of the store an audit in one process opens."""
    process = started(store, "--jobs", "1", code=COUNTING)
    _, errors = process.communicate()
    return int(errors.split()[-1])


def test_a_second_audit_of_an_unchanged_store_opens_no_file(store: Path) -> None:
    assert opened(store) >= 2 * FOLDERS
    assert opened(store) == 0
    (store / "007" / "hello.sys").write_bytes(PeSpec(fill=200).build())
    assert 0 < opened(store) < 20


@pytest.mark.skipif(sys.platform == "win32", reason="a process on Windows can't be killed by a signal")
def test_an_audit_that_is_killed_leaves_the_cache_valid(store: Path) -> None:
    expected = drivers(started(store, "--no-cache"))
    for delay in (0.3, 0.5, 0.8):
        process = started(store)
        time.sleep(delay)
        process.kill()
        process.communicate()
    assert drivers(started(store)) == expected
    assert drivers(started(store)) == expected


def test_two_audits_at_once_give_the_same_rows(store: Path) -> None:
    first, second = started(store), started(store)
    assert drivers(first) == drivers(second)
    assert opened(store) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupted_audit_says_how_to_continue_and_keeps_what_was_examined(store: Path) -> None:
    code = """
import os, signal, sys
from signer.audit import run
examine = run.examine
def interrupted(unit, question):
    if unit.folder.name == "020":
        os.kill(os.getpid(), signal.SIGINT)
    return examine(unit, question)
run.examine = interrupted
sys.argv.pop(1)
from signer.__main__ import main
main()
"""
    process = started(store, "--jobs", "1", code=code)
    out, errors = process.communicate()
    assert process.returncode == 130
    assert f"interrupted after 21 of {FOLDERS} folders" in errors
    assert "hint: Run the same command again: it continues where this one stopped." in errors
    assert len(json.loads(out)["drivers"]) == 21
    assert 0 < opened(store) <= 6 * (FOLDERS - 21)
    assert len(drivers(started(store))) >= FOLDERS


KILLED = """
import os, signal, sys
from signer.audit import run
examine = run.examine
sys.argv.pop(1)
kills, often = sys.argv.pop(), int(sys.argv.pop())
def killed(unit, question):
    before = os.path.getsize(kills) if os.path.exists(kills) else 0
    if unit.folder.name == "020" and before < often:
        with open(kills, "ab") as file:
            file.write(b"x")
        os.kill(os.getpid(), signal.SIGKILL)
    return examine(unit, question)
run.examine = killed
from signer.__main__ import main
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only forked processes have the function that ends them")
@pytest.mark.parametrize("often", [1, 9])
def test_an_audit_goes_on_if_a_process_is_killed(often: int, store: Path) -> None:
    expected = drivers(started(store, "--no-cache", "--jobs", "1"))
    kills = store.parent / "kills"
    found = drivers(started(store, "--jobs", "2", str(often), str(kills), code=KILLED))
    unread = [one for one in found if one["answer"] == "needs-file"]
    assert kills.stat().st_size == min(often, 3)
    if often == 1:
        assert found == expected
        return
    assert [Path(str(one["file"])).name for one in unread] == ["hello.inf", "hello.sys"]
    assert all(str(one["remedy"]).startswith("unreadable: the process that read it ended.") for one in unread)
    assert [one for one in found if one not in unread] == [one for one in expected if "/020/" not in str(one["file"])]


def test_pending_units_come_back_in_their_order() -> None:
    units = [
        Unit(
            Path("a"),
            (Path("a/x.inf"),),
            (Path("a/x.sys"), Path("caf\udce9.sys")),
            (Path("a/x.cat"),),
            "pc",
            "can't read the folder",
            Disk(Path("c/Windows/System32")),
            Path("a/x.cab"),
        ),
        Unit(Path("b")),
    ]
    assert all(getattr(units[0], field.name) != getattr(units[1], field.name) for field in fields(Unit))
    with pending_units() as pending:
        for unit, key in zip(units, (b"\x00\xff", None), strict=True):
            pending.add(unit, key)
        assert len(pending) == 2
        assert list(pending) == [(units[0], b"\x00\xff"), (units[1], None)]
