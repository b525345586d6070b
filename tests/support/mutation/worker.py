"""Run the tests of many mutants of one module, each in a fork of a process that has imported what no mutant affects.

    python -m tests.support.mutation.worker

The first line on standard input is a Warming in JSON, each further line a Job; each answer is a Verdict. The working
folder is a copy of the checkout. The mutant is written there, and the fork imports it like any other run of pytest: in
the process that is forked, neither the module nor anything that imports it was ever imported.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

_MAX_BYTES = 6 << 30
_PROJECT = ("signer", "catalogs", "testcerts")
_IMPORT_SECONDS = 20.0
"""Processor time in seconds to import and collect the tests of a group."""


@dataclass(frozen=True)
class Warming:
    """What to import before the first mutant."""

    module: str
    """Path of the module to mutate."""
    libraries: list[str]
    project: list[str]


@dataclass(frozen=True)
class Job:
    """A mutant and its tests."""

    source: str
    groups: list[dict[str, float]]
    """Ids of tests, with the seconds of processor time after which each counts as failed. Each group is a run of
    pytest, and the first that fails is the last."""
    max_seconds: float
    """Limit for everything, for mutants that wait."""


@dataclass(frozen=True)
class Verdict:
    """The result of the tests: killed, timeout, survived, or broken if pytest itself failed."""

    outcome: str
    by: str
    """The test that failed, or the error."""
    seconds: float
    """Processor time."""


class _Chosen:
    """Keep the chosen tests in their order, end the process if one takes too long, and keep the first that fails."""

    def __init__(self, tests: Mapping[str, float]) -> None:
        self._tests = tests
        self._order = {test: number for number, test in enumerate(tests)}
        self.failed = ""
        signal.setitimer(signal.ITIMER_PROF, _IMPORT_SECONDS)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the other tests. If the mutant has changed the ids of all, run them all."""
        items[:] = sorted((one for one in items if one.nodeid in self._order), key=self._place) or items

    def _place(self, item: pytest.Item) -> int:
        return self._order[item.nodeid]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Start the clock: at its end, SIGPROF kills the process."""
        signal.setitimer(signal.ITIMER_PROF, self._tests.get(nodeid, _IMPORT_SECONDS))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep a failure."""
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        """Keep a failed import."""
        if report.failed:
            self.failed = self.failed or f"import of {report.nodeid}"


def warm(warming: Warming) -> None:
    """Import what no mutant affects. Raises AssertionError if that imports anything else of the project."""
    for name in warming.libraries:
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(name)
    for name in warming.project:
        importlib.import_module(name)
    allowed = {*warming.project, __name__}
    others = {name for name in sys.modules if name.partition(".")[0] in _PROJECT} - allowed
    assert not others, f"{sorted(others)} would not be imported again with the mutant"
    gc.collect()
    gc.freeze()


def run(job: Job, path: Path) -> Verdict:
    """Write the mutant, run its tests in a fork, and put the module back."""
    original = path.read_bytes()
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()
    path.write_text(job.source, encoding="utf-8")
    try:
        return _forked(job)
    finally:
        path.write_bytes(original)


def _forked(job: Job) -> Verdict:
    folder = Path(tempfile.mkdtemp(prefix="mutant."))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _become_child(job, folder, writer)
    os.close(writer)
    status, used, in_time = _wait(child, job.max_seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        said = pipe.read()
    shutil.rmtree(folder, ignore_errors=True)
    seconds = round(used.ru_utime + used.ru_stime, 2)
    if not in_time or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGKILL)):
        return Verdict("timeout", said, seconds)
    if os.WIFSIGNALED(status):
        return Verdict("killed", f"signal {os.WTERMSIG(status)}", seconds)
    outcome, _, by = said.partition(" ")
    return Verdict(outcome or "broken", by, seconds)


def _wait(child: int, seconds: float) -> tuple[int, Any, bool]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            return status, used, True
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    return status, used, False


def _become_child(job: Job, folder: Path, writer: int) -> None:
    """Run the tests in this process, write the outcome, and end the process."""
    import resource  # Windows has none

    os.setpgid(0, 0)  # not a session of its own: the scheduler groups those, and the priority would not count
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))
    log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.environ["TMPDIR"], tempfile.tempdir = str(folder), None
    sys.dont_write_bytecode, os.environ["PYTHONDONTWRITEBYTECODE"] = True, "1"
    try:
        os.write(writer, _tested(job.groups).encode()[:4000])
    finally:  # an exception leaves the pipe empty: the outcome is "broken"
        os._exit(0)


def _tested(groups: Iterable[Mapping[str, float]]) -> str:
    for tests in groups:
        chosen = _Chosen(tests)
        files = sorted({test.partition("::")[0] for test in tests})
        options = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
        code = pytest.main([*options, *files], plugins=[chosen])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            failed = chosen.failed or ("import of conftest" if code == pytest.ExitCode.USAGE_ERROR else "")
            return f"killed {failed}" if failed else f"broken pytest ended with {code!r}"
    return "survived "


def main() -> None:
    """Answer jobs."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warming = Warming(**json.loads(sys.stdin.readline()))
    warm(warming)
    for line in sys.stdin:
        verdict = run(Job(**json.loads(line)), Path(warming.module))
        answers.write(json.dumps(asdict(verdict)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
