"""Sign one file for `drvsign sign`, or write its detached signature or its signing request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from signer.errors import FileError, ForeignSignature, InternalError, SignerError, unexpected_as_internal
from signer.formats.detect import detect_file
from signer.formats.table import TABLE
from signer.records import dataclass
from signer.reports.file_results import FileResult
from signer.storage.files import mapped, write_atomically

if TYPE_CHECKING:
    from signer.formats.table import FormatRow
    from signer.keys.identity import SigningIdentity
    from signer.operations.sign import Signed, SigningJob
    from signer.pkcs7.signed_data import SigningOptions


def prepare_for(files: Iterable[Path]) -> None:
    """Start slow background preparations for changing these files."""
    paths = list(files)
    for row in TABLE:
        if row.prepare is not None and any(_has_format(path, row) for path in paths):
            row.prepare()


def _has_format(path: Path, row: FormatRow) -> bool:
    try:
        return detect_file(path) is row
    except FileError:  # reported when the file is signed
        return False


@dataclass(frozen=True)
class FileSigner:
    """Signs the files of one call and returns the result of each."""

    job: SigningJob
    skip_signed: bool = False

    def with_identity(self, identity: SigningIdentity) -> FileSigner:
        """Return the same with another identity."""
        return replace(self, job=replace(self.job, identity=identity))

    def can_sign(self, source: Path) -> bool:
        """Whether a file is to be signed, can be read, and has a format that can be signed with these options."""
        from signer.formats.detect import opened

        if self._skips(source):
            return False
        try:
            with unexpected_as_internal(), mapped(source) as data:
                self.job.require_supported(opened(data)[0])
        except SignerError:
            return False
        return True

    def waits(self) -> bool:
        """Whether signing waits for others: the key is in a token or a service, or a timestamp authority is asked."""
        from signer.keys.local import LocalKey

        return self.job.asks_for_timestamps or not isinstance(self.job.identity.key, LocalKey)

    def refusal(self, place: tuple[Path, Path]) -> FileResult | None:
        """Return a failed result if signing a source into its target would replace another signer's signature."""
        source, target = place
        if self._skips(source):
            return None
        try:
            with unexpected_as_internal():
                self.job.require_replaceable(source, target)
        except ForeignSignature as error:
            return FileResult(source, "failed", error=error)
        except InternalError:  # signing reports it
            return None
        return None

    def sign_each(self, places: Sequence[tuple[Path, Path]]) -> list[FileResult]:
        """Sign each source into its target. Errors become results."""
        results = {
            source: FileResult(source, "skipped", note="is signed") for source, _ in places if self._skips(source)
        }
        left = [(source, target) for source, target in places if source not in results]
        lost = {source: self._lost(source, target) for source, target in left}
        for (source, target), signed in zip(left, self.job.sign_each(left), strict=True):
            results[source] = self._result(source, target, signed, lost[source])
        return [results[source] for source, _ in places]

    def sign_apart(self, source: Path, signature: Path) -> FileResult:
        """Write the signature of `source` into a file of its own. Raises SignerError."""
        if self._skips(source):
            return FileResult(source, "skipped", note="is signed")
        return self._result(source, signature, replace(self.job.sign_apart(source, signature), replaced=()))

    def _skips(self, source: Path) -> bool:
        """Return whether the file is to be skipped; one that can't be read is not, so that signing reports it."""
        if not self.skip_signed:
            return False
        try:
            with unexpected_as_internal():
                return _is_signed(source)
        except SignerError:
            return False

    def _lost(self, source: Path, target: Path) -> tuple[str, ...]:
        """Return the names of the other signers of the file that a signed copy replaces."""
        from signer.operations.ownership import is_same_file, require_replaceable_target

        if not self.job.replace or is_same_file(source, target):
            return ()
        return require_replaceable_target(target, self.job.ownership, replace=True, source=source)

    def _result(
        self, source: Path, written: Path, signed: Signed | SignerError, lost: tuple[str, ...] = ()
    ) -> FileResult:
        if isinstance(signed, SignerError):
            return FileResult(source, "failed", error=signed.at(source))
        note = f"from {source}" if written != source else ""
        name, replaced = self.job.identity.name, tuple(dict.fromkeys((*signed.replaced, *lost)))
        return FileResult(written, "signed", signed.algorithm, signed.digest, name, note, replaced=replaced)


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
