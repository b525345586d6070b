"""The exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes for scripts."""

    DONE = 0
    """Done, or accepted."""
    REJECTED = 1
    """A check failed: verify, catalog check and diff, inf lint, submission build, check and compare, doctor."""
    USAGE = 2
    """The command line is wrong."""
    FAILED = 3
    """The command failed, or a verdict is unknown."""
    INTERRUPTED = 130
    """Ended by SIGINT (Ctrl+C): 128 + 2, as in shells."""
    TERMINATED = 143
    """Ended by SIGTERM: 128 + 15."""
