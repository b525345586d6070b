"""Write JSON documents that end with a long list of entries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def long_document(head: dict[str, Any], name: str, entries: Iterable[str], indent: int | None) -> str:
    """Return `head` with the list `name` of entries at its end, and a line feed.

    The entries are JSON text with the same `indent`, 2 or None: other processes may serialize them.
    """
    before, _, after = json.dumps({**head, name: []}, indent=indent).rpartition("[]")
    if indent is None:
        written = ", ".join(entries)
    else:
        written = ",".join(f"\n{entry}".replace("\n", "\n    ") for entry in entries)
        written += "\n  " if written else ""
    return f"{before}[{written}]{after}\n"
