"""The exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the end of a command tells a script."""

    DONE = 0
    """Done, or accepted."""
    REJECTED = 1
    """A check said no: verify, catalog check and diff, inf lint, submission build, check and compare."""
    USAGE = 2
    """The call is wrong."""
    FAILED = 3
    """Something could not be done or decided."""
    INTERRUPTED = 130
    """Ended by SIGINT (Ctrl+C): 128 + 2, as shells have it."""
    TERMINATED = 143
    """Ended by SIGTERM: 128 + 15."""
