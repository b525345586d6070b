"""Work in processes comes back as work in threads does, and what goes wrong in one of them is told."""

from __future__ import annotations

import json
import mmap
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from catalogs.verification.query import VerifyQuery
from signer.cli import processes, verification
from signer.cli.interrupts import deferred
from signer.cli.output import Output
from signer.cli.processes import depend_on_parent, in_processes, in_processes_together, pooled
from signer.errors import FileError, SignerError
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust
from signer.storage.files import atomic_writer
from tests.support.files import ROOT, patched
from tests.support.identities import identity, private_key
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.patience import PATIENCE, wait_until
from tests.support.program import state

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork")
VERIFIED = processes.MIN_BATCHES * 4 + 3
COUNT = processes.MIN_BATCHES * processes.SMALL_ITEMS + 7


@pytest.fixture(autouse=True)
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of those who run the tests do no harm here."""
    monkeypatch.setattr(processes, "can_fork", lambda: True)


def write_identity(folder: Path) -> None:
    key = private_key("rsa2048", "Drvsign Unit Test")
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "cert.pem").write_bytes(identity().certificate.public_bytes(Encoding.PEM))


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_stand_in_the_order_of_the_items(jobs: int) -> None:
    found = list(in_processes(lambda item: (item * item, os.getpid()), range(COUNT), jobs))
    assert [value for value, _ in found] == [item * item for item in range(COUNT)]
    assert (os.getpid() in {process for _, process in found}) is (jobs == 1)


def test_few_items_are_not_worth_a_process() -> None:
    assert set(in_processes(lambda item: os.getpid(), range(COUNT - 8), 2)) == {os.getpid()}


def test_the_first_error_in_the_order_of_the_items_is_raised_with_its_data() -> None:
    def work(item: int) -> int:
        if item >= 300:
            raise FileError("can't be read", path=f"{item}.sys", hint="Look at it.")
        return item

    with pytest.raises(FileError) as caught:
        list(in_processes(work, range(COUNT), 2))
    assert (caught.value.path, caught.value.hint) == (Path("300.sys"), "Look at it.")


def test_a_process_that_is_killed_is_told_and_nobody_waits_for_it() -> None:
    def work(item: int) -> int:
        if item == 500:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    with pytest.raises(SignerError, match="a worker process was killed"):
        list(in_processes(work, range(COUNT), 2))


KILLED = """
import os, sys, time
from signer.cli.processes import depend_on_parent, in_processes, in_processes_together, pooled
def work(item):
    os.write(1, f"{os.getpid()} ".encode())
    time.sleep(600)
list(in_processes(work, range(2000), 2))
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_one_that_waits_for_it(how: signal.Signals) -> None:
    """They hold its output open, so that its end is seen only when all of them have ended."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", KILLED], env=environment, stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout is not None
        started = b""
        while started.count(b" ") < 2:
            started += os.read(waiting.stdout.fileno(), 100)
        waiting.send_signal(how)
        assert waiting.communicate(timeout=PATIENCE)[0] == b""
    assert waiting.returncode == -how


INTERRUPTED = """
import os, signal
from concurrent.futures.process import ProcessPoolExecutor
from signer.cli.processes import in_processes
launch = ProcessPoolExecutor._spawn_process
def launched(pool):
    launch(pool)
    os.killpg(0, signal.SIGINT)
ProcessPoolExecutor._spawn_process = launched
try:
    list(in_processes(str, range(2000), 3))
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_while_processes_start_ends_them_all_in_silence() -> None:
    """Without anybody to give them work they would be waited for at the end, for ever."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as waiting:
        try:
            assert waiting.communicate(timeout=PATIENCE) == (b"interrupted\n", b"")
        finally:
            waiting.kill()
    assert waiting.returncode == 0


TERMINATED = """
import os, signal, sys
from signer.cli.processes import in_processes
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))
list(in_processes(str, range(2000), 3))
"""


def test_a_signal_to_end_while_processes_start_is_not_lost() -> None:
    """Python ignores exceptions of functions that it calls when it forks, and prints them."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", TERMINATED], env=environment, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (7, b"")


def test_a_process_with_other_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(processes.threading, "active_count", lambda: 2)
    assert not processes.can_fork()


def test_a_large_package_has_the_same_catalog_from_processes_and_from_one(tmp_path: Path) -> None:
    """And the command's own process is single-threaded, so that it does fork."""
    names = [f"{number}.bin" for number in range(COUNT)]
    for name in names:
        (tmp_path / name).write_text(name)
    listed = "\r\n".join(names)
    (tmp_path / "many.inf").write_text(
        '[Version]\r\nSignature="$WINDOWS NT$"\r\nClass=System\r\nClassGuid={4d36e97d-e325-11ce-bfc1-08002be10318}\r\n'
        "Provider=P\r\nCatalogFile=many.cat\r\nDriverVer=01/01/2024,1.0.0.0\r\n[SourceDisksNames]\r\n1=D\r\n"
        f"[SourceDisksFiles]\r\n{listed.replace('.bin', '.bin=1')}\r\n[DestinationDirs]\r\nDefaultDestDir=13\r\n"
        "[Manufacturer]\r\nM=M,NTamd64\r\n[M.NTamd64]\r\nD=I,ROOT\\D\r\n[I.NT]\r\nCopyFiles=F\r\n"
        f"[F]\r\n{listed}\r\n",
        newline="",
    )
    made = []
    for jobs in ("1", "2"):
        command = [sys.executable, "-m", "signer", "catalog", "build", str(tmp_path), "--os", "10_X64", "--jobs", jobs]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1750000000"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        made.append((tmp_path / "many.cat").read_bytes())
    assert made[0] == made[1]
    assert made[0].count("999.bin".encode("utf-16-le")) == 2


def test_many_files_are_verified_alike_in_processes_and_in_one(tmp_path: Path) -> None:
    """The same document, the same events and the same errors, whoever judges which file."""
    signed = sign_file(PeSpec().build(), identity(), SigningOptions())
    for number in range(VERIFIED):
        data = PeSpec(fill=number).build() if number % 3 else patched(PeSpec().build(), signed.changes)
        (tmp_path / f"{number:02}.sys").write_bytes(b"MZ" if number == 50 else data)
    files = sorted(map(str, tmp_path.iterdir()))
    told = []
    for jobs in ("1", "2"):
        events = tmp_path / f"events{jobs}.jsonl"
        options = ["--policy", "kernel", "--matrix", "--json", "--at", "2025-06-01", "--jobs", jobs, "--events", events]
        command = [sys.executable, "-m", "signer", "verify", *files, *options]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        told.append((done.returncode, done.stdout, done.stderr, events.read_text()))
    assert told[0] == told[1]
    code, document, errors, events_written = told[0]
    assert code == 3
    assert errors.count("error:") == 1
    assert len(json.loads(document)["files"]) == VERIFIED
    assert events_written.count("\n") > VERIFIED


@pytest.mark.parametrize("form", [["--json"], [], ["--matrix"], ["-v"]], ids=["json", "text", "matrix", "verbose"])
def test_many_packages_are_verified_alike_in_processes_and_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: list[str]
) -> None:
    """One of them can't be read; the explanation of their equal findings names the first."""
    monkeypatch.chdir(tmp_path)
    count = processes.MIN_BATCHES + 2
    for number in range(count):
        folder = tmp_path / f"packages/{number:02}"
        folder.mkdir(parents=True)
        (folder / "hello.inf").write_bytes(b"\0" if number == 9 else HELLO.encode())
        (folder / "hello.sys").write_bytes(PeSpec().build())
    told = []
    for jobs in ("1", "2"):
        command = [sys.executable, "-m", "signer", "verify", "packages", "--jobs", jobs, *form]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        told.append((done.returncode, done.stdout, done.stderr))
    assert told[0] == told[1]
    code, text, errors = told[0]
    assert code == 3
    assert errors.count("error:") == 1
    assert all(f"packages/{number:02}/hello" in text for number in range(count) if number != 9)


@pytest.mark.parametrize("count", [17, 300])
def test_packages_are_handed_out_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """So that all processes have work until the end."""
    for number in range(count):
        folder = tmp_path / f"{number:03}"
        folder.mkdir()
        (folder / "hello.inf").write_text("")
    sizes = []

    def run(work, items, jobs, size):
        sizes.append((len(items), jobs, size))
        return []

    monkeypatch.setattr(verification, "in_processes", run)
    query = VerifyQuery(None, Trust.release(), MachineState(datetime(2025, 6, 1, tzinfo=UTC)))
    verification.verified(Output(quiet=True), [tmp_path], query, 2, str, in_other_processes=True)
    assert sizes[0] == (count, 2, 1)


def test_few_batches_wait_for_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results that nobody has taken yet would otherwise fill the memory."""
    submitted = []
    submit = ProcessPoolExecutor.submit

    def counted(pool, work, batch):
        submitted.append(batch)
        return submit(pool, work, batch)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", counted)
    results = in_processes(str, range(10_000), 2, batch=1)
    for taken in range(1, 5):
        next(results)
        assert len(submitted) <= 16 + taken
    assert [*results] == [str(number) for number in range(4, 10_000)]
    assert len(submitted) == 10_000


def squared(items: Sequence[int]) -> list[tuple[int, int]]:
    return [(item * item, os.getpid()) for item in items]


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 700])
def test_work_on_many_items_in_processes_gives_results_in_their_order(jobs: int, count: int) -> None:
    found = list(in_processes_together(squared, range(count), jobs))
    assert [square for square, _ in found] == [item * item for item in range(count)]
    forked = {process for _, process in found} - {os.getpid()}
    assert bool(forked) is (jobs > 1 and count >= 128)


def test_many_files_are_signed_alike_in_processes_and_in_one(tmp_path: Path) -> None:
    """The same bytes and the same document, and a file that can't be signed is no other's failure."""
    write_identity(tmp_path)
    told = []
    for jobs in ("1", "2"):
        folder = tmp_path / "drivers"
        folder.mkdir()
        for number in range(150):
            data = PeSpec(fill=number & 0xFF, overlay=bytes(1 << 18 if number == 9 else number)).build()
            (folder / f"{number:03}.sys").write_bytes(data[:0x500] if number == 140 else data)
        keys = ["--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem")]
        command = [sys.executable, "-m", "signer", "sign", str(folder), *keys, "--jobs", jobs, "--json"]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        told.append((done.returncode, done.stdout, done.stderr, state(folder)))
        shutil.rmtree(folder)
    assert told[0] == told[1]
    code, document, _, files = told[0]
    assert code == 3
    actions = [one["action"] for one in json.loads(document)["files"]]
    assert (actions.count("signed"), actions.count("failed")) == (149, 1)
    assert len(files) == 150


def end_at_one(batch: int) -> list[int]:
    if batch == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return [batch]


def test_a_process_that_is_killed_while_work_is_handed_out_takes_no_earlier_results(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submit = ProcessPoolExecutor.submit

    def delayed(pool: ProcessPoolExecutor, work: Callable[[int], list[int]], batch: int) -> Future[list[int]]:
        if batch == 2:
            wait_until(lambda: pool._broken)
        return submit(pool, work, batch)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", delayed)
    found = []
    with pytest.raises(processes.ProcessKilled):
        found.extend(pooled(end_at_one, iter(range(9)), 1, multiprocessing.get_context("fork"), depend_on_parent, ()))
    assert found == [0]


class SlowResult:
    """A result that is being sent when the process is to end, which `survived` notes if it goes on."""

    def __init__(self, sending: mmap.mmap) -> None:
        self._sending = sending

    def __reduce__(self) -> str:
        self._sending[0] = 1
        try:
            wait_until(lambda: False)
        except SystemExit:
            self._sending[0] = 2
            raise
        return ""


def test_a_process_that_sends_a_result_ends_when_another_was_killed() -> None:
    """The pool catches every exception while it sends a result, and then waits for the process."""
    sending = mmap.mmap(-1, 1)

    def work(item: int) -> SlowResult:
        if item >= processes.SMALL_ITEMS:
            wait_until(lambda: sending[0])
            os.kill(os.getpid(), signal.SIGKILL)
        return SlowResult(sending)

    with pytest.raises(processes.ProcessKilled):
        list(in_processes(work, range(COUNT), 2))
    assert sending[0] == 1


def test_a_batch_that_another_process_overtook_is_worked_on_after_an_interrupt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin, overtaken = processes._Progress.begin, mmap.mmap(-1, 1)

    def delayed(self: processes._Progress, batch: range) -> bool:
        if batch.start == processes.SMALL_ITEMS:  # the second one
            wait_until(lambda: self._memory[0])
        is_begun = begin(self, batch)
        overtaken[0] |= batch.start > processes.SMALL_ITEMS
        return is_begun

    def results() -> Iterator[int]:
        for number in in_processes(lambda item: item, range(4000), 2):
            yield number
            if number == 0:
                wait_until(lambda: overtaken[0])
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(processes._Progress, "begin", delayed)
    with deferred():
        found = list(results())
    assert found == list(range(len(found)))


def test_no_later_batch_begins_after_an_interrupt() -> None:
    progress = processes._Progress(nullcontext())
    begun = [progress.begin(range(64))]
    begun.append(progress.begin(range(128, 192)))
    progress.stop()
    begun += [progress.begin(range(start, start + 64)) for start in (192, 64, 256)]
    assert begun == [True, True, False, True, False]


def told_to_stop() -> bool:
    """Tell whether the process that forked this one has answered an interrupt."""
    assert processes._shared is not None
    return processes._shared[2]._memory[0] == 1


def test_batches_that_begin_after_an_interrupt_do_nothing() -> None:
    """The queue of the processes holds batches that can't be cancelled any more."""
    begun = mmap.mmap(-1, 1)

    def work(item: int) -> int:
        if item == 0:
            wait_until(lambda: begun[0])
            os.kill(os.getppid(), signal.SIGINT)
        if item in (0, 8):  # the first of each process
            begun[0] = item > 0
            wait_until(told_to_stop)
        return item

    with deferred():
        assert list(in_processes(work, range(COUNT), 2, batch=8)) == list(range(16))


def test_a_second_interrupt_ends_the_processes_and_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = mmap.mmap(-1, 1)

    def work(item: int) -> int:
        with atomic_writer(tmp_path / f"{item}"):
            if item:
                begun[0] = 1
                wait_until(told_to_stop)  # two signals at once would be one
            else:
                wait_until(lambda: begun[0])  # else the other process would begin nothing after the first signal
            os.kill(os.getppid(), signal.SIGINT)
            wait_until(lambda: False)  # a signal that comes just before one long sleep would not end it
        return item

    monkeypatch.setattr(processes, "_END_SECONDS", PATIENCE)
    with pytest.raises(KeyboardInterrupt), deferred():
        list(in_processes(work, range(COUNT), 2, batch=8))
    assert list(tmp_path.iterdir()) == []
