"""`drvsign catalog build --files`: catalogs that list files by their path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.cli.options.common import workers
from signer.cli.output import Output
from signer.cli.paths import listed
from signer.cli.processes import in_processes

if TYPE_CHECKING:
    from catalogs.build import CatalogOptions
    from catalogs.catalog.file import Catalog
    from catalogs.loose_files import LooseFile


def target_of(paths: Sequence[Path], output_file: Path | None) -> Path:
    """Return where the catalog of files goes: --output, else catalog.cat in the only folder that is named, or here."""
    from catalogs.loose_files import DEFAULT_NAME

    folder = paths[0] if len(paths) == 1 and paths[0].is_dir() else Path()
    return output_file or folder / DEFAULT_NAME


def files_of(paths: Sequence[Path], catalog: Path) -> list[LooseFile]:
    """Return the files of PATH arguments: files, folders and @lists. Raises FileError, UsageError."""
    from catalogs.loose_files import files_to_list

    return files_to_list(list(listed(paths)), catalog)


def built_catalog(files: Sequence[LooseFile], options: CatalogOptions, name: str, output: Output, jobs: int) -> Catalog:
    """Build the catalog of files with a progress bar. Raises SignerError with the path of a file."""
    from catalogs.loose_files import build_loose

    def each(work: Any, chosen: Any) -> Any:
        return output.each(work, chosen, jobs=workers(jobs, len(chosen)), doing="hashing", run=in_processes)

    return build_loose(files, options, name, each=each)
