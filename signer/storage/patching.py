"""One file made from another by changing few of its bytes: a signature is such a change.

What a change is found in is the copy that will be kept, and it takes its place only when all of it is there.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from signer.errors import FileError
from signer.storage.files import (
    MMAP_THRESHOLD,
    atomic_writer,
    convert_os_errors,
    mapped,
    open_new,
    read,
    require_data,
    write_atomically,
)

COPY_CHUNK = 1 << 20
_KEPT_MEANWHILE = 1 << 17


class LayoutCheck(Protocol):
    """A second parser that reads the result of a change before it takes its place. Only this module waits for it."""

    def submit(self, result: bytes | memoryview) -> None:
        """Have the result read, without waiting for it; the buffer is not needed afterwards."""

    def require(self) -> None:
        """Wait for the parser. Raises an error where it reads the result otherwise than it was meant.

        Where no result was submitted, it reads what is to be changed.
        """


@dataclass(frozen=True, slots=True)
class PatchSet:
    """What makes one file into another: changed bytes, and the size that the file has afterwards."""

    patches: tuple[tuple[int, bytes], ...]
    """Offsets and the bytes that stand there afterwards, some at or beyond the old end."""
    size: int
    """In bytes; what the old file has beyond it is cut off."""
    check: LayoutCheck | None = field(default=None, compare=False, repr=False)
    """Who reads the result before it takes its place; None where nobody does."""

    def submit(self, result: bytes | memoryview) -> None:
        """Have the result read. Its answer is waited for in `require`."""
        if self.check is not None:
            self.check.submit(result)

    def require(self) -> None:
        """Wait for the check. Raises what it raises."""
        if self.check is not None:
            self.check.require()

    def applied_to(self, data: bytes) -> bytes:
        """Return the file that `data` becomes. Raises what the check raises."""
        result = self.unchecked(data)
        self.submit(result)
        self.require()
        return result

    def unchecked(self, data: bytes) -> bytes:
        """Return the file that `data` becomes, which nobody has read yet."""
        result = bytearray(data)
        for offset, new in self.patches:
            result.extend(bytes(max(0, offset - len(result))))
            result[offset : offset + len(new)] = new
        return bytes(result[: self.size])


class Changing(Protocol):
    """Whatever comes with changes to a file."""

    @property
    def changes(self) -> PatchSet | None:
        """None where the file stays as it is."""


Change = TypeVar("Change", bound=Changing)


@dataclass(frozen=True, slots=True)
class Patched:
    """Changes that nothing else comes with."""

    changes: PatchSet | None


def patch_atomically(source: Path, target: Path, changes: PatchSet | None) -> None:
    """Make `target` a copy of `source` with changes applied, or leave it as it was. Raises FileError."""
    change_atomically(source, target, lambda _: Patched(changes))


def change_atomically(source: Path, target: Path, change: Callable[[memoryview], Change]) -> Change:
    """Make `target` a copy of `source` with the changes that `change` finds, or leave it as it was.

    A file that is to be changed in its place, and of which `change` says that it stays as it is, is not written at all.
    Returns what `change` returned, as `changed_copy` does. Raises FileError.
    """
    return begin_change(source, target, change)()


def begin_change(source: Path, target: Path, change: Callable[[memoryview], Change]) -> Callable[[], Change]:
    """The first step of `change_atomically`, which finds the changes; the second is what it returns.

    Between the two steps others can begin, so that conditions that take a while are waited for together. A file that is
    too large to be kept meanwhile is done with in the first step. Raises FileError, also for a file that was to be
    changed in its place and that somebody else changed first; and so does the second step.
    """
    before = _status(source)
    if before.st_size <= _KEPT_MEANWHILE:
        data = read(source)
        small = change(memoryview(data))
        result = _submitted(data, small.changes)
        return lambda: _finish(result, small, source, target, before)
    done: list[Change] = []
    with contextlib.suppress(_Unchanged), atomic_writer(target) as staged:
        done.append(changed_copy(source, Path(staged.name), change, target))
        if _stays(done[0], source, target):
            raise _Unchanged
        _require_untouched(source, target, before)
    return lambda: done[0]


class _Unchanged(Exception):
    """What was copied is not to take the place of what it is a copy of."""


def _stays(changed: Changing, source: Path, target: Path) -> bool:
    return changed.changes is None and source == target


def _submitted(data: bytes, changes: PatchSet | None) -> bytes:
    """The file that `data` becomes, which the check begins to read."""
    if changes is None:
        return data
    result = changes.unchecked(data)
    changes.submit(result)
    return result


def _finish(result: bytes, changed: Change, source: Path, target: Path, before: os.stat_result) -> Change:
    if changed.changes is not None:
        changed.changes.require()
    if not _stays(changed, source, target):
        _require_untouched(source, target, before)
        write_atomically(target, result)
    return changed


def _require_untouched(source: Path, target: Path, before: os.stat_result) -> None:
    """Raise FileError where the result would take the place of what was written since the file was looked at."""
    if source != target:
        return
    now = _status(source)
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
        raise FileError(
            "the file was changed by somebody else meanwhile, so it was left alone", path=source, hint="Run it again."
        )


def changed_copy(source: Path, copy: Path, change: Callable[[memoryview], Change], target: Path) -> Change:
    """Make `copy`, a new file, one of `source`, show it to `change`, and apply the changes that come with the answer.

    What is shown is what will be kept: of a source that is written to meanwhile, no two states can be mixed. The view
    is only valid for so long. Raises FileError about `source` or about `target`, for which the copy waits; what
    `change` raises goes on as it is.
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
                changed.changes.submit(view)
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
    """The bytes of a file into a new one: by the system, which lets both share them where it can.

    Those that are there when this begins: a file that grows as fast as it is copied would be copied for ever.
    """
    by_system: Callable[[int, int, int], int] = getattr(os, "copy_file_range", lambda *_: 0)  # Linux has it
    left = os.fstat(old.fileno()).st_size
    with open_new(copy) as new:
        with contextlib.suppress(OSError):  # systems that can't do it for these two files say so in many ways
            while left > 0 and (copied := by_system(old.fileno(), new.fileno(), left)):
                left -= copied
        old.seek(new.seek(0, os.SEEK_END))
        while left > 0 and (piece := old.read(min(left, COPY_CHUNK))):
            left -= new.write(piece)


def _apply(changes: PatchSet, target: Path) -> None:
    with target.open("r+b") as file:
        for offset, new in changes.patches:
            file.seek(offset)
            file.write(new)
        if file.seek(0, os.SEEK_END) > changes.size:  # truncating takes long, and is rarely needed
            file.truncate(changes.size)
