"""`drvsign verify` and `catalog check` where `drvsign package` was killed while it replaced files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from signer.storage.transaction import atomic_update
from tests.support.files import ROOT
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import MakeOnce, drvsign, state

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

TEST = ("--roots", "test-signing", "--testsigning", "--target", "win11-24h2-x64")
NAMES = ("hello.sys", "hello.cat")
KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from signer.storage.transaction import atomic_update

    folder, new, steps = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    calls = {"replace": Path.replace, "unlink": Path.unlink, "chmod": Path.chmod}

    def step(name):
        def call(*arguments, **named):
            global steps
            if steps == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            steps -= 1
            return calls[name](*arguments, **named)
        return call

    for name in calls:
        setattr(Path, name, step(name))
    with atomic_update(folder) as staging:
        for path in sorted(new.iterdir(), reverse=True):
            if path.suffix in (".sys", ".cat"):
                staging.write(folder / path.name, path.read_bytes())
    """
)


@pytest.fixture
def packages(work: Path, make_once: MakeOnce) -> tuple[Path, Path]:
    """The same package, signed twice: an old state and a new one, whose files do not fit each other."""
    make_once(_make_packages)
    return work / "old", work / "new"


def _make_packages() -> None:
    for number, folder in enumerate((Path("old"), Path("new"))):
        folder.mkdir()
        (folder / "hello.inf").write_bytes(HELLO.replace("\n", "\r\n").encode())
        (folder / "hello.sys").write_bytes(PeSpec(fill=number).build())
        assert drvsign("package", folder, "--os", "10_X64").code == 0


def kill(folder: Path, new: Path, steps: int) -> int:
    command = [sys.executable, "-c", KILLED, str(folder), str(new), str(steps)]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in NAMES}


def test_killed_at_any_step_the_folder_is_accepted_or_named(packages: tuple[Path, Path], work: Path) -> None:
    old, new = packages
    ends = set()
    for steps in range(40):
        folder = work / f"at{steps}"
        shutil.copytree(old, folder)
        code = kill(folder, new, steps)
        left = any(folder.glob(".drvsign.*.tmp/journal.json"))
        verified = drvsign("verify", folder, "--policy", "kernel", *TEST, "--json")
        checked = drvsign("catalog", "check", folder / "hello.cat", folder)
        if left:
            assert (verified.code, checked.code) == (3, 3), steps
            assert (verified.document["accepted"], verified.document["decided"]) == (False, False)
            assert verified.document["files"][0]["findings"][0]["code"] == "unfinished-run"
            for said in (verified.stderr, checked.stderr):
                assert f"{folder}: an update of this folder was interrupted" in said
                assert f"drvsign package {folder}" in said
        else:
            assert (verified.code, checked.code) == (0, 0), steps
            assert content(folder) in (content(old), content(new))
        ends.add((left, content(folder) == content(old), content(folder) == content(new)))
        if code == 0:
            break
    assert code == 0, "it was never let through"
    assert {end[0] for end in ends} == {True, False}
    assert (True, False, False) in ends, "no run left the files mixed"


def test_the_command_of_the_hint_puts_the_files_back(packages: tuple[Path, Path]) -> None:
    old, new = packages
    before = content(old)
    steps = next(steps for steps in range(40) if kill(old, new, steps) and content(old) != before)
    assert steps
    assert drvsign("verify", old, "--policy", "kernel", *TEST).code == 3
    ran = drvsign("package", old, "--os", "10_X64")
    assert (ran.code, "restored the files of an interrupted update" in ran.stderr) == (0, True)
    assert drvsign("verify", old, "--policy", "kernel", *TEST).code == 0


def interrupted(folder: Path, *names: str) -> None:
    """A journal that speaks of these files."""
    left = folder / ".drvsign.killed.tmp"
    left.mkdir()
    (left / "journal.json").write_text(json.dumps([[name, "0.old"] for name in names]))


@pytest.mark.parametrize("policy", ["kernel", "pnp", "protected-media", "authenticode"])
@pytest.mark.parametrize("place", ["", "hello.sys", "hello.cat", "hello.inf", ".."])
def test_whatever_is_named_of_a_mixed_package_is_not_judged(
    packages: tuple[Path, Path], policy: str, place: str
) -> None:
    old, _ = packages
    interrupted(old, *NAMES)
    ran = drvsign("verify", old / place, "--policy", policy, *TEST)
    assert (ran.code, "an update of this folder was interrupted" in ran.stderr) == (3, True)


@pytest.mark.parametrize(
    "command", [("submission", "check"), ("submission", "build", "--unsigned", "-o", "x.cab")], ids=["check", "build"]
)
def test_a_mixed_package_is_not_submitted(packages: tuple[Path, Path], command: tuple[str, ...]) -> None:
    old, _ = packages
    interrupted(old, *NAMES)
    ran = drvsign(*command[:2], old, *command[2:])
    assert (ran.code, "an update of this folder was interrupted" in ran.stderr) == (3, True)
    assert not Path("x.cab").exists()


def test_a_catalog_of_a_mixed_package_vouches_for_nothing(packages: tuple[Path, Path], work: Path) -> None:
    old, _ = packages
    shutil.copy(old / "hello.sys", work / "hello.sys")
    interrupted(old, *NAMES)
    ran = drvsign("verify", work / "hello.sys", "--policy", "kernel", "--catalog", old / "hello.cat", *TEST)
    assert (ran.code, "an update of this folder was interrupted" in ran.stderr) == (3, True)


def test_files_that_the_run_did_not_touch_are_judged(packages: tuple[Path, Path], work: Path) -> None:
    old, new = packages
    interrupted(work, "old/hello.sys", "old/hello.cat")
    assert drvsign("verify", new, "--policy", "kernel", *TEST).code == 0
    assert drvsign("verify", old, "--policy", "kernel", *TEST).code == 3
    assert drvsign("verify", old / "hello.sys", "--policy", "kernel", *TEST).code == 3


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_a_journal_that_cannot_be_read_may_speak_of_anything(packages: tuple[Path, Path], text: str) -> None:
    old, _ = packages
    interrupted(old)
    (old / ".drvsign.killed.tmp" / "journal.json").write_text(text)
    assert drvsign("verify", old / "hello.sys", "--policy", "kernel", *TEST).code == 3


def test_a_run_that_is_at_work_is_not_called_interrupted(packages: tuple[Path, Path]) -> None:
    old, _ = packages
    with atomic_update(old):
        interrupted(old, *NAMES)
        before = state(old)
        ran = subprocess.run(
            [sys.executable, "-m", "signer", "verify", str(old), "--policy", "kernel", *TEST],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, "another drvsign process is replacing files" in ran.stderr) == (3, True)
        assert state(old) == before
