"""Diagnose files that don't match their catalog only because their newlines were changed.

A catalog covers every byte of an INF. Git converts CR LF to LF, or back, in files that it treats as text, and the
catalog no longer lists the file. (Half of the INFs in one well-known repository are affected.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import PurePath

from catalogs.inf.problems import PackageProblem
from signer.records import dataclass

_NAMES = {b"\r\n": "CR LF", b"\n": "LF"}
_EOL = {b"\r\n": "crlf", b"\n": "lf"}
_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


@dataclass(frozen=True, slots=True)
class ChangedNewlines:
    """A file that its catalog lists with other newlines."""

    expected: bytes
    """The newline of the catalogued file: CR LF or LF."""
    restored: bytes
    """The content of the catalogued file."""

    def problem(self, path: PurePath) -> PackageProblem:
        """Return the problem to report for the file at `path`."""
        expected = _NAMES[self.expected]
        pattern = f"*{path.suffix}" if path.suffix else path.name
        return PackageProblem(
            "line-ends",
            f"{path.name} does not match the catalog: only its newlines differ (the catalog was built with {expected})",
            path,
            None,
            f"In Git, add '{pattern} text eol={_EOL[self.expected]}' to .gitattributes, delete the file and check it "
            f"out again ('{pattern} -text' stops Git from converting newlines), or build the catalog again.",
        )


def diagnose(data: bytes, is_listed: Callable[[bytes], bool]) -> ChangedNewlines | None:
    """Find the newlines with which a catalog lists a file; None if there are none, or if it lists the file as it is.

    `is_listed` tells whether the catalog lists a SHA-1 or SHA-256 digest of a whole file.
    """
    if _listed(data, is_listed):
        return None
    variants = (variant for variant in _variants(data) if variant.restored != data)
    return next((variant for variant in variants if _listed(variant.restored, is_listed)), None)


def _listed(data: bytes, is_listed: Callable[[bytes], bool]) -> bool:
    return any(is_listed(hashlib.new(name, data).digest()) for name in ("sha256", "sha1"))


def _variants(data: bytes) -> Iterator[ChangedNewlines]:
    """Yield the file with uniform newlines: converted as bytes, like Git does, and for UTF-16 also as text."""
    line_feeds = data.replace(b"\r\n", b"\n")
    yield ChangedNewlines(b"\r\n", line_feeds.replace(b"\n", b"\r\n"))
    yield ChangedNewlines(b"\n", line_feeds)
    encoding = _BOMS.get(data[:2])
    if encoding is not None and len(data) % 2 == 0:
        text = data.decode(encoding, "surrogatepass").replace("\r\n", "\n")
        yield ChangedNewlines(b"\r\n", text.replace("\n", "\r\n").encode(encoding, "surrogatepass"))
        yield ChangedNewlines(b"\n", text.encode(encoding, "surrogatepass"))
