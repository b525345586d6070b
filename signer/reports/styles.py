"""Terminal styles of outcomes."""

from __future__ import annotations

STYLES = {
    "accepted": "bold green",
    "rejected": "bold red",
    "unknown": "bold yellow",
    "not-applicable": "dim",
    "error": "bold red",
    "failed": "bold red",
    "warning": "yellow",
    "intact": "green",
    "broken": "bold red",
    "undecided": "bold yellow",
    "signed": "green",
    "built": "green",
    "stripped": "green",
    "extracted": "green",
    "attached": "green",
    "timestamped": "green",
    "skipped": "dim",
    "valid": "green",
    "expiring": "yellow",
    "expired": "bold red",
    "revoked": "bold red",
    "not yet valid": "bold red",
}
"""Style of each word, if it is the whole text of a cell."""
