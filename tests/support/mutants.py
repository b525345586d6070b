"""Mutation testing with Cosmic Ray: make one small change to the code and see whether a test fails.

    python -m tests.support.mutants [MODULE_OR_FOLDER ...] [--minutes N] [--survivors]
    python -m tests.support.mutants --report

--survivors tries those again that survived the last run, after tests for them were written.

Mutants are made in a copy of the checkout, in an order that is random and the same on every run: a run that stops when
its time is up has tried a fair sample. Results are kept in build/mutants, one file a module; --report prints them all.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cosmic_ray.commands.init import _all_work_items as all_work_items
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_item import MutationSpec, WorkResult

from tests.support.files import ROOT, corpus_root

RESULTS = ROOT / "build" / "mutants"
TESTS = {
    "signer/verify": "tests/signer/verify -k 'not no_changed_byte and not mangled'",
    "signer/trust": "tests/signer/trust -k 'not hostile and not corpus_roots'",
    "signer/policy": "tests/signer/policy --ignore tests/signer/policy/si_policy -k 'not invariants'",
    "signer/policy/si_policy": "tests/signer/policy/si_policy/test_si_policy.py",
    "signer/pkcs7": "tests/signer/pkcs7 tests/signer/verify -k 'not fuzz and not http_post and not no_changed_byte'",
    "signer/pkcs7/http_post.py": "tests/signer/pkcs7/test_http_post.py",
    "signer/formats": "tests/signer/formats",
    "catalogs/verification/release_check.py": "tests/catalogs/verification/test_release_check.py",
}
"""The code that is mutated, and the tests that must notice: those of its package, without the slowest.

The longest name that fits a module counts.
"""
OPERATORS = frozenset(
    {
        *("AddNot", "ReplaceUnaryOperator_Delete_Not", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
        *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
        *("ExceptionReplacer", "NumberReplacer", "ZeroIterationForLoop"),
        *("ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq"),
        *("ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is"),
        *("ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_Lt_GtE"),
        *("ReplaceComparisonOperator_LtE_Lt", "ReplaceComparisonOperator_LtE_Gt"),
        *("ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_Gt_LtE"),
        *("ReplaceComparisonOperator_GtE_Gt", "ReplaceComparisonOperator_GtE_Lt"),
        *("ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add", "ReplaceBinaryOperator_Mul_FloorDiv"),
        *("ReplaceBinaryOperator_BitOr_BitAnd", "ReplaceBinaryOperator_BitAnd_BitOr"),
        *("ReplaceBinaryOperator_LShift_RShift", "ReplaceBinaryOperator_RShift_LShift"),
    }
)
"""Of Cosmic Ray's operators, one for each way to get a condition, a boundary or a number wrong."""
SLOWDOWN = 3
"""A mutant may take this many times as long as the code itself, and then it counts as killed."""


@dataclass(frozen=True)
class Result:
    """One mutant and what the tests made of it."""

    line: int
    operator: str
    occurrence: int
    outcome: str
    """killed, timeout, survived, or incompetent where the tests could not be run."""
    seconds: float
    change: str
    """The lines taken out and put in."""

    @property
    def key(self) -> tuple[str, int]:
        """What tells mutants of a module apart: the operator, and the place in the file that it was applied to."""
        return self.operator, self.occurrence


def tests_of(module: str) -> str:
    """The tests for a module, as arguments of pytest."""
    return TESTS[max((name for name in TESTS if module == name or module.startswith(f"{name}/")), key=len)]


def modules(only: Iterable[str]) -> list[str]:
    """The modules to mutate, all or those that lie in one of the places named."""
    every = sorted(
        path.relative_to(ROOT).as_posix()
        for name in TESTS
        for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
        if path.name != "__init__.py"
    )
    places = [place.rstrip("/") for place in only]
    chosen = [one for one in dict.fromkeys(every) if not places or any(f"{one}/".startswith(f"{p}/") for p in places)]
    return chosen or sys.exit(f"nothing to mutate in {' '.join(places)}; choose from {' '.join(TESTS)}")


def mutants(module: str) -> list[MutationSpec]:
    """The mutants of a module, without those that change no behavior that a test could see."""
    spans = list(_left_out(ast.parse((ROOT / module).read_text(encoding="utf-8"))))
    specs = (item.mutations[0] for item in all_work_items([Path(module)], {}))
    return [
        spec
        for spec in specs
        if spec.operator_name.removeprefix("core/") in OPERATORS
        and not any(begin <= tuple(spec.start_pos) < end for begin, end in spans)
    ]


def _left_out(tree: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where nothing is changed: annotations, @dataclass(frozen=True), zip(..., strict=True), lru_cache(maxsize=64)."""
    for node in ast.walk(tree):
        option = node.value if isinstance(node, ast.keyword) and node.arg in ("strict", "maxsize") else None
        decorators = node.decorator_list if isinstance(node, ast.ClassDef) else []
        for found in (getattr(node, "annotation", None), getattr(node, "returns", None), option, *decorators):
            if isinstance(found, ast.expr):
                assert found.end_lineno is not None and found.end_col_offset is not None
                yield (found.lineno, found.col_offset), (found.end_lineno, found.end_col_offset)


def copy_tree(folder: Path) -> None:
    """Copy the checkout as it lies there, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def command(module: str) -> str:
    """The command that tests a module."""
    return f"{shlex.quote(sys.executable)} -m pytest -x -q --no-header -p no:cacheprovider {tests_of(module)}"


def measure(test: str) -> float:
    """How long the tests take on the code itself. Ends the program where they fail."""
    # This run writes the bytecode of all that is not mutated, which the runs to come read: it halves their time.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.monotonic()
    done = subprocess.run(shlex.split(test), capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"the tests fail before anything is changed: {test}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.monotonic() - start


def run(chosen: list[str], minutes: float, *, survivors: bool) -> None:
    """Try mutants of the modules until there are no more or the time is up, and keep what comes of each."""
    deadline = time.monotonic() + 60 * minutes
    specs = {module: mutants(module) for module in chosen}
    tried = {module: {one.key: one for one in (kept(module) if survivors else [])} for module in chosen}
    order = [
        (module, spec)
        for module, found in specs.items()
        for spec in found
        if not survivors or ((key := _key(spec)) in tried[module] and tried[module][key].outcome == "survived")
    ]
    random.Random(0).shuffle(order)  # the order, not a secret
    limits: dict[str, float] = {}
    for number, (module, spec) in enumerate(order):
        if time.monotonic() > deadline:
            break
        test = command(module)
        if test not in limits:
            limits[test] = max(30.0, SLOWDOWN * measure(test))
        start = time.monotonic()
        found = mutate_and_test([spec], test, limits[test])
        tried[module][_key(spec)] = _result(spec, found, time.monotonic() - start)
        save(module, list(tried[module].values()))
        if sys.stdout.isatty():
            _write(f"\r{number + 1} of {len(order)} mutants tried")


def _key(spec: MutationSpec) -> tuple[str, int]:
    return spec.operator_name.removeprefix("core/"), spec.occurrence


def _result(spec: MutationSpec, result: WorkResult, seconds: float) -> Result:
    outcome = "timeout" if result.output == "timeout" else str(result.test_outcome.value if result.test_outcome else "")
    diff = [line for line in (result.diff or "").splitlines() if line[:1] in "+-" and line[:3] not in ("---", "+++")]
    return Result(spec.start_pos[0], *_key(spec), outcome, round(seconds, 1), "\n".join(diff))


def save(module: str, tried: list[Result]) -> None:
    """Keep the results of a module for a report."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {"module": module, "tried": [asdict(one) for one in tried]}
    _kept(module).write_text(json.dumps(document, indent=1), encoding="utf-8")


def kept(module: str) -> list[Result]:
    """The results of a module's last run; none where there was no run."""
    path = _kept(module)
    document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"tried": []}
    return [Result(**one) for one in document["tried"]]


def _kept(module: str) -> Path:
    return RESULTS / f"{module.replace('/', '.')}.json"


def report(chosen: Iterable[str]) -> None:
    """Print the survivors, then a table of the packages."""
    table: dict[str, Counter[str]] = {}
    for module in chosen:
        if not _kept(module).exists():
            continue
        tried = kept(module)
        counts = table.setdefault(max((name for name in TESTS if module.startswith(name)), key=len), Counter())
        counts["total"] += len(mutants(module))
        counts["tried"] += len(tried)
        for one in sorted(tried, key=lambda one: (one.line, one.operator)):
            counts[one.outcome] += 1
            counts["seconds"] += round(one.seconds)
            if one.outcome == "survived":
                _write(f"{module}:{one.line}: {one.operator} #{one.occurrence}\n{one.change}\n")
    _write("\n| package | mutants | tried | killed | by time | survived | minutes |\n|---|---|---|---|---|---|---|\n")
    for name, counts in table.items():
        killed = counts["killed"] + counts["timeout"] + counts["incompetent"]
        row = (counts["total"], counts["tried"], killed, counts["timeout"], counts["survived"], counts["seconds"] // 60)
        _write(f"| `{name}` | {' | '.join(map(str, row))} |\n")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> None:
    """Mutate and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", metavar="MODULE_OR_FOLDER")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    chosen = modules(options.only)
    if not options.report:
        os.environ["DRVSIGN_CORPUS"] = str(corpus_root().resolve())
        with tempfile.TemporaryDirectory() as name:
            copy_tree(Path(name))
            os.environ |= {"PYTHONPATH": name, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            os.chdir(name)
            run(chosen, options.minutes, survivors=options.survivors)
            os.chdir(ROOT)
    report(chosen)


if __name__ == "__main__":
    main()
