"""Map files for reading and replace files atomically.

`signer.storage` is the only package that writes files. Library code below the command line takes buffers, not paths.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import mmap
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from signer.errors import FileError
from signer.storage import leftovers, streams
from signer.storage.flushing import Flushes, flush
from signer.storage.names import require_name
from signer.storage.permissions import mode_for, mode_of, status

MMAP_THRESHOLD = 1 << 20
"""Size in bytes from which a file is mapped instead of read."""
_WRITTEN_TOGETHER = 1 << 18
"""Number of bytes of small pieces that are written together."""

_unfinished: set[Path] = set()
"""Temporary files that threads are writing. The process may end while a thread waits for a server."""

_HINTS = {
    errno.ENOENT: "Check the path.",
    errno.EACCES: "Check the permissions of the file and of its folder.",
    errno.EPERM: "Check the permissions of the file and of its folder.",
    errno.EBADF: "The standard input is closed: redirect a file to it, or name the file.",
    errno.EROFS: "The file system is read-only: choose another folder for the result.",
    errno.ENOSPC: "The disk is full: free some space and run the command again. This path is unchanged.",
    errno.EDQUOT: "The disk quota is used up: free some space and run the command again. This path is unchanged.",
    errno.EFBIG: "The file would exceed the size limit of the system. This path is unchanged.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.ENOTDIR: "A part of the path is a file, not a folder: choose another path.",
    errno.EEXIST: "The path already exists: choose another path.",
    errno.ELOOP: "The symbolic links form a loop: name the file itself.",
    errno.ENAMETOOLONG: "Choose a shorter file name or a folder with a shorter path.",
}


def file_error(error: OSError, path: Path, action: str) -> FileError:
    """Convert an OSError to a FileError with a hint. `action` completes the sentence "could not ..."."""
    reason = (error.strerror or str(error)).lower()
    return FileError(f"could not {action}: {reason}", path=path, hint=hint_for(error))


def hint_for(error: OSError) -> str | None:
    """Return the hint for an OSError, or None for an error number without one."""
    return _HINTS.get(error.errno or 0)


@contextlib.contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """Provide the bytes of a file as a read-only view: mapped, or read if the file is below `MMAP_THRESHOLD`.

    The view is valid only inside the block. Raises FileError.
    """
    require_data(path)
    source: mmap.mmap | None = None
    data = b""
    try:
        if path == streams.STANDARD:
            data = streams.standard_input()
        else:
            with FileIO(path) as file:  # a catalog of many small files opens each
                size = os.fstat(file.fileno()).st_size
                if size >= MMAP_THRESHOLD:
                    source = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                elif size:
                    data = file.read(size)
    except OSError as error:
        raise file_error(error, path, "read the file") from error
    view = memoryview(data if source is None else source)
    try:
        yield view
    except BaseException as error:
        _forget_locals(error)
        raise
    finally:
        # Windows refuses to replace a mapped file. A view that a caller kept by mistake keeps the file mapped.
        with contextlib.suppress(BufferError):
            view.release()
            if source is not None:
                source.close()


def _forget_locals(error: BaseException | None) -> None:
    """Clear the frames of an error's traceback: a view in a local variable would keep the file mapped."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def require_data(path: Path) -> None:
    """Raise FileError for a pipe, a socket or a device, because reading one may never end, and for an invalid path."""
    require_name(path)
    if streams.is_special(path):
        raise FileError(
            "the path is a pipe, a socket or a device, not a file",
            path=path,
            hint="Name a file, or - for the standard input.",
        )


def shell_quote(path: Path) -> str:
    """Return a path as one argument of a command line that a hint suggests, quoted for the shell if necessary."""
    if os.name == "nt":
        from subprocess import list2cmdline

        return list2cmdline([str(path)])
    from shlex import quote

    return quote(str(path))


def exists(path: Path) -> bool:
    """Tell whether there is a file or a folder at a path; the standard input is always there."""
    return path == streams.STANDARD or path.exists()


def read(path: Path) -> bytes:
    """Read all bytes of a file. Use `mapped` for images. Raises FileError."""
    require_data(path)
    return read_stream(path)


def read_stream(path: Path) -> bytes:
    """Read all bytes of a file or a pipe, such as a shell gives for a password. Raises FileError."""
    try:
        if path == streams.STANDARD:
            return streams.standard_input()
        with path.open("rb", buffering=0) as file:
            return file.read()
    except OSError as error:
        raise file_error(error, path, "read the file") from error


def chunks_of(path: Path, size: int = 1 << 18) -> Iterator[bytes]:
    """Yield the bytes of a file in pieces of `size`, for files of any size. Raises FileError."""
    require_data(path)
    if path == streams.STANDARD:
        yield read(path)
        return
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(size):
                yield chunk
    except OSError as error:
        raise file_error(error, path, "read the file") from error


def write_atomically(path: Path, data: bytes, *, mode: int | None = None, flushed: bool = False) -> None:
    """Write `data` to `path` completely, or leave the file unchanged. Raises FileError.

    `mode` sets the permissions. With `flushed`, a new file is synced to disk before it gets its name, as a file that
    replaces another one always is.
    """
    with atomic_writer(path, mode, flushed=flushed) as file, convert_os_errors(path):
        _write_all(file, data)


def write_pieces(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write pieces of any size to `path` as they come, or leave the file unchanged. Raises FileError."""
    waiting = bytearray()
    with atomic_writer(path) as file:
        for piece in pieces:
            if len(waiting) + len(piece) >= _WRITTEN_TOGETHER:
                with convert_os_errors(path):
                    _write_all(file, waiting)
                    _write_all(file, piece)
                waiting = bytearray()
            else:
                waiting += piece
        with convert_os_errors(path):
            _write_all(file, waiting)


def _write_all(file: FileIO, data: bytes | bytearray | memoryview) -> None:
    remaining = memoryview(data)
    while remaining:
        remaining = remaining[file.write(remaining) :]


def ensure_folder(folder: Path) -> None:
    """Create a folder and its parents unless it exists. Raises FileError."""
    require_name(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error(error, folder, "create the folder") from error


def remove(path: Path) -> None:
    """Delete a file if it exists. Raises FileError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise file_error(error, path, "delete the file") from error


class Replacement:
    """A temporary file that replaces `path` when it is complete.

    The file gets the permissions `mode`, or those of the file that it replaces. If `path` is a symbolic link, the link
    is kept and its target is replaced. Call `close` in any case: it deletes the file unless it has replaced `path`. All
    methods raise FileError.
    """

    def __init__(self, path: Path, mode: int | None = None, *, flushed: bool = False) -> None:
        with convert_os_errors(path):
            self._path = Path(os.path.realpath(path)) if path.is_symlink() else path
            self._staged, self._lock = leftovers.create(self._path)
        _unfinished.add(self._staged)
        self._mode, self._flushed = mode, flushed
        self._flush: Callable[[], None] | None = None
        try:
            with convert_os_errors(path):
                # Unbuffered: closing a buffered file on a full disk raises again and hides the first error.
                self.file = self._staged.open("r+b", buffering=0)
        except BaseException:
            self._delete()
            raise

    def write(self, data: bytes) -> None:
        """Write `data` to the file."""
        with convert_os_errors(self._path):
            _write_all(self.file, data)

    def flush_with(self, others: Flushes) -> None:
        """Sync the file together with others, if `replace` will sync it. Nothing may be written afterwards."""
        with convert_os_errors(self._path):
            if self._flushed or status(self._path) is not None:
                self._flush = others.add(self.file)

    def replace(self) -> None:
        """Sync the file if it replaces another one, and give it its name."""
        with convert_os_errors(self._path):
            existing = status(self._path)
            # Sync before the rename: otherwise a power failure could lose both the old and the new file.
            if self._flush is not None:
                self._flush()
            elif self._flushed or existing is not None:
                os.fsync(self.file.fileno())
            self.file.close()
            self._staged.chmod(self._mode if self._mode is not None else mode_of(existing))
            self._staged.replace(self._path)
        _unfinished.discard(self._staged)

    def close(self) -> None:
        """Delete the file unless it has replaced `path`."""
        with contextlib.suppress(OSError):
            self.file.close()
        self._delete()

    def _delete(self) -> None:
        if self._staged in _unfinished:
            _discard(self._staged)
            _unfinished.discard(self._staged)
        lock, self._lock = self._lock, None
        leftovers.release(lock)


@contextlib.contextmanager
def atomic_writer(path: Path, mode: int | None = None, *, flushed: bool = False) -> Iterator[FileIO]:
    """Provide a temporary file, open for writing, that replaces `path` when the block ends without an exception.

    See `Replacement`. A pipe, a character device or an open descriptor (/dev/stdout) is never replaced: the data is
    written to it. Raises FileError, also for a block device and a socket.
    """
    if streams.is_stream(path):
        with _stream_writer(path) as file:
            yield file
        return
    with contextlib.closing(Replacement(path, mode, flushed=flushed)) as new:
        yield new.file
        new.replace()


@atexit.register
def _discard_unfinished() -> None:
    for staged in list(_unfinished):
        _discard(staged)


if hasattr(os, "register_at_fork"):  # a forked process that ends leaves the files of its parent
    os.register_at_fork(after_in_child=_unfinished.clear)


@contextlib.contextmanager
def _stream_writer(path: Path) -> Iterator[FileIO]:
    """Provide a temporary file whose bytes are written to the stream `path` when the block ends without an exception.

    A caller may read and change what it wrote, which a stream does not allow.
    """
    streams.require_writable(path)
    with temporary_folder() as folder, (folder / "stream").open("x+b", buffering=0) as file:
        yield file
        with convert_os_errors(path, "write to the pipe or device"):
            streams.require_text_for_terminal(path, file)
            streams.copy_to(path, file)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Provide an empty temporary folder, which is deleted when the block ends. Raises FileError."""
    place = Path(tempfile.gettempdir())
    with convert_os_errors(place, "create a temporary folder"):
        folder, lock = leftovers.create(place / "work", is_folder=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        leftovers.release(lock)


def create_folder(folder: Path, contents: Mapping[str, tuple[bytes, int | None]]) -> None:
    """Create `folder` with all files in `contents` (name to bytes and permissions), or not at all.

    Raises FileError, also if `folder` already exists and is not empty.
    """
    ensure_folder(folder.parent)
    with convert_os_errors(folder, "create the folder"):
        staged, lock = leftovers.create(folder, is_folder=True)
        try:
            for name, (data, mode) in contents.items():
                (staged / name).touch(0o666 if mode is None else mode)
                (staged / name).write_bytes(data)
                flush(staged / name)
            staged.chmod(mode_for(folder, new=0o777))
            if sys.platform == "win32" and folder.is_dir():
                folder.rmdir()  # it must be empty; on Windows, rename fails if the target exists
            staged.rename(folder)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
            leftovers.release(lock)


@contextlib.contextmanager
def convert_os_errors(target: Path, action: str = "write the file") -> Iterator[None]:
    """Convert an OSError inside the block to a FileError about `target` instead of a temporary file."""
    require_name(target)
    try:
        yield
    except OSError as error:
        raise file_error(error, target, action) from error


def open_new(path: Path) -> BinaryIO:
    """Open a new or empty file for writing.

    Not with "wb": some file systems sync a file that was truncated when it is closed, which is slow.
    """
    path.touch()
    return path.open("r+b")


def _discard(staged: Path) -> None:
    """Delete a temporary file if it still exists. Windows deletes only files that are writable."""
    with contextlib.suppress(OSError):
        staged.chmod(0o600)
    with contextlib.suppress(OSError):  # also where a file system has no permissions to set
        staged.unlink()
