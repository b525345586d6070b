"""Write a JSON document in pieces: an array that is given as an iterator is written item by item, never as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def json_pieces(document: Mapping[str, Any], indent: int | None = None) -> Iterator[str]:
    """Yield the text of `json.dumps(document, indent=indent)`; values of the document may be iterators."""
    start, end, between = _layout(indent)
    if not document:
        yield "{}"
        return
    for number, (name, value) in enumerate(document.items()):
        yield f"{between if number else '{' + start}{json_text(name)}: "
        if isinstance(value, Iterator):
            yield from _array(value, indent)
        else:
            yield _nested(value, indent, 1)
    yield f"{end}}}"


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON in ASCII. `##`, which begins commands to CI services (see `escape`), is escaped.

    It can only be in a string.
    """
    return json.dumps(value, indent=indent).replace("##", "#\\u0023")


def _array(items: Iterator[Any], indent: int | None) -> Iterator[str]:
    start, end, between = _layout(indent, 2)
    is_empty = True
    for item in items:
        yield f"{'[' + start if is_empty else between}{_nested(item, indent, 2)}"
        is_empty = False
    yield "[]" if is_empty else f"{end}]"


def _layout(indent: int | None, depth: int = 1) -> tuple[str, str, str]:
    """Return what stands before the first member, after the last, and between two."""
    if indent is None:
        return "", "", ", "
    inner, outer = "\n" + " " * indent * depth, "\n" + " " * indent * (depth - 1)
    return inner, outer, f",{inner}"


def _nested(value: Any, indent: int | None, depth: int) -> str:
    """Return a value as JSON that begins `depth` levels inside the document. No line break is in a JSON string."""
    text = json_text(value, indent)
    return text if indent is None else text.replace("\n", "\n" + " " * indent * depth)
