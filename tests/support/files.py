"""Shared helpers: paths of the corpus, and files with patches applied."""

from __future__ import annotations

import os
from pathlib import Path

from signer.algorithms import DigestAlgorithm
from signer.formats.detect import opened
from signer.pkcs7.signed_data import Content
from signer.storage.patching import PatchSet

ROOT = Path(__file__).resolve().parents[2]


def corpus_root() -> Path:
    """Return the folder of real drivers, catalogs and packages; it may not exist."""
    return Path(os.environ.get("DRVSIGN_CORPUS") or ROOT.parent / "shared" / "corpus")


def corpus_files(*patterns: str) -> list[Path]:
    """Return the corpus files that match any glob, sorted; empty without a corpus."""
    return sorted({path for pattern in patterns for path in corpus_root().glob(pattern) if path.is_file()})


def corpus_id(path: Path) -> str:
    """Return a short test ID for a corpus file."""
    return path.relative_to(corpus_root()).as_posix()[-80:]


def patched(data: bytes, changes: PatchSet) -> bytes:
    """Apply patches to a file; independent of `signer.storage.files`, which it verifies."""
    result = bytearray(data)
    for offset, new in changes.patches:
        result[offset : offset + len(new)] = new
    return bytes(result[: changes.size])


def content_of(data: bytes, algorithm: DigestAlgorithm) -> tuple[bytes, Content]:
    """The digest of a file, and the content that a signature over it signs."""
    _, file = opened(data)
    hashes = file.hash([algorithm])
    return hashes.digests[algorithm], file.content(hashes, algorithm)
