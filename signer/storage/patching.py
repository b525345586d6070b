"""Create a file from another by changing a few of its bytes, as a signature does.

Changes are computed from the copy that is kept, and the copy replaces the target only when it is complete.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from signer.errors import FileError, SignerError, unexpected_as_internal
from signer.records import dataclass
from signer.storage.files import (
    MMAP_THRESHOLD,
    Replacement,
    atomic_writer,
    convert_os_errors,
    mapped,
    open_new,
    read,
    require_data,
    write_atomically,
)
from signer.storage.flushing import Flushes, group_size
from signer.storage.streams import STANDARD, is_stream

COPY_CHUNK = 1 << 20
_MAX_DEFERRED = 1 << 17
"""Size in bytes of the largest file that stays in memory of `change_each` until it is written."""


class LayoutCheck(Protocol):
    """A second parser that reads the result of a change before it replaces a file. Only this module waits for it."""

    def submit(self, result: bytes | memoryview, path: Path | None = None) -> None:
        """Send the result to the parser without waiting for it. The buffer is not needed afterwards.

        `path` is a file with the same bytes, which stays until `require` returns.
        """

    def require(self) -> None:
        """Wait for the parser. Raises an error if it reads the result differently.

        If no result was submitted, it reads the file before the change.
        """


@dataclass(frozen=True, slots=True)
class PatchSet:
    """Changes to a file: changed bytes, and the new size of the file."""

    patches: tuple[tuple[int, bytes], ...]
    """Offsets with the new bytes; an offset can be at or beyond the old end."""
    size: int
    """New size in bytes; a longer file is truncated."""
    check: LayoutCheck | None = field(default=None, compare=False, repr=False)
    """The second parser that reads the result before it replaces a file, or None."""

    def submit(self, result: bytes | memoryview, path: Path | None = None) -> None:
        """Send the result to the second parser (`LayoutCheck.submit`). `require` waits for its answer."""
        if self.check is not None:
            self.check.submit(result, path)

    def require(self) -> None:
        """Wait for the second parser. Raises its error."""
        if self.check is not None:
            self.check.require()

    def applied_to(self, data: bytes) -> bytes:
        """Apply the changes to `data` and return the result. Raises the error of the second parser."""
        result = self.unchecked(data)
        self.submit(result)
        self.require()
        return result

    def unchecked(self, data: bytes) -> bytes:
        """Apply the changes to `data` and return the result, without a check by the second parser."""
        result = bytearray(data)
        for offset, new in self.patches:
            result.extend(bytes(max(0, offset - len(result))))
            result[offset : offset + len(new)] = new
        return bytes(result[: self.size])


class Changing(Protocol):
    """A result that includes changes to a file."""

    @property
    def changes(self) -> PatchSet | None:
        """The changes, or None if the file stays unchanged."""


Change = TypeVar("Change", bound=Changing)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patched:
    """A result that consists only of changes."""

    changes: PatchSet | None


def patch_atomically(source: Path, target: Path, changes: PatchSet | None) -> None:
    """Write `source` with changes applied to `target`, or leave the target unchanged. Raises FileError."""
    change_atomically(source, target, lambda _: Patched(changes))


def change_atomically(source: Path, target: Path, change: Callable[[memoryview], Change]) -> Change:
    """Write `source` with the changes that `change` computes to `target`, or leave the target unchanged.

    If `source` is `target` and there are no changes, does not write the file. Returns the result of `change`. Raises
    FileError, also if another process changed the file in the meantime; see `changed_copy`.
    """
    with contextlib.ExitStack() as stack:
        return _begin_change(source, target, change)(stack, Flushes())()


def change_each(
    places: Sequence[tuple[Path, Path]], change: Callable[[memoryview], Change]
) -> list[Change | SignerError]:
    """Do what `change_atomically` does for each source and target; return the results and errors in their order.

    The changes of all files are computed before the first file is written, so that the second parser reads many results
    at once; up to `_MAX_DEFERRED` bytes of each file are in memory meanwhile. Of the results, `group_size` are written
    before the first of them replaces its target, so that they are synced to the disk at the same time.
    """
    begun = [_attempt(partial(_begin_change, source, target, change)) for source, target in places]
    results: list[Change | SignerError] = []
    size = group_size()
    for start in range(0, len(begun), size):
        with contextlib.ExitStack() as stack:
            group, flushes = begun[start : start + size], Flushes()
            written = [one if isinstance(one, SignerError) else _attempt(partial(one, stack, flushes)) for one in group]
            results += [one if isinstance(one, SignerError) else _attempt(one) for one in written]
    return results


def _attempt(work: Callable[[], Result]) -> Result | SignerError:
    try:
        with unexpected_as_internal():
            return work()
    except SignerError as error:
        return error


def _begin_change(
    source: Path, target: Path, change: Callable[[memoryview], Change]
) -> Callable[[contextlib.ExitStack, Flushes], Callable[[], Change]]:
    """Compute the changes and send the result to the second parser.

    Returns a function that writes the result to a temporary file, which its arguments close and sync. That returns the
    function that replaces the target. A file above `_MAX_DEFERRED` is replaced at once. All steps raise FileError.
    """
    before = _status(source) if source != STANDARD else None
    if before is None or before.st_size <= _MAX_DEFERRED:
        data = read(source)
        small = change(memoryview(data))
        return partial(_write, _submitted(data, small.changes), small, source, target, before)
    done: list[Change] = []
    with contextlib.suppress(_Unchanged), atomic_writer(target) as staged:
        done.append(changed_copy(source, Path(staged.name), change, target))
        if _is_unchanged(done[0], source, target):
            raise _Unchanged
        _require_untouched(source, target, before)
    return lambda stack, flushes: lambda: done[0]


class _Unchanged(Exception):
    """Raised to discard an unchanged copy."""


def _is_unchanged(changed: Changing, source: Path, target: Path) -> bool:
    return changed.changes is None and source == target != STANDARD


def _submitted(data: bytes, changes: PatchSet | None) -> bytes:
    """Apply the changes to `data`, send the result to the second parser, and return it."""
    if changes is None:
        return data
    result = changes.unchecked(data)
    changes.submit(result)
    return result


def _write(
    result: bytes,
    changed: Change,
    source: Path,
    target: Path,
    before: os.stat_result | None,
    stack: contextlib.ExitStack,
    flushes: Flushes,
) -> Callable[[], Change]:
    """Wait for the second parser and write the result to a temporary file.

    Returns the function that replaces the target by it. A stream is written at once.
    """
    if changed.changes is not None:
        changed.changes.require()
    if _is_unchanged(changed, source, target):
        return lambda: changed
    if is_stream(target):
        write_atomically(target, result)
        return lambda: changed
    new = Replacement(target)
    stack.callback(new.close)
    new.write(result)
    new.flush_with(flushes)

    def replace() -> Change:
        _require_untouched(source, target, before)
        new.replace()
        return changed

    return replace


def _require_untouched(source: Path, target: Path, before: os.stat_result | None) -> None:
    """Raise FileError if the target is the source and another process changed it since `before`."""
    if source != target or before is None:
        return
    now = _status(source)
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
        raise FileError(
            "another process changed the file in the meantime, so it was not overwritten",
            path=source,
            hint="Run the command again.",
        )


def changed_copy(source: Path, copy: Path, change: Callable[[memoryview], Change], target: Path) -> Change:
    """Copy `source` to the new file `copy`, call `change` with a view of the copy, and apply its changes to the copy.

    Because `change` sees the copy, another process that writes to the source can't mix two states. The view is valid
    only during the call. Raises FileError with the path of `source` or of `target`, which the copy will replace;
    exceptions of `change` are passed on.
    """
    if _status(source).st_size < MMAP_THRESHOLD:
        data = read(source)
        changed = change(memoryview(data))
        result = _result(data, changed)
        with convert_os_errors(target), open_new(copy) as file:
            file.write(result)
        return changed
    with convert_os_errors(source, "read the file"):
        old = source.open("rb")
    with old, convert_os_errors(target):
        _copy(old, copy)
    with mapped(copy) as view:
        changed = change(view)
    if changed.changes is not None:
        with convert_os_errors(target):
            _apply(changed.changes, copy)
            with mapped(copy) as view:
                changed.changes.submit(view, copy)
        changed.changes.require()
    return changed


def _status(source: Path) -> os.stat_result:
    with convert_os_errors(source, "read the file"):
        status = source.stat()
    if not stat.S_ISREG(status.st_mode):
        require_data(source)
    return status


def _result(data: bytes, changed: Changing) -> bytes:
    return changed.changes.applied_to(data) if changed.changes is not None else data


def _copy(old: BinaryIO, copy: Path) -> None:
    """Copy the bytes of a file to a new one, with copy_file_range if possible, which can share disk blocks.

    Copies only the bytes that exist at the start, because a growing file would never end.
    """
    copy_range: Callable[[int, int, int], int] = getattr(os, "copy_file_range", lambda *_: 0)  # only on Linux
    left = os.fstat(old.fileno()).st_size
    with open_new(copy) as new:
        with contextlib.suppress(OSError):  # file systems without support raise different errors
            while left > 0 and (copied := copy_range(old.fileno(), new.fileno(), left)):
                left -= copied
        old.seek(new.seek(0, os.SEEK_END))
        while left > 0 and (piece := old.read(min(left, COPY_CHUNK))):
            left -= new.write(piece)


def _apply(changes: PatchSet, target: Path) -> None:
    with target.open("r+b") as file:
        for offset, new in changes.patches:
            file.seek(offset)
            file.write(new)
        if file.seek(0, os.SEEK_END) > changes.size:  # truncating is slow and rarely needed
            file.truncate(changes.size)
