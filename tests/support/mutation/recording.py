"""Record the tests of an area once: the lines that each executes, how long it takes, and what is imported."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData

from tests.support.mutation.imports import imported

_PROJECT = ("signer", "catalogs", "testcerts", "tests")
_RECORD = "DRVSIGN_MUTANTS_RECORD"


@dataclass(frozen=True)
class Recording:
    """What the tests of an area do."""

    seconds: Mapping[str, float]
    """Processor time of each test by its id, in the order in which they ran."""
    lines: Mapping[str, Mapping[int, frozenset[str]]]
    """For each file, the tests that execute a line; a line that runs on import has none."""
    libraries: tuple[str, ...]
    """Modules outside of the project that were imported."""
    project: tuple[str, ...]
    """Modules of the project that were imported, without tests and their fixtures."""
    imports: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each file of tests, the modules that it imports."""

    def tests(self, module: str, lines: Iterable[int]) -> list[str]:
        """Return the tests that execute one of the lines, the fastest first.

        If none does, the lines run on import: then those of the files that import the module, and those that execute
        anything in it.
        """
        found = self.lines.get(module, {})
        chosen = {test for line in lines for test in found.get(line, ())}
        if chosen:
            return sorted(chosen, key=lambda test: self.seconds[test])
        name = module.removesuffix(".py").replace("/", ".")
        near = {test for test in self.seconds if name in self.imports.get(test.partition("::")[0], ())}
        chosen = near.union(*found.values())
        return sorted(chosen or self.seconds, key=lambda test: (test not in near, self.seconds[test]))

    def varied(self, tests: Sequence[str], seconds: float) -> list[str]:
        """Return as many of the tests as take so long: the first case of each test function, then the second, …"""
        cases: dict[str, list[str]] = defaultdict(list)
        for test in tests:
            cases[test.partition("[")[0]].append(test)
        rounds = (test for one in zip_longest(*cases.values()) for test in one if test is not None)
        totals = accumulate(map(self.seconds.__getitem__, chosen := list(rounds)))
        return [test for test, total in zip(chosen, totals, strict=True) if total <= seconds]


def record(arguments: str, tree: Path, folder: Path) -> Recording:
    """Run tests on the code itself, in a copy of the checkout. Ends the program if one fails."""
    folder.mkdir(parents=True, exist_ok=True)
    settings, data, report = folder / "coveragerc", folder / "coverage", folder / "tests.json"
    settings.write_text(f"[run]\ndata_file = {data}\nsource = signer,catalogs,testcerts\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "pytest_cov"]
    command += ["-p", __name__, "--cov", f"--cov-config={settings}", "--cov-context=test", "--cov-report="]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command += shlex.split(arguments)
    environment[_RECORD] = str(report)
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the tests fail before anything is changed: {arguments}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    document = json.loads(report.read_text("utf-8"))
    lines = dict(_lines(data, tree, frozenset(document["seconds"])))
    files = {test.partition("::")[0] for test in document["seconds"]}
    imports = {file: imported(file.removesuffix(".py").replace("/", "."), tree / file) for file in files}
    return Recording(document["seconds"], lines, tuple(document["libraries"]), tuple(document["project"]), imports)


def _lines(data: Path, tree: Path, known: frozenset[str]) -> Iterator[tuple[str, dict[int, frozenset[str]]]]:
    """Yield for each file the tests that execute each line."""
    coverage = CoverageData(str(data))
    coverage.read()
    for name in coverage.measured_files():
        contexts = coverage.contexts_by_lineno(name)
        lines = {line: frozenset(one.rpartition("|")[0] for one in found) & known for line, found in contexts.items()}
        yield Path(name).relative_to(tree).as_posix(), lines


_seconds: dict[str, float] = {}
_skipped: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure a test with its fixtures in processor time: a busy machine makes no test longer."""
    start = time.process_time()
    result = yield
    _seconds[item.nodeid] = time.process_time() - start
    return result


def pytest_runtest_logreport(report: Any) -> None:
    """Note a test that is skipped."""
    if report.skipped:
        _skipped.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Write what was recorded."""
    imported = sorted(name for name, module in sys.modules.items() if getattr(module, "__file__", None))
    project = [name for name in imported if name.partition(".")[0] in _PROJECT]
    document = {
        "seconds": {test: seconds for test, seconds in _seconds.items() if test not in _skipped},
        "libraries": [name for name in imported if name not in project and not name.startswith("__")],
        "project": [name for name in project if not name.rpartition(".")[2].startswith(("test_", "conftest"))],
    }
    Path(os.environ[_RECORD]).write_text(json.dumps(document), encoding="utf-8")
