"""The exit codes of every command."""

from __future__ import annotations

from enum import IntEnum

from signer.errors import Interrupted, SignerError, UsageError, VerificationError


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


def code_of(error: SignerError) -> ExitCode:
    """Return the exit code of an error."""
    if isinstance(error, UsageError):
        return ExitCode.USAGE
    if isinstance(error, Interrupted):
        return ExitCode.INTERRUPTED
    return ExitCode.REJECTED if isinstance(error, VerificationError) else ExitCode.FAILED
