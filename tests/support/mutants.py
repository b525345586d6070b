"""Mutation testing with Cosmic Ray: make one small change to the code and see whether a test fails.

    python -m tests.support.mutants [MODULE_OR_FOLDER ...] [--minutes N] [--survivors] [--whole]
    python -m tests.support.mutants --report

Mutants that were tried on the same code are not tried again, so that a run continues the last one. --survivors tries
those again that survived, after tests for them were written.

The tests of an area run once on a copy of the checkout, with the lines that each executes. A mutant meets those that
execute its line, first the ones that killed others and then the fastest, until one fails or four seconds of tests have
passed. With --whole it meets all of them, and the other tests that execute anything in the module: values that are
computed once and kept hide who needs them. Results are kept in build/mutants.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

from tests.support.files import ROOT, corpus_root
from tests.support.mutation.areas import TESTS, Mutant, area_of, first_line, modules, mutants
from tests.support.mutation.equivalents import reason
from tests.support.mutation.imports import independent
from tests.support.mutation.recording import Recording, record
from tests.support.mutation.results import Result, kept, print_now, report, save
from tests.support.mutation.worker import Job, Verdict, Warming

SLOWDOWN = 3
"""In a mutant each test may take this many times as long, and 2 s; then the mutant counts as killed."""
_KILLERS, _CONTROL = 6, 40
"""Number of tests that come first, and of mutants between two runs of the code itself."""
_BUDGET = 4.0
"""Seconds that the tests of a mutant may take, except with --whole."""


@dataclass
class Runner:
    """Tries the mutants of one module."""

    module: str
    recording: Recording
    process: subprocess.Popen[str]
    killers: Counter[str] = field(default_factory=Counter)

    def verdict(self, source: str, lines: Iterable[int], *, whole: bool = False) -> Verdict:
        """Run the tests of some lines on a changed source."""
        tests = self.recording.tests(self.module, lines)
        groups = list(self._groups(tests if whole else self.recording.varied(tests, _BUDGET)))
        if whole:
            known = set(tests)
            groups += _by_file([test for test in self.recording.tests(self.module, ()) if test not in known])
        limits = [{test: 2 + SLOWDOWN * self.recording.seconds[test] for test in group} for group in groups]
        job = Job(source, limits, 120 + 10 * sum(sum(group.values()) - 2 * len(group) for group in limits))
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(asdict(job)) + "\n")
        self.process.stdin.flush()
        verdict = Verdict(**json.loads(self.process.stdout.readline()))
        if verdict.outcome == "killed" and verdict.by in self.recording.seconds:
            self.killers[verdict.by] += 1
        return verdict

    def _groups(self, tests: Sequence[str]) -> Iterator[list[str]]:
        """Yield the tests that killed other mutants, and then the others by their file."""
        known = sorted((test for test in tests if self.killers[test]), key=lambda test: -self.killers[test])[:_KILLERS]
        if known:
            yield known
        yield from _by_file([test for test in tests if test not in known])

    def require_survival(self, source: str, lines: Iterable[int], *, whole: bool) -> None:
        """Run the code itself. Ends the program if it does not pass: no other result would be worth anything."""
        verdict = self.verdict(source, lines, whole=whole)
        if verdict.outcome != "survived":
            sys.exit(f"{self.module}: the code itself does not pass: {verdict.outcome} {verdict.by}")


def _by_file(tests: Sequence[str]) -> list[list[str]]:
    """Group tests by file, the file with the fastest test first."""
    places = {file: number for number, file in reversed(list(enumerate(test.partition("::")[0] for test in tests)))}
    ordered = sorted(tests, key=lambda test: places[test.partition("::")[0]])
    return [list(group) for _, group in groupby(ordered, key=lambda test: test.partition("::")[0])]


@contextmanager
def started(module: str, recording: Recording, tree: Path) -> Iterator[Runner]:
    """Start a process that has imported what no mutant of the module affects."""
    name = module.removesuffix(".py").replace("/", ".")
    warming = Warming(module, list(recording.libraries), independent(recording.project, name, tree))
    command = [sys.executable, "-m", "tests.support.mutation.worker"]
    with subprocess.Popen(command, cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        process.stdin.write(json.dumps(asdict(warming)) + "\n")
        process.stdin.flush()
        yield Runner(module, recording, process)
        process.stdin.close()


def copy_tree(folder: Path) -> None:
    """Copy the checkout as it lies there, without what git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def run(chosen: Sequence[str], tree: Path, deadline: float, *, survivors: bool, whole: bool) -> None:
    """Try mutants of the modules until there are no more or the time is up."""
    recordings: dict[str, Recording] = {}
    for module in chosen:
        todo = list(_todo(module, survivors=survivors))
        if not todo or time.monotonic() > deadline:
            continue
        area = area_of(module)
        if area not in recordings:
            recordings[area] = record(TESTS[area], tree, tree.parent / f"recording-{len(recordings)}")
        with started(module, recordings[area], tree) as runner:
            _try(runner, todo, deadline, whole=whole)


def _todo(module: str, *, survivors: bool) -> Iterator[Mutant]:
    """Yield the mutants to try in an order that is random and the same on every run."""
    tried = kept(module)
    found = list(mutants(module))
    random.Random(0).shuffle(found)  # the order, not a secret
    for one in found:
        again = one in tried and tried[one].outcome in ("survived", "broken") and not reason(module, tried[one].change)
        if again if survivors else one not in tried:
            yield one


def _try(runner: Runner, todo: Sequence[Mutant], deadline: float, *, whole: bool) -> None:
    """Try mutants of one module and keep the results."""
    module = runner.module
    source = (ROOT / module).read_text(encoding="utf-8")
    results = kept(module)
    for number, mutant in enumerate(todo):
        if time.monotonic() > deadline:
            break
        lines = list(_lines(source, mutant))
        if number % _CONTROL == 0:
            runner.require_survival(source, lines, whole=whole)
        changed = mutant.of(source)
        assert changed is not None, mutant
        verdict = runner.verdict(changed, lines, whole=whole)
        change = "\n".join(_difference(source, changed))
        results[mutant] = Result(mutant.key, verdict.outcome, verdict.seconds, change, verdict.by)
        save(module, results.values())
    counts = Counter(one.outcome for one in results.values())
    print_now(f"{module}: {', '.join(f'{number} {outcome}' for outcome, number in counts.items())}")


def _lines(source: str, mutant: Mutant) -> Iterator[int]:
    """Yield the lines of the smallest statement around a mutant, without the body of a compound one."""
    first, last = mutant.begin[0], mutant.end[0]
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    around = [node for node in statements if first_line(node) <= first and (node.end_lineno or 0) >= last]
    inner = max(around, key=first_line)
    begin, body = first_line(inner), getattr(inner, "body", None)
    end = body[0].lineno - 1 if body else inner.end_lineno or last
    yield from range(begin, max(begin, last, end) + 1)


def _difference(before: str, after: str) -> Iterator[str]:
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""):
        if not line.startswith(("---", "+++", "@@")):
            yield line


def main() -> None:
    """Mutate and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", metavar="MODULE_OR_FOLDER")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    chosen = modules(options.only)
    if not options.report:
        deadline = time.monotonic() + 60 * options.minutes
        os.environ["DRVSIGN_CORPUS"] = str(corpus_root().resolve())
        memory = Path("/dev/shm")  # where the tests wait for no disk
        with tempfile.TemporaryDirectory(prefix="mutants.", dir=memory if memory.is_dir() else None) as name:
            tree = Path(name).resolve() / "tree"
            copy_tree(tree)
            os.environ |= {"TMPDIR": name, "PYTHONPATH": str(tree), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            run(chosen, tree, deadline, survivors=options.survivors, whole=options.whole)
    report(chosen)


if __name__ == "__main__":
    main()
