"""Expand PATH arguments: files, folders, patterns and lists of files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from signer.cli.text import text_of
from signer.errors import FileError, UsageError
from signer.limits import LIMITS, raising
from signer.storage.files import exists, read
from signer.storage.folders import walk
from signer.storage.streams import STANDARD


def expand(
    paths: Iterable[Path], handles: Callable[[Path], bool], what: str, *, missing_ok: bool = False
) -> list[Path]:
    """Return the files of PATH arguments, each once, in the order given; walk folders in sorted order.

    From a folder, only the files that `handles` accepts are returned. Raises FileError for a path
    that does not exist or can't be read (unless `missing_ok`: the caller then reports it without stopping the others),
    and UsageError for a folder without such files (`what` names them in the plural).
    """
    return list(expand_relative(paths, handles, what, missing_ok=missing_ok))


def expand_relative(
    paths: Iterable[Path], handles: Callable[[Path], bool], what: str, *, missing_ok: bool = False
) -> dict[Path, Path]:
    """Do the same; map each file to its path below the named folder, or a named file to its name."""
    found: dict[Path, Path] = {}
    seen: set[str] = set()  # two threads must not change one file that has two names
    real_folder = lru_cache(os.path.realpath)

    def add(file: Path, relative: Path) -> None:
        real = os.path.realpath(file) if file.is_symlink() else f"{real_folder(file.parent)}{os.sep}{file.name}"
        if real not in seen:
            seen.add(real)
            found[file] = relative

    def accepts(file: Path) -> bool:
        try:
            return handles(file)
        except FileError:  # a broken link must not stop the other files
            if missing_ok:
                return True
            raise

    for path in listed(paths):
        if not exists(path) and not missing_ok:
            raise FileError("file or folder not found", path=path, hint="Check the path.")
        if path == STANDARD or not path.is_dir():
            add(path, Path(path.name))
            continue
        inside = [file for file in walk(path) if accepts(file)]
        if not inside:
            raise UsageError(f"no {what} in this folder", path=path, hint="Name the files themselves.")
        for file in inside:
            add(file, file.relative_to(path))
    return found


def require_existing(paths: Iterable[Path]) -> None:
    """Raise FileError if one of the PATH arguments, or of the lists in them, does not exist; name all of these."""
    given = list(listed(paths))
    missing = [path for path in given if not exists(path)]
    if not missing:
        return
    others = " No file was changed; --keep-going processes the others." if len(missing) < len(given) else ""
    hint = f"Check the path.{others}"
    if len(missing) == 1:
        raise FileError("file or folder not found", path=missing[0], hint=hint)
    raise FileError(f"{len(missing)} paths were not found: {', '.join(map(str, missing))}", hint=hint)


def listed(paths: Iterable[Path]) -> Iterator[Path]:
    """Replace each `@list.txt` by the paths in it: one per line; `#` begins a comment line.

    A pattern such as `*.sys`, which not every shell expands, is replaced by its matches, if any.
    """
    for path in paths:
        if path == STANDARD:
            read(path)  # before processes are forked, which would each read a part
        if exists(path):
            yield path
            continue
        if not str(path).startswith("@"):
            yield from _matches(path) or [path]
            continue
        source = Path(str(path)[1:])
        named = [line for line in map(str.strip, _lines(source)) if line and not line.startswith("#")]
        if not named:
            raise UsageError("the list contains no paths", path=source, hint="Write one path per line.")
        if len(named) > (limit := LIMITS["list-paths"]):
            message = f"the list has {len(named):,} paths; the limit is {limit:,}"
            raise UsageError(message, path=source, hint=raising("list-paths"))
        yield from map(Path, named)


def _lines(source: Path) -> list[str]:
    """Read the lines of a list of paths. Raises FileError."""
    data = read(source)
    try:
        text = text_of(data)
    except UnicodeDecodeError as error:
        raise FileError(
            "the list of paths is neither UTF-8 nor UTF-16", path=source, offset=error.start, hint="Save it as UTF-8."
        ) from error
    if "\0" in text:
        raise FileError(
            "not a list of paths: the file contains zero bytes",
            path=source,
            offset=data.index(0),
            hint="Name a text file with one path per line.",
        )
    return text.splitlines()


def _matches(pattern: Path) -> list[Path]:
    """Return the sorted matches of a pattern with `*`, `?` or `[…]`; nothing for a plain path."""
    import glob

    name = str(pattern)
    if not glob.has_magic(name):
        return []
    return [Path(found) for found in sorted(glob.glob(name, recursive=True))]  # noqa: PTH207  (Path.glob wants a root)
