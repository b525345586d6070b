"""Run programs of drvsign in processes of their own: each feeds untrusted files to a compiled library.

A crash of the library ends only that process. The programs import no other module of drvsign, and this module no other
either: `start_ahead` is called before all others are loaded.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
from pathlib import Path

LIEF_READER = Path(__file__).parent / "pe" / "lief_reader.py"
"""The program that parses images with lief."""

_VARIABLES = frozenset(
    {
        *("PATH", "SYSTEMROOT", "WINDIR", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
        *("PYTHONHOME", "PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE"),
    }
)
"""Environment variables that a program needs. The variable of --password-env is not among them."""

_ahead: dict[tuple[int, Path], subprocess.Popen[bytes]] = {}
"""The processes that were started ahead and are not used yet, by the process that started them and their program."""


def start_ahead(program: Path) -> None:
    """Start a program that `started` will probably be asked for, without arguments. Ignores errors.

    It ends when this process ends.
    """
    with contextlib.suppress(OSError):
        process = _ahead[os.getpid(), program] = _start(program)
        atexit.register(process.kill)


def started(program: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a program with pipes to its standard input and output. Raises OSError.

    Without arguments, returns the process that this process has started ahead, if there is one.
    """
    found = _ahead.pop((os.getpid(), program), None) if not arguments else None
    return found or _start(program, *arguments)


def _start(program: Path, *arguments: str) -> subprocess.Popen[bytes]:
    # -P: modules next to the program must not shadow modules that the library imports.
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(program), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name.upper() in _VARIABLES},
    )
