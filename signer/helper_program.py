"""Run programs of drvsign in processes of their own: each feeds untrusted files to a compiled library.

A crash of the library ends only that process. The programs import no other module of drvsign.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_VARIABLES = frozenset(
    {
        *("PATH", "SYSTEMROOT", "WINDIR", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
        *("PYTHONHOME", "PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE"),
    }
)
"""Environment variables that a program needs. The variable of --password-env is not among them."""


def started(program: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a program with pipes to its standard input and output. Raises OSError."""
    # -P: modules next to the program must not shadow modules that the library imports.
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(program), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name.upper() in _VARIABLES},
    )
