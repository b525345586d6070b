r"""The words of a call: response files (@FILE), wildcards, and paths that are written with backslashes."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Container, Iterable, Iterator
from itertools import islice
from pathlib import Path

from signer.errors import FileError, UsageError
from signer.storage.files import read

_MAX_DEPTH = 8
MAX_SIZE = 1 << 20
"""Maximum size of a response file in bytes."""
MAX_WORDS = 1 << 18
"""Maximum number of words of a call: response files can name others many times."""
_WORD = re.compile(r'(?:[^\s"]|"[^"]*(?:"|$))+')
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def expanded(words: Iterable[str], switches: Container[str]) -> list[str]:
    """Return the words, with those of response files in place of @FILE. Raises FileError, UsageError.

    A line of a response file that begins with a switch, in lower case in `switches`, has several words; another line is
    the name of one file, as in SignTool's lists of files, if it exists, else several words.
    """
    found = list(islice(_expanded(words, switches, ()), MAX_WORDS + 1))
    if len(found) > MAX_WORDS:
        raise UsageError(f"the response files have more than {MAX_WORDS:,} words", hint="Split the call.")
    return found


def files(operands: Iterable[str]) -> list[str]:
    """Return the files that operands name: of `*` and `?` all that match, as the tools do for Windows' shell."""
    found: list[str] = []
    for operand in map(local, operands):
        matches = _matches(Path(operand)) if re.search(r"[*?]", operand) and not _exists(operand) else []
        found += [str(path) for path in matches] or [operand]
    return found


def local(word: str) -> str:
    r"""Return a path in this system's form: `out\x.sys` as out/x.sys, unless a file has the backslashes in its name.

    `-` is a file of this name: the tools don't read the standard input or write to the standard output.
    """
    if word == "-":
        return str(Path(word).absolute())
    return word if os.sep == "\\" or "\\" not in word or _exists(word) else word.replace("\\", "/")


def _expanded(words: Iterable[str], switches: Container[str], within: tuple[Path, ...]) -> Iterator[str]:
    for word in words:
        path = Path(local(word[1:]))
        if word[:1] != "@" or len(word) == 1 or not _exists(str(path)):
            yield word
        elif len(within) == _MAX_DEPTH or path.resolve() in within:
            raise UsageError("response files name each other", path=path, hint="Remove the @name from the file.")
        else:
            yield from _expanded(_words_of(path, switches), switches, (*within, path.resolve()))


def _words_of(path: Path, switches: Container[str]) -> Iterator[str]:
    """Yield the words of a response file. Raises FileError for one that can't be read or is too long."""
    if not path.is_file():
        raise FileError("the response file is not a file", path=path, hint="Name a text file after the @.")
    if path.stat().st_size > MAX_SIZE:
        raise FileError(f"the response file is larger than {MAX_SIZE >> 20} MB", path=path, hint="Split it.")
    for line in _text(read(path)).splitlines():
        whole = line.strip().strip('"')
        if whole and not _is_switch(whole, switches) and _exists(local(whole)):
            yield whole
        else:
            yield from (word.replace('"', "") for word in _WORD.findall(line))


def _is_switch(line: str, switches: Container[str]) -> bool:
    return line[0] in "/-" and re.split(r"[\s:]", line[1:], maxsplit=1)[0].lower() in switches


def _text(data: bytes) -> str:
    """Decode a response file: UTF-8 or UTF-16 with its mark, else UTF-8, else the Western code page of Windows."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _matches(pattern: Path) -> list[Path]:
    """Return the files that a pattern in the last part of a path matches, by name, ignoring case."""
    wanted = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern.name)
    try:
        return sorted(path for path in pattern.parent.iterdir() if re.fullmatch(wanted, path.name, re.IGNORECASE))
    except OSError:
        return []


def _exists(path: str) -> bool:
    """Tell whether a path exists; False for a text that no path can have."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
