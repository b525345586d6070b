"""The bytes of an INF as text, and back again without a byte changed.

Windows reads UTF-16 with a byte-order mark and text in the system's ANSI code page; UTF-8 it reads only behind a mark.
Sources: "General Syntax Rules for INF Files" (windows-driver-docs, install/general-syntax-rules-for-inf-files.md) and
IsTextUnicode for UTF-16 without a mark.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from signer.errors import InfError

DEFAULT_CODE_PAGE = "cp1252"
LARGEST = 16 * 1024 * 1024
"""No INF comes near it: more bytes are refused instead of read."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNICODE = tuple(name for _, name in _MARKS)
_LOOK_AT = 1024
_TWO_BYTES = b"\x81\x41\xb0\xa1"
"""One or two characters in the code pages of East Asia, four in all others."""


@dataclass(frozen=True)
class InfText:
    """What an INF says, and how its bytes said it."""

    text: str
    """The text without the byte-order mark, with its line ends as they are."""
    encoding: str
    """`utf-16-le`, `utf-16-be`, `utf-8`, or an ANSI code page such as `cp1252`."""
    mark: bytes = b""
    """The byte-order mark that the file begins with, or nothing."""

    def to_bytes(self) -> bytes:
        """The bytes that were decoded."""
        if self.encoding in _UNICODE:
            return self.mark + self.text.encode(self.encoding, "surrogatepass")
        return codecs.charmap_encode(self.text, "strict", codecs.charmap_build(_table(self.encoding)))[0]

    @property
    def line_ends(self) -> str:
        """`crlf`, `lf`, `mixed`, or `none` for a text of one line."""
        line_feeds = self.text.count("\n")
        both = self.text.count("\r\n")
        if not line_feeds:
            return "none"
        return "crlf" if both == line_feeds else "lf" if not both else "mixed"


def decode(data: bytes, code_page: str = DEFAULT_CODE_PAGE) -> InfText:
    """The text of an INF; one without a mark is read in `code_page`, as Windows does, unless it is UTF-16.

    Raises InfError for bytes that no INF consists of: too many, cut short, with NUL characters, or not valid in the
    encoding that their mark announces.
    """
    if len(data) > LARGEST:
        raise InfError(
            f"the INF has {len(data):,} bytes, and more than {LARGEST:,} are not read as one",
            hint="Name the right file.",
        )
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", ""))
    encoding = encoding or _without_mark(data) or code_page
    text = _decoded(data[len(mark) :], encoding, len(mark))
    nul = text.find("\0")
    if nul >= 0:
        raise InfError(
            "there is a NUL character, so this is not the text of an INF",
            line=text.count("\n", 0, nul) + 1,
            hint="Save the file as UTF-16 with a byte-order mark, or as ANSI text.",
        )
    return InfText(text, encoding, mark)


def _without_mark(data: bytes) -> str | None:
    """The byte order of UTF-16 without a mark, told by where the zero bytes are; None for anything else."""
    head = data[: _LOOK_AT & ~1]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = len(head) // 2 * 0.6
    if odd > most and not even:
        return "utf-16-le"
    return "utf-16-be" if even > most and not odd else None


def _decoded(data: bytes, encoding: str, skipped: int) -> str:
    """`data` in an encoding; `skipped` bytes of the file stand before it. Raises InfError."""
    if encoding not in _UNICODE:
        return codecs.charmap_decode(data, "strict", _table(encoding))[0]
    if encoding.startswith("utf-16") and len(data) % 2:
        raise InfError(
            "the UTF-16 text is cut off in the middle of a character",
            offset=skipped + len(data) - 1,
            hint="The file was truncated or damaged in transfer: take a fresh copy.",
        )
    try:
        # Unpaired surrogates are no text, but Windows doesn't mind them and they survive the way back.
        return data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError as error:
        raise InfError(
            f"the text is not valid {encoding.upper()}, which its byte-order mark says it is",
            offset=skipped + error.start,
            hint="Save the file as UTF-16 with a byte-order mark.",
        ) from error


def _table(code_page: str) -> str:
    """A character for each of the 256 bytes, no two the same: undefined bytes stand for themselves, as in Windows.

    Raises InfError for an unknown code page and for one whose characters take more than one byte.
    """
    try:
        table = [bytes([value]).decode(code_page, "replace") for value in range(256)]
    except LookupError as error:
        raise InfError(f"there is no code page called {code_page!r}", field="code_page") from error
    table = [chr(value) if char == "\N{REPLACEMENT CHARACTER}" else char for value, char in enumerate(table)]
    if len(set("".join(table))) != 256 or len(_TWO_BYTES.decode(code_page, "replace")) != len(_TWO_BYTES):
        raise InfError(
            f"{code_page} is no code page of single bytes",
            field="code_page",
            hint="Save the file as UTF-16 with a byte-order mark.",
        )
    return "".join(table)
