"""The line-end doctor: files that fail against their catalog only because their line ends were changed.

A catalog vouches for every byte of an INF. Git turns CR LF into LF, or back, when it is told to treat a file as text,
and then no file is wrong but the catalog matches none. (Half of the INFs in one well-known repository are like that.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from catalogs.inf.problems import Problem

_NAMES = {b"\r\n": "CR LF", b"\n": "LF"}
_EOL = {b"\r\n": "crlf", b"\n": "lf"}
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


@dataclass(frozen=True, slots=True)
class LineEndFault:
    """A file that its catalog would list with other line ends."""

    wanted: bytes
    """The line end that the catalog's file has: CR LF or LF."""
    repaired: bytes
    """The file as the catalog lists it."""

    def problem(self, path: PurePath) -> Problem:
        """The fault in words, with what to do about it."""
        wanted = _NAMES[self.wanted]
        pattern = f"*{path.suffix}" if path.suffix else path.name
        return Problem(
            "line-ends",
            f"{path.name} fails against the catalog only because of its line ends: the catalog was made when they were "
            f"{wanted}",
            path,
            None,
            f"In Git, put '{pattern} text eol={_EOL[self.wanted]}' into .gitattributes, delete the file and check it "
            f"out again; '{pattern} -text' keeps Git from ever changing it. Or make the catalog anew.",
        )


def diagnose(data: bytes, is_listed: Callable[[bytes], bool]) -> LineEndFault | None:
    """What other line ends make a file one that the catalog lists; None where none do, or where it is listed as it is.

    `is_listed` is asked for SHA-1 and SHA-256 digests of the whole file.
    """
    if _listed(data, is_listed):
        return None
    variants = (fault for fault in _variants(data) if fault.repaired != data)
    return next((fault for fault in variants if _listed(fault.repaired, is_listed)), None)


def _listed(data: bytes, is_listed: Callable[[bytes], bool]) -> bool:
    return any(is_listed(hashlib.new(name, data).digest()) for name in ("sha256", "sha1"))


def _variants(data: bytes) -> Iterator[LineEndFault]:
    """The file with all line ends the same: byte by byte, as Git does it, and for UTF-16 also in its characters."""
    line_feeds = data.replace(b"\r\n", b"\n")
    yield LineEndFault(b"\r\n", line_feeds.replace(b"\n", b"\r\n"))
    yield LineEndFault(b"\n", line_feeds)
    encoding = _MARKS.get(data[:2])
    if encoding is not None and len(data) % 2 == 0:
        text = data.decode(encoding, "surrogatepass").replace("\r\n", "\n")
        yield LineEndFault(b"\r\n", text.replace("\n", "\r\n").encode(encoding, "surrogatepass"))
        yield LineEndFault(b"\n", text.encode(encoding, "surrogatepass"))
