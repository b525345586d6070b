"""Decode text files that users give: lists of paths, passwords."""

from __future__ import annotations

import codecs


def text_of(data: bytes) -> str:
    """Decode UTF-8, or UTF-16 as Windows PowerShell's `>` writes it.

    Raises UnicodeDecodeError.
    """
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if utf16 else "utf-8-sig")
