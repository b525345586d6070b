"""`drvsign sign` when the system kills one of its processes, as Linux does when memory is short."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from signer.cli import processes
from signer.operations.sign import SigningJob
from signer.operations.signatures import is_signed
from tests.support.images import PeSpec
from tests.support.program import drvsign

COUNT = 160
LAST = 140
"""The number of a file whose process is killed before it is signed; on a busy machine no file is signed by then."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems sign in threads")


@pytest.fixture
def batch(work: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files to sign. The process that is to sign one of them is killed."""
    paths = [Path(f"{number:03}.sys") for number in range(COUNT)]
    for number, path in enumerate(paths):
        path.write_bytes(PeSpec(fill=number % 200).build())
    original, own = SigningJob.sign_each, os.getpid()

    def sign_each(self, places):
        if any(source == paths[LAST] for source, _ in places):
            assert os.getpid() != own
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, places)

    monkeypatch.setattr(processes, "can_fork", lambda: True)  # threads of those who run the tests do no harm here
    monkeypatch.setattr(SigningJob, "sign_each", sign_each)
    return paths


def test_the_document_has_every_file(batch: list[Path]) -> None:
    ran = drvsign("sign", *batch, "--jobs", "2", "--json")
    assert ran.code == 3
    files = ran.document["files"]
    assert [entry["path"] for entry in files] == [str(path) for path in batch]
    signed = [path for path, entry in zip(batch, files, strict=True) if entry["action"] == "signed"]
    assert signed == batch[: len(signed)]
    assert all(is_signed(path.read_bytes()) for path in signed)
    assert {entry["action"] for entry in files[len(signed) :]} == {"failed"}
    error = files[-1]["error"]["message"]
    assert error == f"{batch[-1]}: a worker process was killed before the result of this file was known"


def test_the_files_without_a_result_have_one_message(batch: list[Path]) -> None:
    ran = drvsign("sign", *batch, "--jobs", "2")
    signed = len(ran.stdout.splitlines())
    assert ran.code == 3
    assert ran.stderr.splitlines() == [
        f"error: a worker process was killed before the results of {COUNT - signed} of {COUNT} files, from"
        f" {batch[signed]} on, were known",
        "hint: A file is old or new, never half written. Free some memory, or use --jobs 1, and run the command again.",
        f"{f'{signed} signed, ' if signed else ''}{COUNT - signed} failed.",
    ]
