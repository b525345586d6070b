"""Decode the bytes of an INF, and encode the text to the same bytes.

Windows reads UTF-16 with a byte-order mark (BOM) and text in the system's ANSI code page; UTF-8 needs a BOM.
Sources: "General Syntax Rules for INF Files" (windows-driver-docs, install/general-syntax-rules-for-inf-files.md) and
IsTextUnicode for UTF-16 without a BOM.
"""

from __future__ import annotations

import codecs
from functools import lru_cache

from signer.errors import InfError
from signer.limits import LIMITS, raising
from signer.records import dataclass

DEFAULT_CODE_PAGE = "cp1252"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNICODE = tuple(name for _, name in _BOMS)
_DETECTION_SIZE = 1024
_MULTI_BYTE_PROBE = b"\x81\x41\xb0\xa1"
"""Four characters in a single-byte code page, fewer in the multi-byte code pages of East Asia."""


@dataclass(frozen=True)
class InfText:
    """The text of an INF and its encoding."""

    text: str
    """The text without the BOM, with its original newlines."""
    encoding: str
    """`utf-16-le`, `utf-16-be`, `utf-8`, or an ANSI code page such as `cp1252`."""
    bom: bytes = b""
    """The BOM at the start of the file, or no bytes."""

    def to_bytes(self) -> bytes:
        """Return the original bytes."""
        if self.encoding in _UNICODE:
            return self.bom + self.text.encode(self.encoding, "surrogatepass")
        return codecs.charmap_encode(self.text, "strict", codecs.charmap_build(_table(self.encoding)))[0]

    @property
    def newlines(self) -> str:
        """Newline style: `crlf`, `lf`, `mixed`, or `none` for a single line."""
        line_feeds = self.text.count("\n")
        both = self.text.count("\r\n")
        if not line_feeds:
            return "none"
        return "crlf" if both == line_feeds else "lf" if not both else "mixed"


def decode(data: bytes, code_page: str = DEFAULT_CODE_PAGE) -> InfText:
    """Decode an INF. Like Windows, decode text without a BOM in `code_page`, unless it is UTF-16.

    Raises InfError if the data is too large, truncated, contains NUL characters, or is invalid in the encoding of its
    BOM.
    """
    if len(data) > (limit := LIMITS["inf-size"]):
        raise InfError(
            f"the file has {len(data):,} bytes; an INF has at most {limit:,}",
            hint=f"Check the path: the file is probably not an INF. {raising('inf-size')}.",
        )
    bom, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", ""))
    encoding = encoding or _detect_utf16(data) or code_page
    text = _decode(data[len(bom) :], encoding, len(bom))
    nul = text.find("\0")
    if nul >= 0:
        raise InfError(
            "not an INF: the text contains a NUL character",
            line=text.count("\n", 0, nul) + 1,
            hint="Check the path: the file is probably not an INF. "
            "If it is one, save it as UTF-16 with a byte-order mark, or as ANSI text.",
        )
    return InfText(text, encoding, bom)


def _detect_utf16(data: bytes) -> str | None:
    """Detect the byte order of UTF-16 without a BOM from the positions of zero bytes; None if it is not UTF-16."""
    head = data[: _DETECTION_SIZE & ~1]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = len(head) // 2 * 0.6
    if odd > most and not even:
        return "utf-16-le"
    return "utf-16-be" if even > most and not odd else None


def _decode(data: bytes, encoding: str, skipped: int) -> str:
    """Decode `data`, which starts at offset `skipped` of the file. Raises InfError."""
    if encoding not in _UNICODE:
        return codecs.charmap_decode(data, "strict", _table(encoding))[0]
    if encoding.startswith("utf-16") and len(data) % 2:
        raise InfError(
            "the UTF-16 text is truncated: its last character is incomplete",
            offset=skipped + len(data) - 1,
            hint="Copy the file again: it was truncated or damaged in transfer.",
        )
    try:
        # Windows accepts unpaired surrogates; "surrogatepass" preserves them when the text is encoded again.
        return data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError as error:
        raise InfError(
            f"the text is not valid {encoding.upper()}, although it starts with a {encoding.upper()} byte-order mark",
            offset=skipped + error.start,
            hint="Save the file as UTF-16 with a byte-order mark.",
        ) from error


@lru_cache(maxsize=8)
def _table(code_page: str) -> str:
    """Return a distinct character for each of the 256 bytes; like Windows, undefined bytes map to the same code point.

    Raises InfError for an unknown code page and for a multi-byte code page.
    """
    try:
        table = [bytes([value]).decode(code_page, "replace") for value in range(256)]
    except LookupError as error:
        raise InfError(f"unknown code page {code_page!r}", field="code_page") from error
    table = [chr(value) if char == "\N{REPLACEMENT CHARACTER}" else char for value, char in enumerate(table)]
    if len(set("".join(table))) != 256 or len(_MULTI_BYTE_PROBE.decode(code_page, "replace")) != len(_MULTI_BYTE_PROBE):
        raise InfError(
            f"{code_page} is not a single-byte code page",
            field="code_page",
            hint="Save the file as UTF-16 with a byte-order mark.",
        )
    return "".join(table)
