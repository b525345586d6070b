"""An interrupted batch says what was done, and results appear as soon as they are there."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from pkgutil import resolve_name

import pytest

from signer.cli import threads, waiting
from signer.cli.interrupts import deferred, postponed, requested
from signer.cli.packaging import PackageCall
from signer.cli.processes import in_processes, uninterrupted
from signer.cli.tsa_server import serving
from signer.operations.sign import SigningJob
from signer.operations.signatures import is_signed
from signer.pkcs7.signed_data import TimestampAttribute
from signer.pkcs7.timestamp import TimestampClient
from signer.storage import transaction
from signer.storage.files import Replacement
from tests.support.files import ROOT
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, write_package
from tests.support.patience import PATIENCE, wait_until
from tests.support.program import drvsign, state
from tests.support.timestamping import tsa

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


def test_skipped_and_failed_files_of_an_interrupted_batch_are_counted(batch: list[Path], monkeypatch) -> None:
    batch[1].write_bytes(b"text")
    interrupt_at(monkeypatch, "signer.cli.commands.strip.strip_file", 2)
    ran = drvsign("strip", *batch, "--jobs", "1")
    assert ran.code == 130
    assert f"interrupted: 0 of {COUNT} stripped, 2 skipped, 1 failed\n" in ran.stderr
    assert "the first that is left: 03.sys" in ran.stderr


def test_an_interrupt_before_the_first_signature_has_its_document(batch: list[Path], monkeypatch) -> None:
    before = state(Path.cwd())
    interrupt_at(monkeypatch, "signer.operations.sign.SigningJob.require_replaceable", 3)
    ran = drvsign("sign", *batch, "--jobs", "1", "--json")
    assert (ran.code, state(Path.cwd())) == (130, before)
    assert [entry["action"] for entry in ran.document["files"]] == ["skipped"] * COUNT
    assert f"interrupted: 0 of {COUNT} signed" in ran.stderr


def test_files_that_wait_for_an_authority_are_left_and_the_others_are_listed(batch: list[Path], monkeypatch) -> None:
    calls, answer, original = count(), threading.Event(), TimestampClient.__call__

    def ask(self: TimestampClient, signature: bytes) -> TimestampAttribute:
        number = next(calls)
        if number == 1:
            answer.wait(PATIENCE)
        if number == 8:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, signature)

    monkeypatch.setattr(TimestampClient, "__call__", ask)
    with serving(tsa()) as server:
        before = set(threading.enumerate())
        ran = drvsign("sign", *batch, "--timestamp", server.url, "--jobs", "3", "--json")
        answer.set()
        for thread in set(threading.enumerate()) - before:  # else it asks, and warns, during later tests
            thread.join(PATIENCE)
    assert ran.code == 130
    states = {"signed": True, "skipped": False}
    assert [states[entry["action"]] for entry in ran.document["files"]] == [is_signed(p.read_bytes()) for p in batch]
    assert sum(entry["action"] == "signed" for entry in ran.document["files"]) >= 6  # of nine begun, three may wait
    assert not list(Path.cwd().glob(".*"))


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
    owner, _, name = place.rpartition(".")
    original, calls = getattr(resolve_name(owner), name), iter(range(COUNT))

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


def interrupt_at(monkeypatch: pytest.MonkeyPatch, place: str, number: int) -> None:
    """Interrupt this process when a function is called for this time, counted from 0."""
    owner_name, _, name = place.rpartition(".")
    owner = resolve_name(owner_name)
    original, calls = getattr(owner, name), count()

    def called(*arguments, **options):
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, called)


@pytest.fixture
def package(work: Path) -> Path:
    """A package of two drivers."""
    inf = BASE.replace("[Drivers]\n", "[Drivers]\nother.sys\n").replace(
        "sample.sys = 1", "sample.sys = 1\nother.sys = 1"
    )
    return write_package(work / "driver", inf, "sample.sys", "other.sys").parent


def test_an_interrupted_package_is_unchanged(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(package)
    interrupt_at(monkeypatch, "catalogs.signing._sign_image", 1)
    ran = drvsign("package", package, "--jobs", "1", "--json")
    assert (ran.code, state(package)) == (130, before)
    assert {Path(entry["path"]).name: entry["error"]["code"] for entry in ran.document["files"]} == dict.fromkeys(
        ("sample.sys", "other.sys", "sample.cat"), "interrupted"
    )
    assert "interrupted: 0 of 3 signed" in ran.stderr
    assert not list(package.glob(".*"))


def test_an_interrupt_while_a_package_is_replaced_comes_after_that(package: Path, monkeypatch) -> None:
    interrupt_at(monkeypatch, "signer.storage.transaction.Transaction.commit", 0)
    ran = drvsign("package", package, "--json")
    assert ran.code == 130
    assert {entry["action"] for entry in ran.document["files"]} == {"signed", "built"}
    assert ran.document["verdict"]["accepted"] is False
    assert ran.document["verdict"]["files"][0]["findings"][0]["code"] == "interrupted"
    assert "interrupted: 3 of 3 signed, but the result is not verified" in ran.stderr
    assert drvsign("verify", package, "--test-machine").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal for one process")
@pytest.mark.parametrize("signals", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)], ids=["interrupts", "end"])
def test_a_package_that_is_being_replaced_is_replaced_wholly(
    package: Path, monkeypatch: pytest.MonkeyPatch, signals: tuple[signal.Signals, ...]
) -> None:
    """The signal to end comes when some files have their names."""
    flush_folder = transaction.flush_folder

    def flushed(folder: Path) -> None:
        flush_folder(folder)
        for number in signals if folder == package else ():
            os.kill(os.getpid(), number)

    monkeypatch.setattr(transaction, "flush_folder", flushed)
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    try:
        ran = drvsign("package", package)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ran.code == (143 if signal.SIGTERM in signals else 130)
    assert ("interrupted: 3 of 3 signed" in ran.stderr) == (signal.SIGINT in signals)
    assert not list(package.glob(".*"))
    assert drvsign("verify", package, "--test-machine").code == 0


def test_a_package_is_not_called_unchanged_once_it_was_replaced(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interrupt comes just when interrupts are no longer deferred."""
    sign = PackageCall.sign

    def interrupted(self: PackageCall) -> None:
        sign(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(PackageCall, "sign", interrupted)
    ran = drvsign("package", package)
    assert ran.code == 130
    assert "Each of the other files is unchanged or signed, none by half" in ran.stderr
    assert drvsign("verify", package, "--test-machine").code == 0


def test_an_interrupted_build_says_which_catalogs_are_built(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        write_package(work / "all" / name, BASE.replace("sample.cat", f"{name}.cat"), "sample.sys")
    interrupt_at(monkeypatch, "catalogs.build.assemble", 1)
    ran = drvsign("catalog", "build", work / "all", "--json")
    assert ran.code == 130
    built = {Path(entry["path"]).name: entry["action"] for entry in ran.document["files"]}
    assert built == {"a.cat": "built", "b.cat": "skipped", "c.cat": "skipped"}
    assert sorted(path.name for path in (work / "all").rglob("*.cat")) == ["a.cat"]
    assert "interrupted: 1 of 3 built" in ran.stderr


def test_every_command_that_is_interrupted_prints_one_document(package: Path, monkeypatch) -> None:
    interrupt_at(monkeypatch, "signer.cli.commands.inf._facts", 0)
    ran = drvsign("inf", "show", package, "--json")
    assert (ran.code, ran.document["error"]["code"]) == (130, "interrupted")


@pytest.mark.parametrize("number", [1, COUNT])
def test_files_without_a_result_are_not_called_unchanged(batch: list[Path], monkeypatch, number: int) -> None:
    """The last interrupt, the first for one file and the second for many, comes when some files are signed."""
    original, calls = Replacement.replace, count()

    def replace(self: Replacement) -> None:
        original(self)
        if next(calls) < min(number, 2):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Replacement, "replace", replace)
    ran = drvsign("sign", *batch[:number], "--jobs", "1", "--json")
    signed = [path for path in batch if is_signed(path.read_bytes())]
    assert signed == batch[: min(number, 2)]
    assert ran.code == 130
    assert f"interrupted: 0 of {number} signed\n" in ran.stderr
    assert "Each of the other files is unchanged or signed, none by half; the first: 00.sys." in ran.stderr
    assert {one["error"]["message"].partition(": ")[2] for one in ran.document["files"]} == {
        "interrupted before the result of this file was known"
    }


def test_a_second_interrupt_ends_the_batch_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        assert requested()
        os.kill(os.getpid(), signal.SIGINT)
    assert not requested()


@pytest.mark.parametrize("run", [threads.in_threads, in_processes], ids=["threads", "processes"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_work_that_was_not_begun_is_left_out_after_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., Iterator[int]], jobs: int
) -> None:
    number_of_items = 4000
    answered = mmap.mmap(-1, 1)  # memory that forked processes share

    def work(item: int) -> int:
        if item >= number_of_items // 2:  # on a busy machine, all would end before the interrupt is answered
            wait_until(lambda: answered[0])
        return item

    def cancel(future: Future[int]) -> bool:
        is_cancelled = cancel_future(future)
        answered[0] = 1
        return is_cancelled

    def results() -> Iterator[int]:
        for number in run(work, range(number_of_items), jobs):
            yield number
            if number == 0:
                os.kill(os.getpid(), signal.SIGINT)

    cancel_future = Future.cancel
    monkeypatch.setattr(Future, "cancel", cancel)
    with deferred():
        found = list(results())
    assert found == list(range(len(found)))
    assert len(found) < number_of_items


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


def test_an_interrupt_while_its_handler_is_restored_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an exception at once, and the next command of this process begins its work."""
    before, set_handler = signal.getsignal(signal.SIGINT), signal.signal

    def restored(number: int, handler: object) -> object:
        found = set_handler(number, handler)
        if handler is before:
            signal.raise_signal(signal.SIGINT)
        return found

    with pytest.raises(KeyboardInterrupt), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        monkeypatch.setattr(signal, "signal", restored)
    assert not requested()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal masks")
def test_an_interrupt_while_others_are_blocked_leaves_none_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    before, change_mask = signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.pthread_sigmask

    def changed(how: int, signals: Iterable[int]) -> set[signal.Signals]:
        found = change_mask(how, signals)
        if how == signal.SIG_BLOCK and signals:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(signal, "pthread_sigmask", changed)
    with pytest.raises(KeyboardInterrupt), uninterrupted(signal.SIGTERM):
        pass
    now = change_mask(signal.SIG_SETMASK, before)
    assert now == before


@pytest.mark.parametrize(("number", "jobs"), [(1, 2), (3, 1)])
def test_a_file_that_waits_for_an_authority_is_called_unchanged(
    batch: list[Path], monkeypatch: pytest.MonkeyPatch, number: int, jobs: int
) -> None:
    interrupt_at(monkeypatch, "signer.pkcs7.timestamp.TimestampClient.__call__", number - 1)
    with serving(tsa()) as server:
        ran = drvsign("sign", *batch[:number], "--timestamp", server.url, "--jobs", jobs, "--json")
    assert ran.code == 130
    assert [is_signed(path.read_bytes()) for path in batch[:number]] == [True] * (number - 1) + [False]
    error = ran.document["files"][-1]["error"]
    assert error["message"] == f"{batch[number - 1]}: interrupted before this file was processed"
    assert f"The other files are unchanged; the first that is left: {batch[number - 1]}." in ran.stderr


class InterruptedLock:
    """A lock in whose `with` statement an interrupt arrives when it is taken and the block has not begun."""

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def acquire(self) -> None:
        self.lock.acquire()
        os.kill(os.getpid(), signal.SIGINT)

    def release(self) -> None:
        self.lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    @property
    def is_free(self) -> bool:
        """Whether another thread can take it."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self.lock.acquire, blocking=False).result()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("is_deferred", [False, True], ids=["first", "second"])
@pytest.mark.parametrize(
    "use",
    [
        lambda future: list(threads.in_order(deque([future]))),
        lambda future: waiting._is_finished(future, [future], waiting._Batch()),
        lambda future: waiting._settle([future], waiting._Batch()),
    ],
    ids=["in-order", "wait", "settle"],
)
def test_an_interrupt_leaves_no_lock_of_a_result_taken(
    monkeypatch: pytest.MonkeyPatch, use: Callable[[Future[int]], object], is_deferred: bool
) -> None:
    """The thread of the pool that needs it would wait for ever, and the command for that thread."""
    done, interrupted = Future[int](), InterruptedLock()
    done.set_result(7)
    monkeypatch.setattr(done, "_condition", interrupted)
    with pytest.raises(KeyboardInterrupt), deferred() if is_deferred else nullcontext():
        use(done)
    assert interrupted.is_free


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_an_interrupt_leaves_no_lock_of_a_pool_taken() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool._shutdown_lock = interrupted = InterruptedLock()
        with pytest.raises(KeyboardInterrupt):
            next(threads.submitted(pool, str, [1]))
        pool._shutdown_lock = threading.Lock()
    assert interrupted.is_free


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_each_postponed_interrupt_is_answered() -> None:
    answered: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: answered.append(number))
    try:
        with postponed():
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
            assert answered == []
        assert answered == [signal.SIGINT] * 2
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with postponed():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


ENDED = """
import signal
from signer.cli.interrupts import postponed
signal.signal(signal.SIGINT, signal.SIG_DFL)
with postponed():
    signal.raise_signal(signal.SIGINT)
    print("in the block", flush=True)
print("after it", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no exit status of a signal")
def test_a_postponed_interrupt_that_no_function_handles_ends_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", ENDED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "in the block\n")
