"""`signer.cli.process_stream`: results in order from processes, forked or new, for items as they are read."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signer.audit import picklable
from signer.cli import process_stream
from signer.cli.process_stream import in_processes_as_read
from signer.cli.processes import ProcessKilled
from signer.errors import UsageError


def squared(offset: int, number: int) -> tuple[int, int]:
    if number == 10_000:
        raise UsageError("too large")
    return os.getpid(), number * number + offset


def numbers(count: int, read: list[int]) -> Iterator[int]:
    for number in range(count):
        read.append(number)
        yield number


def lost(number: int) -> tuple[int, int]:
    return 0, -number


def killed(kills: Path, often: int, first: int, last: int, number: int) -> int:
    """End the process at numbers in a range, but each number not more often than given."""
    done = kills / str(number)
    before = done.stat().st_size if done.exists() else 0
    if first <= number <= last and before < often:
        done.write_bytes(bytes(before + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return number


KILLS = {"once": (1, 100, 100, 1), "thrice alone": (9, 100, 100, 3), "two neighbours": (9, 100, 101, 3)}


@pytest.mark.skipif(sys.platform == "win32", reason="a process on Windows can't end itself by a signal")
@pytest.mark.parametrize(("often", "first", "last", "deaths"), KILLS.values(), ids=KILLS.keys())
def test_the_work_of_a_killed_process_is_done_again_and_only_what_ends_each_is_lost(
    often: int, first: int, last: int, deaths: int, tmp_path: Path
) -> None:
    work = partial(killed, tmp_path, often, first, last)
    found = list(in_processes_as_read(work, iter(range(300)), 2, int.__neg__))
    assert [abs(number) for number in found] == list(range(300))
    assert [-number for number in found if number < 0] == (list(range(first, last + 1)) if often > 1 else [])
    assert (tmp_path / "100").stat().st_size == deaths


@pytest.mark.skipif(sys.platform == "win32", reason="a process on Windows can't end itself by a signal")
def test_work_ends_if_each_process_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_stream, "_MAX_LOSSES", 2)
    found = in_processes_as_read(partial(killed, tmp_path, 9, 100, 300), iter(range(300)), 2, int.__neg__)
    with pytest.raises(ProcessKilled):
        list(found)


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "new Python"])
def test_results_come_in_order_from_other_processes(forks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not forks:
        monkeypatch.setattr(process_stream, "can_fork", lambda: False)
    found = list(in_processes_as_read(partial(squared, 1), numbers(300, []), 2, lost))
    assert [value for _, value in found] == [number * number + 1 for number in range(300)]
    assert os.getpid() not in {process for process, _ in found}


def test_items_are_read_as_they_are_needed() -> None:
    read: list[int] = []
    results = in_processes_as_read(partial(squared, 0), numbers(100_000, read), 2, lost)
    next(results)
    assert len(read) < 200
    assert isinstance(results, Generator)
    results.close()


@pytest.mark.parametrize(("count", "jobs"), [(3, 2), (300, 1)], ids=["few items", "one job"])
def test_no_process_is_started_for_little_work(count: int, jobs: int) -> None:
    found = list(in_processes_as_read(partial(squared, 0), numbers(count, []), jobs, lost))
    assert {process for process, _ in found} == {os.getpid()}
    assert len(found) == count


def test_an_error_of_a_worker_is_raised_here() -> None:
    with pytest.raises(UsageError, match="too large"):
        list(in_processes_as_read(partial(squared, 0), iter(range(9_980, 10_020)), 2, lost))


def test_certificates_and_revocation_lists_survive_pickling() -> None:
    picklable.register()
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    times = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, *times)
    certificate = builder.sign(key, hashes.SHA256())
    revoked = x509.CertificateRevocationListBuilder(name, *times).sign(key, hashes.SHA256())
    assert pickle.loads(pickle.dumps([certificate, revoked])) == [certificate, revoked]
