"""Map a file for reading, replace a file atomically: with `signer.storage.transaction` what writes to disks.

Library code below the command line takes buffers; paths start and end here.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import shutil
import stat
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from signer.errors import FileError

MMAP_THRESHOLD = 1 << 20
"""Bytes from which on a file is mapped and not read."""
_READING_MASK = threading.Lock()
NAME_PART = 48  # of a file's name in that of a temporary one, which may be no longer than any name

_HINTS = {
    errno.ENOENT: "Check the path.",
    errno.EACCES: "Check the permissions of the file and of its folder.",
    errno.EPERM: "Check the permissions of the file and of its folder.",
    errno.EROFS: "The folder is read-only: write elsewhere with --output.",
    errno.ENOSPC: "The disk is full: free some space; nothing was changed.",
    errno.EDQUOT: "The disk quota is used up; nothing was changed.",
    errno.EFBIG: "The file would be larger than the system allows; nothing was changed.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.ENOTDIR: "A file stands where a folder would have to be: choose another place.",
    errno.EEXIST: "Something else is there already: choose another place.",
    errno.ELOOP: "Symbolic links lead in a circle there: name the file itself.",
    errno.ENAMETOOLONG: "Choose a shorter name, or a folder that is not so deep.",
}


def file_error(error: OSError, path: Path, doing: str) -> FileError:
    """An OSError as a FileError with a hint; `doing` completes "could not ..."."""
    reason = (error.strerror or str(error)).lower()
    return FileError(f"could not {doing}: {reason}", path=path, hint=hint_for(error))


def hint_for(error: OSError) -> str | None:
    """What to do about an OSError, where that can be said."""
    return _HINTS.get(error.errno or 0)


@contextlib.contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """The bytes of a file, mapped and not copied; a small one is read, which takes less time than mapping it.

    The view is only valid inside the block. Raises FileError.
    """
    require_data(path)
    source: mmap.mmap | None = None
    data = b""
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size >= MMAP_THRESHOLD:
                source = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            elif size:
                data = file.read()
    except OSError as error:
        raise file_error(error, path, "read the file") from error
    view = memoryview(data if source is None else source)
    try:
        yield view
    except BaseException as error:
        _forget_locals(error)
        raise
    finally:
        # Windows refuses to replace a mapped file; a view handed out by mistake keeps it mapped until it goes.
        with contextlib.suppress(BufferError):
            view.release()
            if source is not None:
                source.close()


def _forget_locals(error: BaseException | None) -> None:
    """Have an error's traceback keep no view: it lives as long as the error, and the file would stay mapped."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def require_data(path: Path) -> None:
    """Raise FileError for a pipe, a socket or a device: reading one could last for ever. Other paths are left be."""
    if is_special(path):
        raise FileError("this is a pipe or a device, not a file", path=path, hint="Name a file.")


def as_word(path: Path) -> str:
    """A path as one word of a command that is suggested, in quotes where a shell would make several of it."""
    if os.name == "nt":
        from subprocess import list2cmdline

        return list2cmdline([str(path)])
    from shlex import quote

    return quote(str(path))


def is_special(path: Path) -> bool:
    """Whether a path is a pipe, a socket or a device; not where it can't be told."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def read(path: Path) -> bytes:
    """All bytes of a file. For small files; images are `mapped`. Raises FileError."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read()
    except OSError as error:
        raise file_error(error, path, "read the file") from error


def write_atomically(path: Path, data: bytes, *, mode: int | None = None, flushed: bool = False) -> None:
    """Make `path` hold `data`, or leave it as it was. `mode` sets the permissions of a new file. Raises FileError.

    With `flushed` the disk has a new file, too, before it has its name.
    """
    with replacing(path, mode, flushed=flushed) as file, named_after(path):
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]


def ensure_folder(folder: Path) -> None:
    """Make a folder, with those above it, unless it is there. Raises FileError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error(error, folder, "make the folder") from error


@contextlib.contextmanager
def replacing(path: Path, mode: int | None = None, *, flushed: bool = False) -> Iterator[FileIO]:
    """A temporary file beside `path`, open for writing, that takes its place when the block ends well.

    It has the permissions `mode`, or those of the file that stands there. A symbolic link stays one: what it points to
    is replaced. Raises FileError.
    """
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    with named_after(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:NAME_PART]}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    staged = Path(name)
    try:
        with staged.open("r+b", buffering=0) as file:  # or closing it would fail on a full disk, and say so instead
            yield file
            with named_after(path):
                there = _status(path)
                # What takes another file's place has to be on the disk first: both could be lost with the power.
                if flushed or there is not None:
                    os.fsync(file.fileno())
        with named_after(path):
            staged.chmod(mode if mode is not None else _mode(there))
            staged.replace(path)
    except BaseException:
        _discard(staged)
        raise


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder for the length of the block. Raises FileError."""
    try:
        name = tempfile.mkdtemp(prefix="drvsign.")
    except OSError as error:
        raise file_error(error, Path(tempfile.gettempdir()), "make a temporary folder") from error
    try:
        yield Path(name)
    finally:
        shutil.rmtree(name, ignore_errors=True)


def create_folder(folder: Path, contents: Mapping[str, tuple[bytes, int | None]]) -> None:
    """Make `folder` with files in it (name to bytes and permissions), all at once or not at all.

    Raises FileError, also when there is such a folder by then with something in it.
    """
    with named_after(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
        try:
            for name, (data, mode) in contents.items():
                (staged / name).touch(0o666 if mode is None else mode)
                (staged / name).write_bytes(data)
                flush(staged / name)
            staged.chmod(mode_for(folder, new=0o777))
            if sys.platform == "win32" and folder.is_dir():
                folder.rmdir()  # an empty one; Windows renames to no name that is taken
            staged.rename(folder)
        finally:
            shutil.rmtree(staged, ignore_errors=True)


@contextlib.contextmanager
def named_after(target: Path, doing: str = "write the file") -> Iterator[None]:
    """An OSError inside the block becomes a FileError about `target`, not about a temporary file."""
    try:
        yield
    except OSError as error:
        raise file_error(error, target, doing) from error


def opened_new(path: Path) -> BinaryIO:
    """A new or empty file for writing. Not as by "wb": what was truncated is sent to the disk when it is closed."""
    path.touch()
    return path.open("r+b")


def _discard(staged: Path) -> None:
    """Remove a temporary file that is still there. Windows wants it writable for that."""
    with contextlib.suppress(OSError):
        if staged.exists():
            staged.chmod(0o600)
            staged.unlink()


def flush(path: Path) -> None:
    """Have the disk hold what was written."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Have the disk hold the names in a folder, where the system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def mode_for(path: Path, new: int = 0o666) -> int:
    """The permissions that an ordinary new file at `path` would have, or those of the file that stands there."""
    return _mode(_status(path), new)


def _mode(there: os.stat_result | None, new: int = 0o666) -> int:
    return there.st_mode & 0o7777 if there is not None else new & ~_umask()


def _status(path: Path) -> os.stat_result | None:
    """The status of a file; None where there is none."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _umask() -> int:
    """The process's mask. It can only be read by changing it, which another thread must not see."""
    with _READING_MASK:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask
