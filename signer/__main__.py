"""The program `drvsign`; `python -m signer` is the same.

Python prints a traceback for an interrupt before `main`, so this module imports little until then.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys

TYPE_CHECKING = False  # as in `signer`
if TYPE_CHECKING:
    from typing import NoReturn

_GC_THRESHOLD = 50_000


def main() -> NoReturn:
    """Run it, and end the process. Interrupted while its modules are still being loaded, it ends as it does later."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        gc.set_threshold(_GC_THRESHOLD)  # loading modules creates many objects and little garbage
        from signer.cli import prefetch, streams

        streams.prepare()  # before a process or a file could get the descriptor of a closed stream
        prefetch.start(sys.argv[1:])
        from signer.cli.app import main as run

        run()
    except KeyboardInterrupt:
        _leave(_interrupted())
    except SystemExit as end:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command has answered
        if not isinstance(end.code, int | None):
            raise
        _leave(end.code or 0)
    _leave(0)


def _interrupted() -> int:
    """Answer an interrupt that came before the program could, and return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from signer.cli.exit_codes import ExitCode
    from signer.errors import Interrupted

    error = Interrupted()
    sys.stderr.write(f"error: {error}\nhint: {error.hint}\n")
    if "--json" in sys.argv:
        import json

        sys.stdout.write(json.dumps({"schema": "drvsign.error/1", "error": error.as_json()}) + "\n")
    return ExitCode.INTERRUPTED


def _terminate(*_: object) -> NoReturn:
    """End like an interrupt, which removes temporary files."""
    from signer.cli.exit_codes import ExitCode

    raise SystemExit(ExitCode.TERMINATED)


def _leave(code: int) -> NoReturn:
    """End without taking all modules apart, which lasts longer than many a command."""
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # Python has its own way to say so
        sys.exit(code)
    os._exit(code)


if __name__ == "__main__":
    main()
