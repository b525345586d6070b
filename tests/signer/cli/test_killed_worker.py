"""`drvsign sign` and `verify` when the system kills one of their processes, as Linux does when memory is short."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogs.verification import verify
from signer.cli import processes
from signer.cli.signing import FileSigner
from signer.operations.sign import SigningJob
from signer.operations.signatures import is_signed
from tests.support.images import PeSpec
from tests.support.program import drvsign

COUNT = 160
LAST = 140
"""The number of a file whose process is killed before it is signed; on a busy machine no file is signed by then."""

LOST = "a worker process was killed before the result was known"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems sign in threads")


@pytest.fixture
def batch(work: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files for a command that uses other processes."""
    paths = [Path(f"{number:03}.sys") for number in range(COUNT)]
    for number, path in enumerate(paths):
        path.write_bytes(PeSpec(fill=number % 200).build())
    monkeypatch.setattr(processes, "can_fork", lambda: True)  # threads of those who run the tests do no harm here
    return paths


def kill_at_last(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, is_last: Callable[..., bool]) -> None:
    """Let the process that calls a function for the file LAST be killed."""
    original, own = getattr(owner, name), os.getpid()

    def killed(*arguments: object) -> object:
        if is_last(*arguments):
            assert os.getpid() != own
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)

    monkeypatch.setattr(owner, name, killed)


@pytest.fixture
def killed(batch: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that is to sign one of the files is killed."""
    last = batch[LAST]
    kill_at_last(monkeypatch, SigningJob, "sign_each", lambda _, places: any(source == last for source, _ in places))


@pytest.mark.usefixtures("killed")
def test_the_document_has_every_file(batch: list[Path]) -> None:
    ran = drvsign("sign", *batch, "--jobs", "2", "--json")
    assert ran.code == 3
    files = ran.document["files"]
    assert [entry["path"] for entry in files] == [str(path) for path in batch]
    signed = [path for path, entry in zip(batch, files, strict=True) if entry["action"] == "signed"]
    assert signed == batch[: len(signed)]
    assert all(is_signed(path.read_bytes()) for path in signed)
    assert {entry["action"] for entry in files[len(signed) :]} == {"failed"}
    assert files[-1]["error"]["message"] == f"{batch[-1]}: {LOST}"


def message(batch: list[Path], found: int) -> str:
    """The one message about the files without a result."""
    left = f"{COUNT - found} of {COUNT} results, from {batch[found]} on, were"
    return f"error: a worker process was killed before {left} known"


@pytest.mark.usefixtures("killed")
def test_the_files_without_a_result_have_one_message(batch: list[Path]) -> None:
    ran = drvsign("sign", *batch, "--jobs", "2")
    signed = len(ran.stdout.splitlines())
    assert ran.code == 3
    assert ran.stderr.splitlines() == [
        message(batch, signed),
        f"hint: A file is old or new, never half written. {processes.KILLED_HINT}",
        f"{f'{signed} signed, ' if signed else ''}{COUNT - signed} failed.",
    ]


def test_a_process_that_is_killed_before_files_are_signed_leaves_all_unchanged(
    batch: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks for signatures of others, in larger batches."""
    monkeypatch.setattr(processes, "is_worth_forking", lambda *_: True)
    kill_at_last(monkeypatch, FileSigner, "refusal", lambda _, place: place[0] == batch[LAST])
    ran = drvsign("sign", *batch, "--jobs", "2", "--json")
    assert ran.code == 3
    assert [entry["path"] for entry in ran.document["files"]] == [str(path) for path in batch]
    assert ran.document["files"][-1]["error"]["message"] == f"{batch[-1]}: {LOST}"
    assert not any(is_signed(path.read_bytes()) for path in batch)


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_verify_answers_for_every_file(
    batch: list[Path], monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    kill_at_last(monkeypatch, verify, "verify_file", lambda path, *_: path == batch[LAST])
    ran = drvsign("verify", *batch, "--jobs", "2", "--report", "json=report.json", *options)
    document = json.loads(Path("report.json").read_text())
    assert ran.code == 3
    assert [entry["path"] for entry in document["files"]] == [str(path) for path in batch]
    lost = [LOST in entry["findings"][0]["message"] for entry in document["files"]]
    assert lost == sorted(lost)
    assert lost[-1]
    found = lost.index(True)
    assert [line for line in ran.stderr.splitlines() if line.startswith("error: ")] == [message(batch, found)]
    if options:
        assert ran.document == document
