"""Shared fixtures: keys and certificates of every kind, and one Wine prefix for all tests of a run."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from testcerts import store
from testcerts.issue import Order, parse_subject
from testcerts.profiles import KeyKind
from tests.support.judges import WINE, Pki, tool

WINCHECK = Path(__file__).with_name("wincheck.c")


@pytest.fixture(scope="session")
def pki(tmp_path_factory) -> Callable[[str], Pki]:
    """Return a test hierarchy for each kind of key."""

    @cache
    def make(kind: str) -> Pki:
        folder = tmp_path_factory.mktemp("pki") / kind
        order = Order(parse_subject("CN=Contoso Drivers,O=Contoso"), datetime.now(UTC), KeyKind.named(kind))
        hierarchy = store.create(folder, order).hierarchy
        return Pki(hierarchy.identity(), hierarchy.path("root", ".pem"), folder)

    return make


@pytest.fixture(scope="session")
def wine_prefix(tmp_path_factory) -> Path:
    """A Wine prefix, created once for the run whatever the number of pytest workers."""
    if not WINE.exists():
        pytest.skip(f"Wine is not installed ({WINE}, Debian package wine64)")
    base = tmp_path_factory.getbasetemp()
    prefix = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "wine"
    with prefix.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not prefix.exists():
            prefix.mkdir()
            linger(prefix)
            quietly(prefix, WINE, "wineboot", "--init")
    return prefix


def linger(prefix: Path) -> None:
    """Keep Wine's server alive for 20 seconds after its last client, so that the next client need not restart it."""
    for name in ("wineserver64", "wineserver"):
        if (program := WINE.with_name(name)).exists():
            quietly(prefix, program, "-p20")
            return


def quietly(prefix: Path, *command: str | Path, output: Path = Path(os.devnull)) -> int:
    """Run a command that leaves processes behind, and return its exit code. With pipes, it would wait for them."""
    environment = wine_environment(prefix)
    with output.open("wb") as file:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, timeout=300)
    return done.returncode


def wine_environment(prefix: Path) -> dict[str, str]:
    return {**os.environ, "WINEPREFIX": str(prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}


@pytest.fixture(scope="session")
def wincheck(wine_prefix, tmp_path_factory) -> Callable[..., list[str]]:
    """Compile wincheck.c; return a function that runs it with (function, file) pairs and returns their results."""
    compiler = tool("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    folder = tmp_path_factory.mktemp("wincheck")
    flags = ["-municode", "-O1", "-Wall", "-Wextra", "-Werror"]
    program = folder / "wincheck.exe"
    subprocess.run([compiler, *flags, "-o", program, WINCHECK, "-lwintrust", "-lcrypt32"], check=True)

    output = folder / "output.txt"

    def call(*pairs: tuple[str, Path]) -> list[str]:
        arguments = [str(part) for pair in pairs for part in pair]
        assert quietly(wine_prefix, WINE, program, *arguments, output=output) == 0, output.read_text()
        return [part.partition("\n")[2].strip() for part in output.read_text().split("== ")[1:]]

    return call
