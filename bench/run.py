"""The benchmark: drvsign beside its peers in one run, row by row, written to bench/RESULTS.md.

    python -m bench.run [ROW ...]

Without rows, runs all of them: about 25 minutes on two idle cores, and 3 GB below the temporary folder. Each row's
result is kept in build/bench, and RESULTS.md has the latest of each, so that rows can be run apart. osslsigncode must
be installed, and DRVSIGN_CORPUS name the corpus if it is not beside the checkout.
"""

from __future__ import annotations

import pickle
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import _inputs as inputs
from bench._growth import Curve, exponent, plot
from bench._inputs import DRVSIGN
from bench._measure import Arguments, Comparison, compare, run, spread

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "bench"
RESULTS, PLOT = ROOT / "bench" / "RESULTS.md", ROOT / "docs" / "growth.svg"
IMPORTS = "import typer, asn1crypto.cms, cryptography.x509, pefile"
SIZES = (10, 100, 1000, 10_000)


@dataclass(frozen=True, slots=True)
class Result:
    """What one row measured."""

    comparisons: tuple[Comparison, ...] = ()
    curves: tuple[tuple[str, Curve, float], ...] = ()
    """Names, times for each size, and the time of the start."""
    notes: tuple[str, ...] = ()


def start(folder: Path) -> Result:
    """Measure help, the version, and one small file, against the imports."""
    typer, libraries, lief = ([sys.executable, "-c", code] for code in ("import typer", IMPORTS, "import lief"))
    driver = min(inputs.drivers(), key=lambda path: abs(path.stat().st_size - 60_000))
    key, cert = inputs.write_identity(folder)
    small, signed = inputs.images(folder / "one", 1) / "00000.sys", folder / "one.signed"
    sign: Arguments = [*DRVSIGN, "sign", small, "-q", "--output", signed, "--cert", cert, "--key", key]
    found = [
        compare("drvsign --help, of import typer", "1.5", [*DRVSIGN, "--help"], typer, rounds=9),
        compare("drvsign verify --help, of import typer", "1.5", [*DRVSIGN, "verify", "--help"], typer, rounds=9),
        compare("drvsign --version, of import typer", "1.2", [*DRVSIGN, "--version"], typer, rounds=9),
        compare("verify one driver, of its imports", "1.3", [*DRVSIGN, "verify", driver], libraries, rounds=9),
        compare("sign one driver, of import lief", "1.0", sign, lief, rounds=9),
    ]
    if shutil.which("taskset"):
        one_core: Arguments = ["taskset", "-c", "0"]
        label = "sign one driver on one core, of import lief"
        found.append(compare(label, "1.0", [*one_core, *sign], [*one_core, *lief], rounds=9))
    return Result(tuple(found))


def sign_large(folder: Path) -> Result:
    """Sign one image of 200 MB."""
    key, cert = inputs.write_identity(folder)
    source, target, other = folder / "large.sys", folder / "ours.sys", folder / "theirs.sys"
    inputs.large_image(source, 200)

    def clean() -> None:
        target.unlink(missing_ok=True)
        other.unlink(missing_ok=True)

    found = []
    for label, ours, theirs in (("", [], []), (" with page hashes", ["--page-hashes"], ["-ph"])):
        sign: Arguments = [*DRVSIGN, "sign", source, "-q", "--output", target, "--cert", cert, "--key", key, *ours]
        peer: Arguments = ["osslsigncode", "sign", *theirs, "-certs", cert, "-key", key, "-h", "sha256", "-in", source]
        peer += ["-out", other]
        found.append(compare(f"sign 200 MB{label}, of osslsigncode", "0.8", sign, peer, before=clean))
    return Result(tuple(found))


def sign_many(folder: Path) -> Result:
    """Sign 500 small images in one call, and osslsigncode in a process each."""
    key, cert = inputs.write_identity(folder)
    source = folder / "many"
    target = folder / "out"
    target.mkdir()
    sign: Arguments = [*DRVSIGN, "sign", source, "-q", "--cert", cert, "--key", key]
    command = f'rm -f {target}/x; osslsigncode sign -certs {cert} -key {key} -h sha256 -in "$f" -out {target}/x'
    peer = inputs.each(sorted(inputs.images(folder / "peer", 500).iterdir()), command)
    label = "sign 500 drivers, times faster than osslsigncode"
    return Result(
        (compare(label, "6", sign, peer, rounds=3, is_speed=True, before=lambda: inputs.images(source, 500)),)
    )


def verify_many(folder: Path) -> Result:
    """Verify the drivers of the corpus as text and JSON, for one target and for all."""
    paths = inputs.drivers()
    peer = inputs.each(paths, 'osslsigncode verify -in "$f"')
    verify: Arguments = [*DRVSIGN, "verify", inputs.listed(folder, paths), "--policy", "kernel"]
    one: Arguments = [*verify, "--target", "win11-25h2-x64"]
    found = []
    for name, form in (("text", []), ("JSON", ["--json"])):
        label = f"verify {len(paths)} drivers as {name}, times faster than osslsigncode"
        found.append(compare(label, "15", [*one, *form], peer, rounds=5, is_speed=True))
        label = f"every target as {name}, of one target"
        found.append(compare(label, "1.3", [*verify, "--matrix", *form], [*one, *form], rounds=9))
    return Result(tuple(found))


def catalog_build(folder: Path) -> Result:
    """Build the catalog of 10,000 files with 1 GB."""
    source = folder / "package"
    source.mkdir()
    inputs.package(source, 10_000, 1024)
    build: Arguments = [*DRVSIGN, "catalog", "build", source, "--os", "10_X64", "--now", "2026-01-01", "--quiet"]
    label = "catalog of 10,000 files, 1 GB, of hashing them"
    return Result((compare(label, "1.3", build, inputs.hashing(source)),))


def packages(folder: Path) -> Result:
    """Verify 1,000 packages; the memory of 100 and of 1,000."""
    many = inputs.packages(folder / "packages", 1000)
    verify: Arguments = [*DRVSIGN, "verify", many]
    found = [
        compare("verify 1,000 packages, of hashing them", "6", verify, inputs.hashing(many)),
        compare("1,000 packages as JSON, of hashing them", "6", [*verify, "--json"], inputs.hashing(many)),
        compare(
            "1,000 packages, times faster on two cores",
            "1.8",
            [*verify, "--jobs", "2"],
            [*verify, "--jobs", "1"],
            is_speed=True,
        ),
    ]
    few = inputs.packages(folder / "few", 100)
    peaks = [run([*DRVSIGN, "verify", one, "--jobs", "1"]).peak for one in (few, many)]
    return Result(
        tuple(found), notes=(f"Peak memory of 100 packages: {peaks[0]:.0f} MB; of 1,000: {peaks[1]:.0f} MB.",)
    )


def growth(folder: Path) -> Result:
    """Measure how the cost grows from 10 to 10,000 files: sign, verify, catalog, and packages."""
    key, cert = inputs.write_identity(folder)
    begin = statistics.median(run([*DRVSIGN, "verify", inputs.drivers()[0]]).wall for _ in range(3))
    signed, verified, built, checked = [], [], [], []
    for count in SIZES:
        source = inputs.images(folder / "images", count)
        signed.append((count, run([*DRVSIGN, "sign", source, "-q", "--cert", cert, "--key", key]).wall))
        verified.append((count, run([*DRVSIGN, "verify", source]).wall))
        package = folder / f"package{count}"
        package.mkdir()
        inputs.package(package, count, max(1, count // 100))
        build: Arguments = [*DRVSIGN, "catalog", "build", package, "--os", "10_X64", "--now", "2026-01-01", "--quiet"]
        built.append((count, run(build).wall))
        if count < SIZES[-1]:
            checked.append((count, run([*DRVSIGN, "verify", inputs.packages(folder / f"of{count}", count)]).wall))
    curves = {"sign": signed, "verify": verified, "catalog build": built, "verify packages": checked}
    return Result(curves=tuple((name, tuple(curve), begin) for name, curve in curves.items()))


ROWS: dict[str, Callable[[Path], Result]] = {
    "start": start,
    "verify-many": verify_many,
    "packages": packages,
    "sign-large": sign_large,
    "sign-many": sign_many,
    "catalog-build": catalog_build,
    "growth": growth,
}


def results() -> str:
    """Return RESULTS.md from the kept results."""
    text = [
        "# Speed",
        "",
        "Made by `make bench`. Ratios of wall times of whole processes in turn (A B A B …): median, and",
    ]
    text += [
        "minimum to maximum. Memory is the peak of the largest process, and at least that of the benchmark itself."
    ]
    text += [""]
    text += ["| what | goal | ratio | drvsign, s | peer, s | drvsign, MB | peer, MB |", "|---|---|---|---|---|---|---|"]
    notes, curves, dates = [], [], []
    for name in ROWS:
        if not (kept := KEPT / f"{name}.pickle").exists():
            continue
        when, result = pickle.loads(kept.read_bytes())
        dates.append(f"- {name}: {when}")
        notes += [f"- {note}" for note in result.notes]
        curves += result.curves
        for one in result.comparisons:
            cells = [one.label, one.goal, spread(one.ratios)]
            cells += [spread([each.wall for each in runs]) for runs in (one.ours, one.peer)]
            cells += [f"{max(each.peak for each in runs):.0f}" for runs in (one.ours, one.peer)]
            text.append(f"| {' | '.join(cells)} |")
    if curves:
        PLOT.write_text(plot({name: curve for name, curve, _ in curves}))
        text += ["", "## Growth", "", "Exponent of the time minus the start, from 100 files; the goal is 1.05.", ""]
        text += ["| what | exponent | seconds |", "|---|---|---|"]
        for name, curve, begin in curves:
            times = ", ".join(f"{count:,}: {seconds:.2f}" for count, seconds in curve)
            text.append(f"| {name} | {exponent(curve, begin):.2f} | {times} |")
        text += ["", "![Seconds by number of files](../docs/growth.svg)"]
    return "\n".join([*text, "", *notes, "", "## Runs", "", *dates, ""])


def _circumstances() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    libraries = ", ".join(f"{name} {version(name)}" for name in ("cryptography", "lief", "pefile", "typer"))
    peer = subprocess.run(["osslsigncode", "--version"], capture_output=True, text=True).stdout.partition(",")[0]
    machine = (
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {_processors()} processors"
    )
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit.strip()}, {machine}, {libraries}, {peer}"


def _processors() -> str:
    import os

    model = next((line for line in _cpuinfo() if line.startswith("model name")), ":").partition(":")[2].strip()
    return f"{os.cpu_count()} {model}".strip()


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def main() -> None:
    names = sys.argv[1:] or list(ROWS)
    if unknown := set(names) - set(ROWS):
        sys.exit(f"unknown rows: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    if not shutil.which("osslsigncode"):
        sys.exit("osslsigncode is not installed")
    KEPT.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            result = ROWS[name](Path(folder))
        for one in result.comparisons:
            print(f"{one.label}: {spread(one.ratios)}, goal {one.goal}", flush=True)
        (KEPT / f"{name}.pickle").write_bytes(pickle.dumps((_circumstances(), result)))
        RESULTS.write_text(results())
        print(f"{name}: {time.monotonic() - begin:.0f} s so far, in {RESULTS.relative_to(ROOT)}", flush=True)


if __name__ == "__main__":
    main()
