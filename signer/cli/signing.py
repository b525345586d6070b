"""Sign one file for `drvsign sign`, or write its detached signature or its signing request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.results import FileResult
from signer.errors import FileError
from signer.formats.detect import detect_file
from signer.storage.files import mapped, write_atomically

if TYPE_CHECKING:
    from signer.formats.table import FormatRow
    from signer.operations.sign import Signed, SigningJob
    from signer.pkcs7.signed_data import SigningOptions


def prepare_for(files: Iterable[Path]) -> None:
    """Start slow background preparations for changing these files."""
    for prepare in {row.prepare for row in map(_format_of, files) if row is not None}:
        prepare()


def _format_of(path: Path) -> FormatRow | None:
    try:
        return detect_file(path)
    except FileError:  # reported when the file is signed
        return None


@dataclass(frozen=True)
class FileSigner:
    """Signs the files of one call and returns the result of each."""

    job: SigningJob
    skip_signed: bool = False

    def can_be_shared(self) -> bool:
        """Whether forked processes can sign: the key is in memory, and no timestamp authority is needed."""
        from signer.keys.local import LocalKey
        from signer.pe.layout_check import share

        if not isinstance(self.job.identity.key, LocalKey) or self.job.asks_for_timestamps:
            return False
        share()
        return True

    def begin(self, source: Path, target: Path, detached: Path | None = None) -> Callable[[], FileResult]:
        """Begin to sign `source` to `target`, or its signature to `detached`; return a function that completes it.

        Both steps raise SignerError.
        """
        if self.skip_signed and _is_signed(source):
            return lambda: FileResult(source, "skipped", note="is signed")
        if detached is not None:
            signed = self.job.sign_apart(source, detached)
            return lambda: self._result(source, detached, signed)
        finish = self.job.begin(source, target)
        return lambda: self._result(source, target, finish())

    def _result(self, source: Path, written: Path, signed: Signed) -> FileResult:
        note = f"from {source}" if written != source else ""
        return FileResult(written, "signed", signed.algorithm, signed.digest, self.job.identity.name, note)


def _is_signed(source: Path) -> bool:
    from signer.operations.signatures import is_signed

    with mapped(source) as data:
        return is_signed(data)


def write_request(source: Path, options: SigningOptions, page_hashes: bool, target: Path) -> FileResult:
    """Write the data of a file that an external key has to sign. Raises SignerError."""
    from signer.operations.external_signing import request_for

    with mapped(source) as data:
        request, digest = request_for(data, options, page_hashes=page_hashes)
    write_atomically(target, request)
    return FileResult(target, "requested", options.digest, digest, note=f"for {source}")
