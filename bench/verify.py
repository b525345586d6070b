"""Benchmark of verification: many drivers in one call, compared with osslsigncode (one process each) and signify.

    python -m bench.verify [FOLDER]

The default folder is the corpus's drivers. Python programs run from cached bytecode, as when they are installed, even
if the environment disables the cache. signify is measured if it is installed; its dependency oscrypto does not
recognize OpenSSL 3.0.10 and later, so its version pattern is patched in memory.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from bench._corpus import corpus_root

_TIMES = 5
_BYTECODE = tempfile.TemporaryDirectory()


def wall(command: Sequence[str | Path]) -> float:
    """Return the wall time of a command in seconds, whatever its exit code."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, check=False, capture_output=True, env={**kept, "PYTHONPYCACHEPREFIX": _BYTECODE.name})
    return time.perf_counter() - start


def drvsign(files: list[Path], *options: str) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(map(str, files)))
        listed.flush()
        command = [
            sys.executable,
            "-m",
            "signer",
            "verify",
            f"@{listed.name}",
            "--policy",
            "kernel",
            "--json",
            *options,
        ]
        return min(wall(command) for _ in range(_TIMES))


def osslsigncode(files: list[Path]) -> float:
    def all_files() -> float:
        return sum(wall(["osslsigncode", "verify", "-in", path]) for path in files)

    return min(all_files() for _ in range(2))


def signify(files: list[Path]) -> float:
    """Return the seconds for one process that verifies all files, including startup."""
    command: list[str | Path] = [sys.executable, "-m", "bench.verify", "--signify", *files]
    return min(wall(command) for _ in range(2))


def run_signify(files: list[str]) -> None:
    sys.meta_path.insert(0, _PatchedOscrypto())
    from signify.authenticode import AuthenticodeFile
    from signify.exceptions import SignifyError

    for name in files:
        with Path(name).open("rb") as file:
            try:
                AuthenticodeFile.from_stream(file, file_name=name).explain_verify()
            except SignifyError:
                continue


class _PatchedOscrypto(importlib.abc.MetaPathFinder):
    """Import hook that patches oscrypto's version pattern to accept two-digit numbers."""

    _NAME = "oscrypto._openssl._libcrypto_cffi"

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._NAME:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Patched(name, spec.origin)
        return spec


class _Patched(importlib.machinery.SourceFileLoader):
    """Loads oscrypto's module with the other pattern."""

    def get_data(self, path: str) -> bytes:
        data = super().get_data(path)
        return data.replace(rb"\d\.\d\.\d[a-z]*", rb"\d+\.\d+\.\d+[a-z]*") if path.endswith(".py") else data


def main() -> None:
    if sys.argv[1:2] == ["--signify"]:
        run_signify(sys.argv[2:])
        return
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else corpus_root() / "drivers"
    files = sorted(folder.glob("*.sys"))
    if not files:
        sys.exit(f"no drivers in {folder}")
    one, all_targets = drvsign(files, "--target", "win11-25h2-x64"), drvsign(files, "--matrix")
    print(f"{len(files)} drivers, one target: {one:.2f} s")
    print(f"all targets: {all_targets:.2f} s, {all_targets / one:.2f} times one target")
    if shutil.which("osslsigncode"):
        other = osslsigncode(files)
        print(f"osslsigncode, one process each: {other:.2f} s, {other / one:.1f} times drvsign")
    if importlib.util.find_spec("signify"):
        other = signify(files)
        print(f"signify, one process: {other:.2f} s, {other / one:.1f} times drvsign")


if __name__ == "__main__":
    main()
