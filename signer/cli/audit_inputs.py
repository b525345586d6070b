"""Add to an audit what has no driver files: logs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.output import Output
from signer.cli.paths import expand
from signer.storage.files import chunks_of, convert_os_errors

if TYPE_CHECKING:
    from signer.audit.ledger import Ledger


def add_logs(output: Output, paths: Sequence[Path], machines: Collection[str], ledger: Ledger) -> None:
    """Add what logs say. A folder is searched for logs. Raises FileError for a file that is not a log."""
    from signer.audit.logs import log_sightings
    from signer.explain.context import Context
    from signer.explain.readers.table import is_log

    context = Context()
    for path in expand(paths, is_log, "logs"):
        with convert_os_errors(path, "read the file"):
            size = path.stat().st_size
        pieces = output.pieces(chunks_of(path), size, f"reading {path.name}")
        found = list(log_sightings(path, pieces, machines, context))
        ledger.add(found)
        if not found:
            output.warn(f"{path}: no event 3076 or 3077 about a driver")
    for problem, count in context.damages.items():
        output.warn(f"{problem} ({count} times)" if count > 1 else problem)
