"""Build catalogs for `drvsign catalog build`: of packages, of a .cdf file, and of any files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.cli.commands.catalog_files import built_catalog, files_of, target_of
from signer.cli.options.common import workers
from signer.cli.options.package import CatalogChoices
from signer.cli.output import Output
from signer.cli.processes import in_processes
from signer.cli.results import attempt, left_result, teller
from signer.errors import CatalogError, FileError, UsageError
from signer.formats.detect import detect_file
from signer.reports.file_results import FileResult
from signer.storage.files import ensure_folder, read, shell_quote, write_atomically

if TYPE_CHECKING:
    from catalogs.catalog.file import Catalog
    from catalogs.loose_files import LooseFile
    from catalogs.package.driver_package import DriverPackage
    from signer.operations.ownership import Ownership


def from_files(
    output: Output,
    paths: list[Path],
    choices: CatalogChoices,
    page_hashes: bool,
    output_file: Path | None,
    own: Ownership,
    replace: bool,
    jobs: int,
) -> tuple[list[FileResult], list[Path]]:
    """Build the catalog of any files; return its result and the paths of the files."""
    target = target_of(paths, output_file)
    files = files_of(paths, target)
    result = attempt(target, lambda: _built_from_files(output, files, target, choices, page_hashes, own, replace, jobs))
    teller(output)(result)
    return [result], [file.path for file in files]


def from_description(
    output: Output,
    path: Path,
    choices: CatalogChoices,
    page_hashes: bool,
    output_file: Path | None,
    own: Ownership,
    replace: bool,
    jobs: int,
) -> tuple[list[FileResult], list[Path]]:
    """Build the catalogs of a folder, an INF or a .cdf file; return their results, and no sources."""
    if not path.exists():
        raise FileError("file or folder not found", path=path, hint="Check the path.")
    if _require_source(path) != ".cdf":
        return _from_infs(output, path, choices, page_hashes, output_file, own, replace, jobs), []
    result = attempt(path, lambda: _from_cdf(path, choices, page_hashes, output_file, own, replace))
    teller(output)(result)
    return [result], []


def sources_of(path: Path, choices: CatalogChoices) -> list[Path]:
    """Return the files that the catalogs of an INF, a folder or a .cdf depend on."""
    if path.suffix.lower() == ".cdf":
        from catalogs import cdf
        from catalogs.inf.text import decode

        members = cdf.parse(decode(read(path)).text, path).members
        return [path, *(path.parent / member.path for member in members)]
    packages = choices.survey(path if path.is_dir() else [path]).packages
    return [file.path for package in packages for file in package.files]


def _from_infs(
    output: Output,
    path: Path,
    choices: CatalogChoices,
    page_hashes: bool,
    target: Path | None,
    own: Ownership,
    replace: bool,
    jobs: int,
) -> list[FileResult]:
    from signer.operations.ownership import require_replaceable_target

    packages = choices.packages(path if path.is_dir() else [path], output)
    if target is not None and len(packages) != 1:
        names = ", ".join(package.catalog_name for package in packages)
        raise UsageError(
            f"{len(packages)} catalogs can't be written to one --output file: {names}", hint="Remove --output."
        )
    options = choices.options(page_hashes=page_hashes)
    places = [target or package.catalog for package in packages]
    lost = {place: require_replaceable_target(place, own, replace=replace) for place in places}

    def made(package: DriverPackage) -> FileResult:
        from catalogs.build import build as build_catalog

        def each(work: Any, files: Any) -> Any:
            return output.each(work, files, jobs=workers(jobs, len(files)), doing="hashing", run=in_processes)

        catalog = build_catalog(package, options, each=each)
        place = target or package.catalog
        return _written(catalog, place, len({file.name for file in package.files}), lost[place])

    results = (attempt(package.catalog, partial(made, package)) for package in packages)
    done = output.told_each(results, teller(output), len(packages), "building", at_once=True)
    return [*done, *(left_result(target or package.catalog) for package in packages[len(done) :])]


def _from_cdf(
    path: Path, choices: CatalogChoices, page_hashes: bool, target: Path | None, own: Ownership, replace: bool
) -> FileResult:
    from catalogs import cdf
    from catalogs.inf.text import decode
    from signer.operations.ownership import require_replaceable_target

    definition = cdf.parse(decode(read(path)).text, path, choices.catalog_version)
    where = target or definition.target
    lost = require_replaceable_target(where, own, replace=replace)
    catalog = cdf.build(definition, choices.options(page_hashes=page_hashes))
    if target is None:
        ensure_folder(where.parent)
    return _written(catalog, where, len({member.file or member.digest for member in catalog.members}), lost)


def _built_from_files(
    output: Output,
    files: list[LooseFile],
    target: Path,
    choices: CatalogChoices,
    page_hashes: bool,
    own: Ownership,
    replace: bool,
    jobs: int,
) -> FileResult:
    from signer.operations.ownership import require_replaceable_target

    lost = require_replaceable_target(target, own, replace=replace)
    catalog = built_catalog(files, choices.options(page_hashes=page_hashes), target.name, output, jobs)
    return _written(catalog, target, len(files), lost)


def _written(catalog: Catalog, target: Path, files: int, replaced: tuple[str, ...]) -> FileResult:
    from signer.algorithms import DigestAlgorithm

    data = catalog.to_bytes()
    write_atomically(target, data)
    note = f"version {catalog.version}, {files} file{'s' if files != 1 else ''}"
    return FileResult(
        target, "built", DigestAlgorithm.SHA256, DigestAlgorithm.SHA256.hash(data), note=note, replaced=replaced
    )


def _require_source(path: Path) -> str:
    """Return the suffix of a source. Raises CatalogError for a file in a format that no catalog is built from."""
    row = detect_file(path) if path.is_file() else None
    if row is not None:
        raise CatalogError(
            f"this is {row.title}, and catalogs are built from an INF, the folder of a package, or a .cdf",
            path=path,
            hint=f"Name the folder, drvsign catalog build {shell_quote(path.parent)}, or add --files.",
        )
    return path.suffix.lower()
