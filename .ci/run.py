#!/usr/bin/env python3
"""Run continuous integration: install the tools for the interoperability tests, lint, fuzz for a minute, and test.

The corpus is in ../shared/corpus, or in the folder that DRVSIGN_CORPUS names; without it, some tests are skipped.
The last lines of the output are the number of tests that ran, failed and were skipped, with the reasons.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "build" / "tests.xml"
PACKAGES = {
    "python3-venv": "ensurepip",
    "make": "make",
    "git": "git",
    "openssl": "openssl",
    "osslsigncode": "osslsigncode",
    "cabextract": "cabextract",
    "gcab": "gcab",
    "msitools": "msiinfo",
    "wixl": "wixl",
    "p7zip-full": "7z",
    "libarchive-tools": "bsdtar",
    "softhsm2": "softhsm2-util",
    "cmake": "cmake",
    "meson": "meson",
    "zsh": "zsh",
    "fish": "fish",
    "mandoc": "mandoc",
    "gcc-mingw-w64-x86-64": "x86_64-w64-mingw32-gcc",
    "wine64": "/usr/lib/wine/wine64",
    "chromium": "chromium",
}
"""Debian packages, and the program that shows that each is installed."""
EXTRAS = "dev,docs,azure,gcp"
"""Extras to install, including what builds the site, and clients of cloud services that most developers don't need."""

FUZZ_SECONDS = 3
"""Time for each of the 21 harnesses, a minute in all; hours of it find what this does not (docs/security.md)."""


def main() -> int:
    install()
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.unlink(missing_ok=True)
    extras = f"EXTRAS={EXTRAS}"
    make(".venv/.develop", extras)
    fuzzing = start("fuzz", extras, f"T={FUZZ_SECONDS}") if has_fuzzer() else None
    lint = make("lint", extras)
    fuzz = finish(fuzzing) if fuzzing else 0
    test = make("test", extras, f"PYTEST=--junitxml={REPORT} --durations=10")
    print("\n" + "=" * 80)
    print(f"make lint: {'passed' if lint == 0 else 'FAILED'}")
    print(f"make test: {'passed' if test == 0 else 'FAILED'}")
    print(f"make fuzz: {'passed' if fuzz == 0 else 'FAILED'}")
    summary()
    return 1 if lint or test or fuzz else 0


def install() -> None:
    """Install missing packages on Debian and Ubuntu, as root or with sudo without a password."""
    missing = [name for name, program in PACKAGES.items() if not is_installed(program)]
    if not missing:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or (sudo and not shutil.which("sudo")):
        print(f"Can't install {', '.join(missing)} on this system: the tests that need them will be skipped.")
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*sudo, "apt-get", "update", "-qq"], env=environment, check=False)
    for name in missing:  # One at a time: a release may lack one of the packages.
        command = [*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", name]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        print(f"{'Installed' if done.returncode == 0 else 'Could not install'} {name}.", flush=True)
        if done.returncode:
            print("  " + "\n  ".join(done.stderr.strip().splitlines()[-3:]))


def is_installed(program: str) -> bool:
    if program == "ensurepip":
        return subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0
    return shutil.which(program) is not None


def has_fuzzer() -> bool:
    """Tell whether atheris is installed, which has wheels for Linux on x86-64 only."""
    python = ROOT / ".venv" / "bin" / "python"
    if subprocess.run([python, "-c", "import atheris"], capture_output=True).returncode == 0:
        return True
    print("\natheris is not installed: make fuzz is skipped.")
    return False


def make(*arguments: str) -> int:
    print(f"\n$ make {' '.join(arguments)}", flush=True)
    return subprocess.run(["make", "--no-print-directory", *arguments], cwd=ROOT, check=False).returncode


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start make beside other work: linters and fuzzing use one processor each."""
    print(f"\n$ make {' '.join(arguments)} &", flush=True)
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> int:
    """Wait for a make that was started, print what it printed, and return its exit code."""
    print(f"\n{process.communicate()[0]}", end="", flush=True)
    return process.returncode


def summary() -> None:
    """Print how many tests ran, failed and were skipped, and each reason for skipping with its number of tests."""
    if not REPORT.exists():
        print("No test ran.")
        return
    cases = list(ElementTree.parse(REPORT).iter("testcase"))
    skips = Counter(reason(skip) for case in cases for skip in case.iter("skipped"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(skips.values())
    print(f"{len(cases) - skipped} tests ran, {len(failed)} failed, {skipped} skipped.")
    for case in failed:
        print(f"  failed: {case.get('classname')}.{case.get('name')}")
    for why, number in skips.most_common():
        print(f"  skipped {number}: {why}")


def reason(skip: ElementTree.Element) -> str:
    return re.sub(r"\s+", " ", skip.get("message") or skip.text or "no reason given")


if __name__ == "__main__":
    sys.exit(main())
