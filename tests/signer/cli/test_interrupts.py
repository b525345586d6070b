"""An interrupted batch says what was done, and results appear as soon as they are there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from signer.cli import threads
from signer.cli.interrupts import deferred, requested
from signer.cli.processes import in_processes
from signer.operations.sign import SigningJob
from signer.operations.signatures import is_signed
from tests.support.images import PeSpec
from tests.support.program import drvsign

COUNT = 60


@pytest.fixture
def batch(work: Path) -> list[Path]:
    paths = [Path(f"{number:02}.sys") for number in range(COUNT)]
    for number, path in enumerate(paths):
        path.write_bytes(PeSpec(fill=number % 200).build())
    return paths


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt during the second portion of files."""
    original, calls = SigningJob.sign_each, iter(range(COUNT))

    def sign_each(self, places):
        if next(calls) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, places)

    monkeypatch.setattr(SigningJob, "sign_each", sign_each)


@pytest.mark.usefixtures("interrupted")
def test_an_interrupted_batch_says_what_was_done(batch: list[Path]) -> None:
    ran = drvsign("sign", *batch, "--jobs", "1")
    assert ran.code == 130
    done = [path for path in batch if is_signed(path.read_bytes())]
    assert done == batch[: len(done)] != batch
    assert f"interrupted: {len(done)} of {COUNT} signed; list: {done[0]} … {done[-1]}" in ran.stderr
    assert [line.split()[1] for line in ran.stdout.splitlines()] == [str(path) for path in done]


@pytest.mark.usefixtures("interrupted")
def test_the_document_of_an_interrupted_batch_has_every_file(batch: list[Path]) -> None:
    ran = drvsign("sign", *batch, "--jobs", "1", "--json")
    assert ran.code == 130
    files = ran.document["files"]
    assert [entry["path"] for entry in files] == [str(path) for path in batch]
    states = {"signed": True, "skipped": False}
    assert [states[entry["action"]] for entry in files] == [is_signed(path.read_bytes()) for path in batch]


READING = {
    "digest": ("signer.cli.commands.digest._digest_file", "hashed"),
    "inspect": ("signer.cli.commands.inspect._inspect", "inspected"),
    "verify": ("catalogs.verification.verify.verify_file", "verified"),
}
"""Each command that only reads: the function that reads a file, and what was done with it."""


@pytest.fixture(params=READING)
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A command that is interrupted while it reads the third file, and what it says that it did with a file."""
    place, action = READING[request.param]
    module, _, name = place.rpartition(".")
    original, calls = getattr(import_module(module), name), iter(range(COUNT))

    def read(*arguments):
        if next(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments)

    monkeypatch.setattr(place, read)
    return request.param, action


def test_an_interrupted_reading_command_says_what_was_read(batch: list[Path], reading: tuple[str, str]) -> None:
    command, action = reading
    ran = drvsign(command, *batch, "--jobs", "1")
    assert ran.code == 130
    assert f"interrupted: 2 of {COUNT} {action}; list: 00.sys … 01.sys" in ran.stderr
    assert "The first file that is left: 02.sys" in ran.stderr
    assert len(ran.errors) == 1
    assert "01.sys" in ran.stdout
    assert "02.sys" not in ran.stdout


def test_the_document_of_an_interrupted_reading_command_has_every_file(batch: list[Path], reading) -> None:
    ran = drvsign(reading[0], *batch, "--jobs", "1", "--json")
    assert ran.code == 130
    files = ran.document["files"]
    assert [entry["path"] for entry in files] == [path.name for path in batch]
    codes = [(entry.get("error") or (entry.get("findings") or [{}])[0]).get("code") for entry in files]
    assert [code == "interrupted" for code in codes] == [False] * 2 + [True] * (COUNT - 2)


def test_a_single_file_that_is_interrupted_has_its_document(batch: list[Path], monkeypatch) -> None:
    def read(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("signer.cli.commands.digest._digest_file", read)
    ran = drvsign("digest", batch[0], "--json")
    assert (ran.code, ran.document["files"][0]["error"]["code"]) == (130, "interrupted")


def test_a_second_interrupt_ends_the_batch_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        assert requested()
        os.kill(os.getpid(), signal.SIGINT)
    assert not requested()


@pytest.mark.parametrize("run", [threads.in_threads, in_processes], ids=["threads", "processes"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_work_that_was_not_begun_is_left_out_after_an_interrupt(run, jobs: int) -> None:
    count = 4000

    def results() -> Iterator[int]:
        for number in run(lambda item: item, range(count), jobs):
            yield number
            os.kill(os.getpid(), signal.SIGINT) if number == 0 else None

    with deferred():
        found = list(results())
    assert found == list(range(len(found)))
    assert len(found) < count


def test_the_first_portions_are_small_for_quick_first_results() -> None:
    portions = threads.portions(range(1500), 2)
    assert [len(portion) for portion in portions[:3]] == [8, 8, 32]
    assert max(map(len, portions)) == 32
    assert [item for portion in portions for item in portion] == list(range(1500))


def test_a_portion_of_large_files_is_small_for_a_quick_answer_to_an_interrupt() -> None:
    size = 20 << 20
    portions = threads.portions(range(100), 2, lambda _: size)
    assert {len(portion) for portion in portions[:-1]} == {4}  # the fourth reaches 64 MB
    assert [item for portion in portions for item in portion] == list(range(100))
