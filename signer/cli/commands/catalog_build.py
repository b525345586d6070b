"""Build catalogs for `drvsign catalog build`: of packages, of a .cdf file, and of any files."""

from __future__ import annotations

from collections.abc import Callable
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
from signer.formats.detect import detect_file, is_signed
from signer.numbers import counted
from signer.records import dataclass
from signer.reports.file_results import FileResult
from signer.storage.files import ensure_folder, read, shell_quote, write_atomically

if TYPE_CHECKING:
    from catalogs.catalog.file import Catalog
    from catalogs.loose_files import LooseFile
    from catalogs.package.driver_package import DriverPackage
    from signer.operations.ownership import Ownership


@dataclass(frozen=True, slots=True)
class CatalogBuilder:
    """Builds catalogs as the options of one call say, and writes them."""

    output: Output
    choices: CatalogChoices
    own: Callable[[], Ownership]
    """Returns the signers whose catalogs are replaced; called only for a catalog that is signed."""
    page_hashes: bool
    replace: bool
    jobs: int
    target: Path | None
    """Where the one catalog goes; None for the path that its source names."""

    def from_files(self, paths: list[Path]) -> tuple[list[FileResult], list[Path]]:
        """Build the catalog of any files; return its result and the paths of the files."""
        target = target_of(paths, self.target)
        files = files_of(paths, target)
        result = attempt(target, lambda: self._of_files(files, target))
        teller(self.output)(result)
        return [result], [file.path for file in files]

    def from_description(self, path: Path) -> tuple[list[FileResult], list[Path]]:
        """Build the catalogs of a folder, an INF or a .cdf file; return their results, and no sources."""
        if not path.exists():
            raise FileError("file or folder not found", path=path, hint="Check the path.")
        if _require_source(path) != ".cdf":
            return self._from_infs(path), []
        result = attempt(path, lambda: self._from_cdf(path))
        teller(self.output)(result)
        return [result], []

    def _from_infs(self, path: Path) -> list[FileResult]:
        packages = self.choices.packages(path if path.is_dir() else [path], self.output)
        if self.target is not None and len(packages) != 1:
            names = ", ".join(str(package.catalog) for package in packages)
            raise UsageError(
                f"{len(packages)} catalogs can't be written to one --output file: {names}", hint="Remove --output."
            )
        places = [self.target or package.catalog for package in packages]
        lost = {place: self._lost_signers(place) for place in places}

        def made(package: DriverPackage, place: Path) -> FileResult:
            return _written(self._of_package(package), place, len({file.name for file in package.files}), lost[place])

        pairs = zip(packages, places, strict=True)
        results = (attempt(package.catalog, partial(made, package, place)) for package, place in pairs)
        done = self.output.told_each(results, teller(self.output), len(packages), "building", at_once=True)
        return [*done, *map(left_result, places[len(done) :])]

    def _of_package(self, package: DriverPackage) -> Catalog:
        from catalogs.build import build

        def each(work: Any, files: Any) -> Any:
            jobs = workers(self.jobs, len(files))
            return self.output.each(work, files, jobs=jobs, doing="hashing", run=in_processes)

        return build(package, self.choices.options(page_hashes=self.page_hashes), each=each)

    def _from_cdf(self, path: Path) -> FileResult:
        from catalogs import cdf
        from catalogs.inf.text import decode

        definition = cdf.parse(decode(read(path)).text, path, self.choices.catalog_version)
        place = self.target or definition.target
        lost = self._lost_signers(place)
        catalog = cdf.build(definition, self.choices.options(page_hashes=self.page_hashes))
        if self.target is None:
            ensure_folder(place.parent)
        return _written(catalog, place, len({member.file or member.digest for member in catalog.members}), lost)

    def _of_files(self, files: list[LooseFile], target: Path) -> FileResult:
        lost = self._lost_signers(target)
        options = self.choices.options(page_hashes=self.page_hashes)
        catalog = built_catalog(files, options, target.name, self.output, self.jobs)
        return _written(catalog, target, len(files), lost)

    def _lost_signers(self, place: Path) -> tuple[str, ...]:
        """Return the names of the other signers whose signatures a new catalog replaces. Raises ForeignSignature.

        Cryptography and the test certificates, which take a quarter of a small build, are loaded only for a signed one.
        """
        if not is_signed(place):
            return ()
        from signer.operations.ownership import require_replaceable_target

        return require_replaceable_target(place, self.own(), replace=self.replace)


def sources_of(path: Path, choices: CatalogChoices) -> list[Path]:
    """Return the files that the catalogs of an INF, a folder or a .cdf depend on."""
    if path.suffix.lower() == ".cdf":
        from catalogs import cdf
        from catalogs.inf.text import decode

        members = cdf.parse(decode(read(path)).text, path).members
        return [path, *(path.parent / member.path for member in members)]
    packages = choices.survey(path if path.is_dir() else [path]).packages
    return [file.path for package in packages for file in package.files]


def _written(catalog: Catalog, target: Path, files: int, replaced: tuple[str, ...]) -> FileResult:
    from signer.algorithms import DigestAlgorithm

    data = catalog.to_bytes()
    write_atomically(target, data)
    algorithm = DigestAlgorithm.SHA1 if catalog.version == 1 else DigestAlgorithm.SHA256
    note = f"version {catalog.version}, {counted(files, 'file')}"
    return FileResult(target, "built", algorithm, algorithm.hash(data), note=note, replaced=replaced)


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
