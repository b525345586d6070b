"""Fuzz the readers with atheris, whose coverage guides the mutations.

    python -m tests.fuzz.run [NAME ...] [--seconds N]
    python -m tests.fuzz.run NAME --input FILE
    python -m tests.fuzz.run NAME --mutation FILE
    python -m tests.fuzz.run [NAME ...] --coverage
    python -m tests.fuzz.run --report

Each harness runs in a process of its own for N seconds. Results are kept in build/fuzz, or in the folder $DRVSIGN_FUZZ:
the corpus that grew, the finds, with one smallest input for each place in the code, and the totals of all runs, which
--report prints. A mutator that raises finds nothing about the reader: its faults are printed and kept apart, in the
folder `mutator`, and the run goes on and passes.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import importlib.util
import json
import mmap
import os
import subprocess
import sys
import traceback
import warnings
from functools import partial
from pathlib import Path

from tests.fuzz.coverage import called_by, functions
from tests.fuzz.finds import Finds
from tests.fuzz.instrument import instrumented, load
from tests.fuzz.mutator import Mutator, repeated

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(os.environ.get("DRVSIGN_FUZZ") or ROOT / "build" / "fuzz")
NAMES = tuple(sorted(path.stem for path in (Path(__file__).parent / "harnesses").glob("*.py")))
_MAX_MEGABYTES, _MAX_SECONDS = 1024, 300
"""Limits of libFuzzer. It measures the time on the clock, which says little on a busy machine: see `Harness.timed`."""


def main() -> int:
    """Fuzz, repeat one input, or report."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"harnesses: {', '.join(NAMES)}; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="duration of each harness; default: 60")
    parser.add_argument("--input", type=Path, help="run this input and print what it raises")
    parser.add_argument("--mutation", type=Path, help="repeat this fault of the harness's mutator")
    parser.add_argument("--coverage", action="store_true", help="print the functions that the corpus does not reach")
    parser.add_argument("--report", action="store_true", help="print the totals of all runs")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = arguments.names or list(NAMES)
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"no harness {unknown[0]!r}; there are: {', '.join(NAMES)}")
    if (one := arguments.input or arguments.mutation) and not one.is_file():
        parser.error(f"{one} is not a file")
    if arguments.report:
        return _report()
    if arguments.coverage:
        return _coverage(names)
    if arguments.input:
        return _repeat(names[0], arguments.input)
    if arguments.mutation:
        repeated(importlib.import_module(f"tests.fuzz.harnesses.{names[0]}").HARNESS, arguments.mutation.read_bytes())
        return 0
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed. It has wheels for Linux on x86-64: pip install atheris")
    if arguments.worker:
        return _work(names[0], arguments.seconds)
    return max(_fuzz(name, arguments.seconds) for name in names)


def _fuzz(name: str, seconds: int) -> int:
    """Fuzz one harness in its own process, add up the totals, and return 1 if there are finds."""
    folder = RESULTS / name
    for part in ("corpus", "finds", "mutator"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    _counter(folder)[:] = bytes(16)
    command = [sys.executable, "-m", "tests.fuzz.run", name, "--worker", "--seconds", str(seconds)]
    with (folder / "log").open("wb") as log:
        code = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
    executions, accepted = memoryview(_counter(folder)).cast("Q")
    total = _add(name, executions, accepted, seconds)
    finds = Finds(folder / "finds").places()
    print(f"{name}: {executions:,} executions, {accepted:,} accepted; {total:,} in all; finds: {len(finds)}")
    for place in finds:
        print(f"  {place}")
    for place in Finds(folder / "mutator").places():
        print(f"  the mutator raised, which is no find: {folder / 'mutator' / place}.input")
    if code:
        print(f"  the process ended with {code}: see {folder / 'log'}")
    return 1 if finds or code else 0


def _work(name: str, seconds: int) -> int:
    """Fuzz one harness in this process. Does not return: libFuzzer ends the process."""
    import atheris

    warnings.simplefilter("error")  # before the filters of signer.certificates: users must see no warning of a library
    module = load(name)
    harness, folder = module.HARNESS, RESULTS / name
    finds, counter = Finds(folder / "finds"), memoryview(_counter(folder)).cast("Q")

    faults = Finds(folder / "mutator")
    finds.recheck(harness.timed)
    faults.recheck(partial(repeated, harness))

    def one_input(data: bytes) -> None:
        counter[0] += 1
        try:
            counter[1] += harness.timed(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            finds.add(data, error)

    seeds = [seed[: harness.max_size] for seed in (*harness.seeds(), *harness.extra())]
    for number, seed in enumerate(seeds):
        (folder / "corpus" / f"seed-{number:03}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-max_len={harness.max_size}", f"-rss_limit_mb={_MAX_MEGABYTES}"]
    options += [f"-timeout={_MAX_SECONDS}", f"-artifact_prefix={folder}/finds/", "-len_control=0"]
    options.append(f"-report_slow_units={_MAX_SECONDS}")
    options.append("-mutate_depth=1")  # `mutate` already makes several changes
    gc.collect()
    gc.freeze()  # pefile collects garbage after each malformed image, which would take most of the time
    # atheris.Setup puts another function in the place of atheris.Mutate.
    mutator = Mutator(harness, seeds, lambda data, size: atheris.Mutate(data, size), faults)
    atheris.Setup([name, *options, str(folder / "corpus")], one_input, custom_mutator=mutator)
    atheris.Fuzz()
    return 0


def _repeat(name: str, path: Path) -> int:
    harness = importlib.import_module(f"tests.fuzz.harnesses.{name}").HARNESS
    try:
        print("accepted" if harness.timed(path.read_bytes()) else "refused")
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def _coverage(names: list[str]) -> int:
    """Print how many functions of its packages each harness reaches, and the others."""
    for name in names:
        harness = importlib.import_module(f"tests.fuzz.harnesses.{name}").HARNESS
        corpus = [path.read_bytes() for path in sorted((RESULTS / name / "corpus").glob("*"))]
        known = functions(instrumented(name))
        missing = known.keys() - called_by(harness, [*harness.seeds(), *corpus])
        print(f"{name}: {len(known) - len(missing)} of {len(known)} functions")
        for function in sorted(known[code] for code in missing):
            print(f"  {function}")
    return 0


def _counter(folder: Path) -> mmap.mmap:
    """Return two counters that outlive the process: executions, and accepted inputs."""
    path = folder / "counter"
    if not path.is_file():
        path.write_bytes(bytes(16))
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), 16)


def _add(name: str, executions: int, accepted: int, seconds: int) -> int:
    """Add a run to the totals, and return the number of executions of all runs."""
    path = RESULTS / name / "totals.json"
    totals = json.loads(path.read_text()) if path.is_file() else {"executions": 0, "accepted": 0, "seconds": 0}
    for key, value in (("executions", executions), ("accepted", accepted), ("seconds", seconds)):
        totals[key] += value
    path.write_text(json.dumps(totals))
    return int(totals["executions"])


def _report() -> int:
    """Print the table of docs/security.md."""
    print("| harness | input | executions | accepted inputs |", "|---|---|---|---|", sep="\n")
    for name in NAMES:
        path = RESULTS / name / "totals.json"
        totals = json.loads(path.read_text("utf-8")) if path.is_file() else {"executions": 0, "accepted": 0}
        print(f"| `{name}` | {_subject(name)} | {totals['executions']:,} | {totals['accepted']:,} |")
    return 0


def _subject(name: str) -> str:
    """Return the first sentence of a harness's docstring."""
    tree = ast.parse((Path(__file__).parent / "harnesses" / f"{name}.py").read_text("utf-8"))
    return (ast.get_docstring(tree) or "").splitlines()[0].rstrip(".")


if __name__ == "__main__":
    sys.exit(main())
