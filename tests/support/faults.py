"""Run a command again and again, each time with a fault at a later call that changes the disk.

    python -m tests.support.faults KIND STRIDE FOLDER COMMAND...

KIND is `kill`, or the name of an error such as ENOSPC. The command runs in a forked process on a copy of FOLDER. Calls
that count are those that create, write, sync, move, link or delete files of the copy, and those that change
permissions. A write is done by half before the fault. Prints one JSON line for each run: the number of the call, the
status, the output, and the state of the copy then and after the command ran once more without a fault.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.program import state

MAX_RUNS = 400
_DELETING = {"os.remove", "os.rmdir"}
_EVENTS = {*_DELETING, "os.rename", "os.mkdir", "os.link", "os.chmod", "os.truncate", "os.symlink"}


class Faults:
    """Counts the calls that change the disk, and lets one of them fail."""

    def __init__(self, kind: str, at: int, folder: Path) -> None:
        self._kind = kind
        self._left = at
        self._folder = str(folder)
        self.was_reached = False

    def step(self, before: Callable[[], object] = lambda: None) -> None:
        """Count a call; at the chosen one, call `before` and then fail."""
        self._left -= 1
        if self._left != 0:
            return
        self.was_reached = True
        before()
        if self._kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        number = getattr(errno, self._kind)
        raise OSError(number, os.strerror(number))

    def concerns(self, path: object) -> bool:
        """Tell whether a path, or an open file, is below the folder."""
        if isinstance(path, int):
            try:
                path = Path(f"/proc/self/fd/{path}").readlink()
            except OSError:
                return False
        return isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(self._folder)  # noqa: PTH100

    def install(self) -> None:
        """Watch this process from now on."""
        sys.addaudithook(self._audit)
        faults, opened, fsync = self, io.open, os.fsync

        class File(io.FileIO):
            def write(self, data: Any, /) -> int:
                half = memoryview(data)[: len(memoryview(data)) // 2]
                faults.step(lambda: super(File, self).write(half))
                return super().write(data)

        def open_file(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **named: Any) -> Any:
            if not set(mode) & set("wax+") or "b" not in mode or not faults.concerns(file):
                return opened(file, mode, buffering, *rest, **named)
            raw = File(file, mode.replace("b", ""))
            if buffering == 0:
                return raw
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

        def sync(descriptor: int) -> None:
            if faults.concerns(descriptor):
                faults.step()
            fsync(descriptor)

        io.open = open_file
        os.fsync = sync

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_CREAT | os.O_TRUNC)
        if self._kind == "ENOSPC" and event in _DELETING:  # a full disk does not prevent that
            return
        if (event in _EVENTS or writes) and self.concerns(arguments[0]):
            self.step()


def in_fork(work: Callable[[], None], output: Path) -> int:
    """Run work in a forked process with its output in a file; return its status as `os.waitpid` does."""
    process = os.fork()
    if process == 0:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        code = 70
        try:
            work()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 71
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def command(arguments: list[str]) -> None:
    """Run drvsign."""
    from signer.cli.app import app

    app(arguments, prog_name="drvsign")


def faulty(arguments: list[str], faults: Faults, reached: Path) -> None:
    """Run drvsign with a fault; create the file `reached` unless the command ends before the fault."""
    faults.install()
    try:
        command(arguments)
    finally:
        if faults.was_reached:
            reached.touch()


def main() -> None:
    kind, stride, source, *arguments = sys.argv[1:]
    import signer.cli.commands.package
    import signer.operations.sign  # noqa: F401 - loaded once, for all forks

    with tempfile.TemporaryDirectory() as place:
        output, reached = Path(place, "output"), Path(place, "reached")
        for at in range(1, MAX_RUNS, int(stride)):
            folder = Path(place, "work")
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source, folder, symlinks=True)
            reached.unlink(missing_ok=True)
            os.chdir(folder)
            faults = Faults(kind, at, folder)
            status = in_fork(partial(faulty, arguments, faults, reached), output)
            found = {"at": at, "status": status, "text": output.read_text("utf-8", "replace"), "state": state(folder)}
            found["again"] = in_fork(partial(command, arguments), output)
            found["text again"] = output.read_text("utf-8", "replace")
            found["after"] = state(folder)
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()
            if status >= 0 and not reached.exists():
                return


if __name__ == "__main__":
    main()
