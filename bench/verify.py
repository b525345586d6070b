"""How long verifying takes: many drivers in one call, against osslsigncode (a process each) and signify (one process).

    python -m bench.verify [FOLDER]

The folder is the corpus's drivers unless another is named. Python programs run from bytecode, as they do when they are
installed: without it, a checkout would be compiled anew in every run where the environment forbids to keep any.
signify is measured where it is installed; its oscrypto does not recognize the version of OpenSSL 3.0.10 and later, so
the pattern that it looks for is mended in memory, here only.
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

from tests.support.files import corpus_root

_TIMES = 5
_BYTECODE = tempfile.TemporaryDirectory()


def wall(command: Sequence[str | Path]) -> float:
    """Seconds that a command takes, whatever it answers."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, check=False, capture_output=True, env={**kept, "PYTHONPYCACHEPREFIX": _BYTECODE.name})
    return time.perf_counter() - start


def ours(files: list[Path], *options: str) -> float:
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
    """Seconds for one process that checks them all, its start included."""
    command = [sys.executable, "-m", "bench.verify", "--signify", *files]
    return min(wall(command) for _ in range(2))


def run_signify(files: list[str]) -> None:
    sys.meta_path.insert(0, _Mended())
    from signify.authenticode import AuthenticodeFile
    from signify.exceptions import SignifyError

    for name in files:
        with Path(name).open("rb") as file:
            try:
                AuthenticodeFile.from_stream(file, file_name=name).explain_verify()
            except SignifyError:
                continue


class _Mended(importlib.abc.MetaPathFinder):
    """Loads oscrypto's module that asks for the version with a pattern that knows two digits."""

    _NAME = "oscrypto._openssl._libcrypto_cffi"

    def find_spec(self, name, path=None, target=None):
        if name != self._NAME:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        original = spec.loader
        get_code = original.get_code

        def mended(fullname):
            source = original.get_source(fullname)
            return compile(
                source.replace(r"\\d\\.\\d\\.\\d[a-z]*", r"\\d+\\.\\d+\\.\\d+[a-z]*").replace(
                    r"\d\.\d\.\d[a-z]*", r"\d+\.\d+\.\d+[a-z]*"
                ),
                original.path,
                "exec",
            )

        original.get_code = mended if get_code else None
        return spec


def main() -> None:
    if sys.argv[1:2] == ["--signify"]:
        run_signify(sys.argv[2:])
        return
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else corpus_root() / "drivers"
    files = sorted(folder.glob("*.sys"))
    if not files:
        sys.exit(f"there are no drivers in {folder}")
    one, all_targets = ours(files, "--target", "win11-25h2-x64"), ours(files, "--matrix")
    print(f"{len(files)} drivers, one target: {one:.2f} s")
    print(f"every target: {all_targets:.2f} s, {all_targets / one:.2f} times one")
    if shutil.which("osslsigncode"):
        theirs = osslsigncode(files)
        print(f"osslsigncode, a process each: {theirs:.2f} s, {theirs / one:.1f} times ours")
    if importlib.util.find_spec("signify"):
        theirs = signify(files)
        print(f"signify, one process: {theirs:.2f} s, {theirs / one:.1f} times ours")


if __name__ == "__main__":
    main()
