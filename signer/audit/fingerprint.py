"""Identify everything besides the files that the answers of an audit depend on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

import catalogs
import signer
from signer.audit.examine import Question
from signer.storage.files import read

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def fingerprint(question: Question, lists: Iterable[Path]) -> bytes:
    """Return the digest of a question that trusts Microsoft's roots alone, and of the program that answers it.

    `lists` are the files of the machine's lists. The time of the check is left out: `Sighting.span` has it. Raises
    FileError.
    """
    state = replace(question.query.machine, at=_ANY_TIME, allow_list=None, block_list=None)
    digest = sha256(repr((state, [target.name for target in question.query.targets], list(_program()))).encode())
    for path in lists:
        digest.update(sha256(read(path)).digest())
    return digest.digest()


@cache
def program_digest() -> str:
    """Return the digest of the files of drvsign: equal on machines with the same version."""
    digest = sha256()
    for path in _files():
        digest.update(sha256(path.name.encode() + read(path)).digest())
    return digest.hexdigest()


def _program() -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of change of the files of drvsign: rules and data change with them."""
    for path in _files():
        status = path.stat()
        yield path.name, status.st_size, status.st_mtime_ns


def _files() -> Iterator[Path]:
    for package in (signer, catalogs):
        for root, folders, names in os.walk(package.__path__[0]):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            yield from (Path(root, name) for name in sorted(names))
