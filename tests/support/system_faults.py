"""Let system calls of a command fail from outside of its process, with strace.

`tests.support.faults` does the same inside of the process and is faster, but knows only the calls that Python makes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

CALLS = (
    *("write", "pwrite64", "writev", "ftruncate", "fallocate", "copy_file_range", "sendfile"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "fsync", "fdatasync"),
)
"""The calls that change files, without those that open them."""


def is_available() -> bool:
    """Tell whether strace is installed, and may trace a process here."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


def faults_of(command: Sequence[str], folder: Path, stride: int) -> Iterator[tuple[str, int]]:
    """Run a command in a folder; yield every `stride`-th call that changed files there: its name and number.

    Calls that write to pipes and terminals do not count, for which a full disk means nothing.
    """
    log = folder.parent / "calls"
    run(command, folder, "-y", "-o", str(log), "-e", f"trace={','.join(f'?{name}' for name in CALLS)}")
    counts, found, others = Counter[tuple[str, str]](), set[tuple[str, int]](), set[tuple[str, int]]()
    for process, name, rest in re.findall(r"^(\d+) +(\w+)\((.*)", log.read_text("utf-8", "replace"), re.MULTILINE):
        counts[process, name] += 1
        here = not re.match(r"\d+<", rest) or f"<{folder}/" in rest
        (found if here else others).add((name, counts[process, name]))
    yield from sorted(found - others)[::stride]  # strace counts in each thread, and lets the call of every one fail


def with_fault(command: Sequence[str], folder: Path, call: str, number: int, fault: str) -> int:
    """Run a command whose call has a fault, such as `signal=KILL` or `error=ENOSPC`. Return its exit code."""
    inject = f"inject={call}:{fault}:when={number}"
    return run(command, folder, "-o", os.devnull, "-e", f"trace={call}", "-e", inject)


def run(command: Sequence[str], folder: Path, *options: str, python: str | Path = sys.executable) -> int:
    """Run drvsign in a folder, with these options of strace or without strace."""
    traced = ["strace", "-f", "-qq", *options] if options else []
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    call = [*traced, python, "-m", "signer", *command]
    return subprocess.run(call, cwd=folder, env=environment, capture_output=True, check=False).returncode
