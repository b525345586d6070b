"""Write an INF as HTML with the problems under their lines, for `infverif /l`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from signer.errors import FileError, InfError
from signer.storage.files import read

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem

_STYLE = "body{font-family:monospace;white-space:pre}.error{color:#a00}.warning{color:#850}"


def annotated(path: Path, problems: Sequence[PackageProblem]) -> str:
    """Return the HTML page of an INF; problems without a line are at its top.

    An unreadable file has only problems.
    """
    from catalogs.inf.text import decode

    try:
        lines = [line.rstrip("\r") for line in decode(read(path)).text.split("\n")]
    except (FileError, InfError):
        lines = []
    by_line: dict[int, list[str]] = defaultdict(list)
    for one in problems:
        text = escape(f"{str(one.severity).upper()}({one.code}): {one.message}")
        by_line[one.line or 0].append(f'<span class="{one.severity}">{text}</span>')
    body = [*by_line[0]]
    for number, line in enumerate(lines, 1):
        body += [f"{number:>5} {escape(line)}", *by_line[number]]
    head = f'<meta charset="utf-8"><title>{escape(path.name)}</title><style>{_STYLE}</style>'
    return f"<!doctype html><html><head>{head}</head><body>" + "\n".join(body) + "</body></html>\n"
