"""Write JSON documents that end with a long list of entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from signer.reports.json_pieces import json_text


def long_document(head: dict[str, Any], name: str, entries: Iterable[str], indent: int | None) -> Iterator[str]:
    """Yield the parts of `head` with the list `name` of entries at its end, and a line feed.

    The entries are JSON text with the same `indent`, 2 or None: other processes may serialize them.
    """
    before, _, after = json_text({**head, name: []}, indent).rpartition("[]")
    yield f"{before}["
    number = -1
    for number, entry in enumerate(entries):
        if indent is None:
            yield f", {entry}" if number else entry
        else:
            yield ("," if number else "") + f"\n{entry}".replace("\n", "\n    ")
    yield f"\n  ]{after}\n" if indent is not None and number >= 0 else f"]{after}\n"
