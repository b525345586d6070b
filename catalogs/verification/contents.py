"""The files of a package as verification reads them: on the disk, or staged copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from catalogs.package.compressed import open_decompressed
from catalogs.verification.gathered import Gathered
from signer.errors import SignerError
from signer.formats.detect import detect
from signer.records import dataclass
from signer.storage.files import mapped
from signer.storage.staging import Opener
from signer.verify.evidence import CatalogLookup, Evidence
from signer.verify.gather import gather


def _unchanged(evidence: Evidence) -> Evidence:
    return evidence


@dataclass(frozen=True, slots=True)
class Contents:
    """How the files of a package are opened, and what is believed of their signatures."""

    opened: Opener = mapped
    believed: Callable[[Evidence], Evidence] = _unchanged
    """Corrects the evidence of a file; the identity, except in a rehearsal (`catalogs.rehearsal`)."""
    with_facts: bool = False
    """Whether the evidence of files has what App Control compares."""
    gathered: Gathered | None = None
    """Keeps the evidence of files that are read more than once; None to gather it anew each time."""

    def evidence_of(
        self, path: Path, catalogs: Sequence[CatalogLookup], compressed: bool = False, name: str | None = None
    ) -> Evidence:
        """Gather the evidence of a file and the catalogs that list it. Raises FileError and MalformedInput.

        `name` is the file name in the evidence, by default that of `path`.
        """
        try:
            with open_decompressed(path, compressed, self.opened) as data:
                row = detect(data)
                kind = row.name if row is not None and not row.is_content else "file"
                examine = gather if self.gathered is None else self.gathered.gather
                return self.believed(examine(data, kind, name or path.name, catalogs, with_facts=self.with_facts))
        except SignerError as error:
            raise error.at(path) from error

    def evidence_of_catalog(self, data: bytes, name: str) -> Evidence:
        """Gather the evidence of a catalog's own signature. Raises SignatureFormatError."""
        return self.believed(gather(data, "catalog", name))


ON_DISK = Contents()
