"""Map a file for reading, replace a file atomically. The only module that writes to disks.

Library code below the command line takes buffers; paths start and end here.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import mmap
import os
import secrets
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from signer.errors import FileError
from signer.lock import locked

Patch = tuple[int, bytes]
"""One change to a file: the offset, and the bytes that stand there afterwards. It may lie at or beyond the end."""

_WORTH_MAPPING = 1 << 20
STAGING, JOURNAL = ".drvsign.", "journal.json"
"""What the folder of staged files begins with, and the file in it that says how to put back what stood there."""
_READING_MASK = threading.Lock()
_NAME_PART = 48  # of a file's name in that of a temporary one, which may be no longer than any name

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
            if size >= _WORTH_MAPPING:
                source = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            elif size:
                data = file.read()
    except OSError as error:
        raise file_error(error, path, "read the file") from error
    view = memoryview(data if source is None else source)
    try:
        yield view
    finally:
        # Windows refuses to replace a mapped file; a view handed out by mistake keeps it mapped until it goes.
        with contextlib.suppress(BufferError):
            view.release()
            if source is not None:
                source.close()


def require_data(path: Path) -> None:
    """Raise FileError for a pipe, a socket or a device: reading one could last for ever. Other paths are left be."""
    if is_special(path):
        raise FileError("this is a pipe or a device, not a file", path=path, hint="Name a file.")


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
        return path.read_bytes()
    except OSError as error:
        raise file_error(error, path, "read the file") from error


def write_atomically(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Make `path` hold `data`, or leave it as it was. `mode` sets the permissions of a new file. Raises FileError."""
    with _staged(path, mode) as staged:
        staged.write_bytes(data)


def patch_atomically(
    source: Path,
    patches: Iterable[Patch],
    target: Path,
    *,
    size: int | None = None,
    check: Callable[[memoryview], None] | None = None,
) -> None:
    """Make `target` a copy of `source` with `patches` applied, or leave it as it was.

    `size` is the size of the result in bytes where it is to be cut off. `check` sees the result before it takes its
    place, and what it raises leaves `target` as it was. Raises FileError.
    """
    with _staged(target, None) as staged:
        _copy_patched(source, patches, staged, size)
        if check is not None:
            with mapped(staged) as result:
                check(result)


def ensure_folder(folder: Path) -> None:
    """Make a folder, with those above it, unless it is there. Raises FileError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error(error, folder, "make the folder") from error


@contextlib.contextmanager
def _staged(path: Path, mode: int | None) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place, with its permissions, when the block ends well.

    A symbolic link stays one: what it points to is replaced.
    """
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:_NAME_PART]}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise file_error(error, path, "write the file") from error
    os.close(handle)
    staged = Path(name)
    try:
        yield staged
        staged.chmod(mode if mode is not None else _mode_for(path))
        _flush(staged)
        staged.replace(path)
    except OSError as error:
        raise file_error(error, path, "write the file") from error
    finally:
        _discard(staged)


class Staging:
    """Files that are to take their places together. Each is written to the path that `path_for` gives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._staged: dict[Path, Path] = {}
        self._modes: dict[Path, int] = {}

    def path_for(self, target: Path) -> Path:
        """Where to write what `target` is to hold."""
        return self._staged.setdefault(target, self._folder / f"{next(self._numbers)}.{target.name[-_NAME_PART:]}")

    def current(self, path: Path) -> Path:
        """Where the bytes are that `path` will hold in the end: staged, or where they always were."""
        return self._staged.get(path, path)

    def write(self, target: Path, data: bytes, *, mode: int | None = None) -> None:
        """Stage `data` for `target`, whose permissions `mode` sets from the first moment. Raises FileError."""
        staged = self.path_for(target)
        with _named_after(target):
            if mode is not None:
                self._modes[target] = mode
                staged.touch(mode)
            staged.write_bytes(data)

    def patch(
        self,
        source: Path,
        patches: Iterable[Patch],
        target: Path,
        *,
        size: int | None = None,
        check: Callable[[memoryview], None] | None = None,
    ) -> None:
        """Stage a patched copy of `source` for `target`, as `patch_atomically` does. Raises FileError."""
        staged = self.path_for(target)
        with _named_after(target):
            _copy_patched(source, patches, staged, size)
        if check is not None:
            with mapped(staged) as result:
                check(result)

    def take_their_places(self) -> None:
        """Move every staged file to its target; where one can't be moved, put all back as they were.

        What stood there is kept until all is done, and a journal says how to put it back: whoever opens the folder next
        does so if this process is killed meanwhile.
        """
        entries = []
        for number, (target, staged) in enumerate(self._staged.items()):
            with _named_after(target):
                staged.chmod(self._modes.get(target, _mode_for(target)))
                _flush(staged)
                old = _keep(target, self._folder / f"{number}.old") if target.exists() else None
            entries.append([os.path.relpath(target, self._folder.parent), old.name if old is not None else None])
        journal = self._folder / JOURNAL
        with _named_after(self._folder.parent):
            write_atomically(journal, json.dumps(entries).encode())
            _flush_folder(self._folder)
        try:
            for target, staged in self._staged.items():
                with _named_after(target):
                    staged.replace(target)
        except BaseException:
            _put_back(self._folder)
            raise
        for folder in {target.parent for target in self._staged}:
            _flush_folder(folder)
        journal.unlink()


@contextlib.contextmanager
def together(folder: Path, *, recovered: Callable[[str], None] | None = None) -> Iterator[Staging]:
    """Files below `folder` that change together when the block ends well, and not at all otherwise.

    One process at a time: a second one is refused. What a process that was killed left behind is put back as it was
    before, which `recovered` is told. Raises FileError.
    """
    with locked(folder, lambda error: file_error(error, folder, "write in the folder")):
        for left in sorted(folder.glob(f"{STAGING}*.tmp")):
            if (left / JOURNAL).exists():
                _put_back(left)
                if recovered is not None:
                    recovered(f"{folder}: a run was interrupted; its files are as they were before it")
            shutil.rmtree(left, ignore_errors=True)
        with _named_after(folder, "write in the folder"):
            name = _staging_folder(folder)
        staging = Staging(name)
        try:
            yield staging
            staging.take_their_places()
        finally:
            if not (name / JOURNAL).exists():
                shutil.rmtree(name, ignore_errors=True)


def _staging_folder(folder: Path) -> Path:
    """A new folder for files that will be moved. What Windows makes of 0o700, moved files would keep."""
    path = folder / f"{STAGING}{secrets.token_hex(8)}.tmp"
    path.mkdir(0o777 if sys.platform == "win32" else 0o700)
    return path


def _put_back(staging: Path) -> None:
    """What stood in the places of staged files, back to where it was; new files go. Doing it twice does no harm.

    Raises FileError, also for a journal that speaks of files outside of the folder.
    """
    journal, folder = staging / JOURNAL, staging.parent
    for name, old in entries_of(journal):
        target = folder / name
        if not (target.parent.resolve() / target.name).is_relative_to(folder.resolve()):
            raise FileError("what an interrupted run left behind names files outside of the folder", path=journal)
        with _named_after(target):
            if old is None:
                target.unlink(missing_ok=True)
            elif (staging / Path(old).name).exists():
                (staging / Path(old).name).replace(target)
    journal.unlink(missing_ok=True)


def entries_of(journal: Path) -> list[tuple[str, str | None]]:
    """The places of a journal, each with the name of what stood there. Raises FileError."""
    try:
        entries = json.loads(read(journal))
        return [(str(name), None if old is None else str(old)) for name, old in entries]
    except (ValueError, TypeError) as error:
        raise FileError(
            "what an interrupted run left behind can't be read", path=journal, hint="Delete the folder that it is in."
        ) from error


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
    with _named_after(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
        try:
            for name, (data, mode) in contents.items():
                (staged / name).touch(0o666 if mode is None else mode)
                (staged / name).write_bytes(data)
                _flush(staged / name)
            staged.chmod(_mode_for(folder, new=0o777))
            if sys.platform == "win32" and folder.is_dir():
                folder.rmdir()  # an empty one; Windows renames to no name that is taken
            staged.rename(folder)
        finally:
            shutil.rmtree(staged, ignore_errors=True)


@contextlib.contextmanager
def _named_after(target: Path, doing: str = "write the file") -> Iterator[None]:
    """An OSError inside the block becomes a FileError about `target`, not about a temporary file."""
    try:
        yield
    except OSError as error:
        raise file_error(error, target, doing) from error


def _keep(target: Path, backup: Path) -> Path:
    """A second name for what `target` holds, or a copy where there are no links, so that it can be put back."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    try:
        backup.hardlink_to(target)
    except OSError:
        shutil.copy2(target, backup)
        _flush(backup)
    return backup


def _copy_patched(source: Path, patches: Iterable[Patch], target: Path, size: int | None) -> None:
    if source != target:
        shutil.copyfile(source, target)
    with target.open("r+b") as file:
        for offset, data in patches:
            file.seek(offset)
            file.write(data)
        if size is not None and file.seek(0, os.SEEK_END) > size:  # truncating takes long, and is rarely needed
            file.truncate(size)


def _discard(staged: Path) -> None:
    """Remove a temporary file that is still there. Windows wants it writable for that."""
    with contextlib.suppress(OSError):
        if staged.exists():
            staged.chmod(0o600)
            staged.unlink()


def _flush(path: Path) -> None:
    """Have the disk hold what was written."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Have the disk hold the names in a folder, where the system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _mode_for(path: Path, new: int = 0o666) -> int:
    """The permissions that an ordinary new file at `path` would have, or those of the file that stands there."""
    if path.exists():
        return path.stat().st_mode & 0o7777
    return new & ~_umask()


def _umask() -> int:
    """The process's mask. It can only be read by changing it, which another thread must not see."""
    with _READING_MASK:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask
