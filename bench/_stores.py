"""Driver stores for the benchmark of `drvsign audit`: copies of the corpus' packages, whose answers stay as they are.

No two copies have an image, a catalog or a signature with the same bytes, so that all are read and verified again.
Signatures differ by an unsigned attribute. Images that load, or would without a policy, differ by their checksum, which
no signature covers; all others by a number in their overlay, so that their Authenticode digests differ too. INFs are
links to one file.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path

from bench._corpus import corpus_root
from catalogs.verification.query import VerifyQuery
from signer.asn1 import der
from signer.audit.examine import Question
from signer.audit.ledger import Ledger
from signer.audit.run import audit
from signer.audit.units import Place
from signer.errors import SignerError
from signer.pe import certificate_table
from signer.pe.digest import padding
from signer.pe.image import Image
from signer.pkcs7.nested import with_unsigned
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust

SMALL = 40_000
"""Size of the largest images of a store of small packages."""
_IMAGES = (".sys", ".dll", ".exe")
_MAX_LINKS = 30_000
"""Maximum number of links to one copy of a file: file systems have a limit."""
_ATTRIBUTE = "2.999.1"
"""The OID of the unsigned attribute: of the arc for examples."""


def store(folder: Path, count: int, limit: int | None = None) -> Path:
    """Write copies of the packages of the corpus in turn, without images of more than `limit` bytes."""
    originals = sorted(path for path in _packages().iterdir() if path.is_dir())
    for number in range(count):
        source, target = originals[number % len(originals)], folder / f"{number:06}"
        if not target.exists():
            target.mkdir(parents=True)
            links = folder.parent / f"originals{number // len(originals) // _MAX_LINKS}"
            _write_copy(source, target, number, limit, links)
    return folder


def _write_copy(source: Path, target: Path, number: int, limit: int | None, links: Path) -> None:
    for path in _files(source):
        copy, changed = target / path.relative_to(source), _changed(path)
        copy.parent.mkdir(exist_ok=True, parents=True)
        if changed is None:
            _link(path, copy, links)
        elif limit is None or path.suffix.lower() not in _IMAGES or len(_read(path)) <= limit:
            copy.write_bytes(changed(_read(path), number))


@cache
def _files(source: Path) -> list[Path]:
    return sorted(one for one in source.rglob("*") if one.is_file())


@lru_cache(maxsize=1024)
def _read(path: Path) -> bytes:
    return path.read_bytes()


def _packages() -> Path:
    return corpus_root() / "packages"


@cache
def _changed(path: Path) -> Callable[[bytes, int], bytes] | None:
    """Return the function that makes a file distinct; None for one that stays as it is."""
    if path.suffix.lower() == ".cat":
        return signed_again
    if path.suffix.lower() not in _IMAGES:
        return None
    return unchecked if str(path) in _counting() and path.read_bytes()[:2] == b"MZ" else distinct


@cache
def _counting() -> frozenset[str]:
    """Return the paths of the images that load, or would without a policy: their signatures count."""
    query = VerifyQuery("kernel", Trust.release(), MachineState(at=datetime.now(UTC)))
    with Ledger() as ledger:
        audit([Place(_packages())], Question(query), ledger)
        rows = ledger.rows(("stops", "stops-unless-allowed", "unknown", "loads"))
        return frozenset(path for row in rows for path in row.paths)


def signed_again(signature: bytes, number: int) -> bytes:
    """Return a signature with a number in an unsigned attribute; one that can't have it as it is."""
    try:
        return with_unsigned(signature, _ATTRIBUTE, (der.octets(number.to_bytes(8, "little")),))
    except SignerError:
        return signature


def unchecked(data: bytes, number: int) -> bytes:
    """Return an image with a number in its checksum and in its signatures; its Authenticode digest stays the same."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, Image.parse(data).checksum_offset, number)
    return _with_signatures(Image.parse(bytes(changed)), b"", number)


def distinct(data: bytes, number: int) -> bytes:
    """Return an image, or another file, with a number in its overlay, before its signatures, and in these."""
    overlay = number.to_bytes(8, "little")
    return _with_signatures(Image.parse(data), overlay, number) if data[:2] == b"MZ" else data + overlay


def _with_signatures(image: Image, overlay: bytes, number: int) -> bytes:
    """Return an image with more overlay, and a number in each of its signatures."""
    changed = bytearray(image.data[: image.content_end])
    changed += overlay + padding(len(changed) + len(overlay)) if overlay or image.is_signed else b""
    if image.is_signed:
        signatures = [signed_again(one.signed_data(), number) for one in certificate_table.read(image)]
        table = certificate_table.build(signatures)
        struct.pack_into("<II", changed, image.directory_offset, len(changed), len(table))
        changed += table
    return bytes(changed)


def _link(path: Path, copy: Path, links: Path) -> None:
    """Link a file to a copy of it on the same disk."""
    kept = links / path.relative_to(_packages())
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept)
    os.link(kept, copy)
