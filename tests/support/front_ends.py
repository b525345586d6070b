"""Call Microsoft's command lines in this process."""

from __future__ import annotations

from signer.cli.front_ends.tools import run_tool

PASSWORD = "drvsign"
"""That of the PFX of the test certificates."""


def tool(*words: object) -> int:
    """Run a tool and return its exit code."""
    return run_tool([str(word) for word in words])
