"""Limits on input that the user can raise for files that they trust.

Each bounds the time or the memory that one hostile file takes, and real files are far below it. The command line reads
other numbers from the environment variable `DRVSIGN_LIMITS`, such as `inf-entries=200000 log-work=off`. Limits that no
real file needs to exceed are constants of their modules; docs/security.md lists both kinds.
"""

from __future__ import annotations

import re
import sys

from signer.errors import UsageError
from signer.numbers import decimal

VARIABLE = "DRVSIGN_LIMITS"
OFF = sys.maxsize
"""The number of a limit that is switched off."""

LIMITS: dict[str, int] = {
    "archive-files": 2_000,  # of an archive with fewer than 2,500 bytes a file
    "cabinet-size": 64 << 20,  # bytes of all files, for an archive that decompresses to more than 16 times its size
    "catalog-entries": 200_000,
    "certificates": 1000,  # of one file
    "cdf-lines": 30_000,
    "ddf-lines": 100_000,
    "inf-copies": 50_000,  # files copied on one architecture
    "inf-entries": 80_000,
    "inf-line": 1 << 20,  # characters
    "inf-problems": 1000,  # of one check
    "inf-sections": 20_000,
    "inf-size": 16 << 20,  # bytes
    "inf-text": 32 << 20,  # characters that its strings insert
    "inf-tokens": 500_000,  # of an entry with its continuation lines
    "inventory-entries": 12_000,  # of one inventory of drivers
    "key-iterations": 2_500_000,  # of all encrypted parts of a key file, about a second
    "list-paths": 100_000,  # of one @list.txt
    "log-files": 5_000,  # that one explanation covers
    "log-work": 220_000,  # units: see `signer.explain.budget`
    "policy-elements": 250_000,  # of an App Control policy in XML
    "policy-size": 4 << 20,  # bytes of an App Control policy in binary form
    "szdd-size": 8 << 20,  # bytes after decompression
}
"""The limits by name, with the numbers of this process."""


def raise_limits(text: str) -> None:
    """Set limits from `NAME=NUMBER` or `NAME=off`, separated by spaces or commas. Raises UsageError."""
    for word in re.split(r"[\s,]+", text.strip()) if text.strip() else ():
        name, equals, value = word.partition("=")
        number = OFF if value == "off" else decimal(value)
        if name not in LIMITS or not equals or number is None:
            names = ", ".join(LIMITS)
            raise UsageError(f"{VARIABLE}: {word!r} is not a limit", hint=f"Use NAME=NUMBER or NAME=off: {names}.")
        LIMITS[name] = min(number, OFF)


def raising(name: str) -> str:
    """Return the hint of an error that reports a limit."""
    return f"If you trust the file, run the command with the environment variable {VARIABLE}={name}=off"
