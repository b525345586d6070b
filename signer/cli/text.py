"""Text files that a person or a shell wrote: lists of paths, passwords."""

from __future__ import annotations

import codecs


def text_of(data: bytes) -> str:
    """The text of a file that a person or a shell wrote: UTF-8, or UTF-16 as Windows PowerShell's `>` writes it.

    Raises UnicodeDecodeError.
    """
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if utf16 else "utf-8-sig")
