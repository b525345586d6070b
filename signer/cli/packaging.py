"""Sign the packages of one call of `drvsign package`: in place, or copies in another folder."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.cli.interrupts import deferred, postponed, requested
from signer.cli.options.common import readers, workers
from signer.cli.options.depfile import recorded_sources
from signer.cli.options.profile import ResolvedProfile
from signer.cli.output import Output
from signer.cli.processes import MIN_BATCHES, in_processes, is_worth_forking
from signer.cli.release import verification
from signer.cli.reporting import Reporting
from signer.cli.waiting import in_threads_waiting
from signer.errors import SignerError, UsageError
from signer.records import dataclass
from signer.storage.files import ensure_folder, read, remove, temporary_folder
from signer.storage.folders import walk
from signer.storage.patching import patch_atomically
from signer.storage.recovery import UnfinishedRuns
from signer.storage.transaction import atomic_update

if TYPE_CHECKING:
    from catalogs.package.driver_package import DriverPackage, PackageFile
    from catalogs.signing import Committing, FileOutcome, PackagingOptions
    from catalogs.verification.gathered import Gathered
    from signer.keys.identity import SigningIdentity

_MIN_BATCH, _MAX_BATCH = 8, 16
"""Batch sizes for a process: a small file takes up to a millisecond."""
_IN_THREADS = partial(in_threads_waiting, left=lambda _: None)


def _nothing_gathered() -> Gathered:
    from catalogs.verification.gathered import Gathered

    return Gathered()


@dataclass(frozen=True, slots=True)
class PackageCall:
    """What one call signs, and how."""

    output: Output
    reporting: Reporting
    folder: Path
    output_dir: Path | None
    """The folder for the signed copies; None to sign in place."""
    packages: list[DriverPackage]
    signer: SigningIdentity
    options: PackagingOptions
    chosen: ResolvedProfile
    jobs: int
    depfile: Path | None = None
    """The file with the dependencies, which records what an earlier call wrote."""
    gathered: Gathered = field(default_factory=_nothing_gathered)
    """The evidence of the new files, from the check before they are moved to their places."""

    @property
    def result(self) -> Path:
        """The folder with the signed package."""
        return self.output_dir or self.folder

    def each(self, work: Callable[[Any], Any], files: Sequence[Any]) -> list[Any]:
        """Sign files in other processes, or if signing waits for a server as `each_here`. Results must be picklable.

        After an interrupt, no process and no thread writes another file.
        """
        if self._waits():
            return self.each_here(work, files)
        return self._in_processes(work, files, workers(self.jobs, len(files)))

    def read_each(self, work: Callable[[Any], Any], files: Sequence[PackageFile]) -> list[Any]:
        """Process files that are only read, in other processes if there are many. Results must be picklable."""
        return self._in_processes(work, files, readers(self.jobs, [file.path for file in files]))

    def each_here(self, work: Callable[[Any], Any], files: Sequence[Any]) -> list[Any]:
        """Process files in threads of this process, where results are kept in memory."""
        return self._shown(work, files, workers(self.jobs, len(files)), _IN_THREADS)

    def _in_processes(self, work: Callable[[Any], Any], files: Sequence[Any], threads: int) -> list[Any]:
        """Process files in other processes, or a few files in this number of threads."""
        jobs = workers(self.jobs, len(files))
        batch = max(_MIN_BATCH, min(_MAX_BATCH, len(files) // (jobs * MIN_BATCHES)))
        if is_worth_forking(len(files), jobs, batch):
            return self._shown(work, files, jobs, partial(in_processes, batch=batch))
        return self._shown(work, files, threads, _IN_THREADS)

    def _shown(self, work: Callable[[Any], Any], files: Sequence[Any], jobs: int, run: Any) -> list[Any]:
        return self.output.each(work, files, jobs=jobs, doing="signing and hashing", run=run)

    def _waits(self) -> bool:
        """Whether signing waits for others: the key is in a token or a service, or a timestamp authority is asked."""
        from signer.keys.local import LocalKey

        return self.options.timestamper is not None or not isinstance(self.signer.key, LocalKey)

    def paths(self) -> list[Path]:
        """Return the drivers and catalogs of the packages. Raises SignerError."""
        from catalogs.package.images import kernel_images

        new = (one.path for package in self.packages for one in package.new_infs)
        return [*dict.fromkeys(new), *kernel_images(self.packages), *(package.catalog for package in self.packages)]

    def sign(self) -> tuple[list[FileOutcome], bool]:
        """Sign the packages in place, or copies of them in `output_dir`. Raises SignerError.

        Interrupts while the files are replaced are deferred; the second result is whether there was one.
        """
        from catalogs.signing import sign_packages

        def committing() -> contextlib.AbstractContextManager[None]:
            late.enter_context(postponed(signal.SIGTERM))
            late.enter_context(deferred(wholly=True))
            self.output.leave_begun()
            return contextlib.nullcontext()

        accept = verification(self.chosen, self.output)
        options = self.options if self.output_dir is None else self.checked_options()
        sign = partial(
            sign_packages,
            identity=self.signer,
            options=options,
            each=self.each,
            read_each=self.read_each,
            accept=accept,
            recovered=self.output.warn,
            gathered=self.gathered,
        )
        with contextlib.ExitStack() as late:
            if self.output_dir is None:
                made = sign(self.folder, self.packages, committing=committing)
            else:
                stale, lost = self._leftovers(self.output_dir), self._lost(self.output_dir)
                made = _elsewhere(self.packages, self.folder, self.output_dir, sign, self.output, committing)
                made = [replace(one, replaced=_union(one.replaced, lost.pop(one.path, ()))) for one in made]
                self._remove(stale)
                for path, names in lost.items():
                    self.output.note(f"replaced {path}, which had the signature of {' and '.join(names)}")
            return made, requested()

    def require_signable(self) -> None:
        """Sign the packages in memory, before a test identity is created for them. Raises the errors of signing."""
        from catalogs.rehearsal import rehearse_packages

        UnfinishedRuns().require_none(self.folder)
        options = self.checked_options()
        rehearse_packages(
            self.rehearsed_folder, self.packages, self.signer, options, each=self.each_here, read_each=self.read_each
        )

    @property
    def rehearsed_folder(self) -> Path | None:
        """The folder in which signing replaces files; None if it writes copies."""
        return self.folder if self.output_dir is None else None

    def _leftovers(self, target: Path) -> list[Path]:
        """Return what an earlier call wrote to `target` and the package no longer has. Raises FileError."""
        from catalogs.leftovers import leftovers

        ownership = self.options.known.of(self.signer.certificate)
        return leftovers(self.packages, self.folder, target, ownership, recorded_sources(self.depfile, target))

    def _lost(self, target: Path) -> dict[Path, tuple[str, ...]]:
        """Return the files in `target` that the results replace, and the other signers whose signatures are lost."""
        from signer.operations.ownership import require_replaceable_target

        ownership = self.options.known.of(self.signer.certificate)
        sources: dict[Path, Path | None] = {file.path: file.path for one in self.packages for file in one.files}
        sources |= dict.fromkeys(package.catalog for package in self.packages)
        found = {
            target / path.relative_to(self.folder): require_replaceable_target(
                target / path.relative_to(self.folder), ownership, replace=True, source=source
            )
            for path, source in sources.items()
        }
        return {path: names for path, names in found.items() if names}

    def _remove(self, stale: Sequence[Path]) -> None:
        for path in stale:
            remove(path)
            self.output.note(f"removed {path}: the package no longer has it")

    def checked_options(self) -> PackagingOptions:
        """Return the options for the files that are signed. Raises ForeignSignatures, UsageError.

        The signatures of a copy may be replaced, unless its driver is to stay as it is.
        """
        from catalogs.foreign_signatures import require_no_foreign, require_no_foreign_results

        options, ownership = self.options, self.options.known.of(self.signer.certificate)
        if self.output_dir is None:
            if not options.replace:
                require_no_foreign(self.packages, ownership, drivers=not options.skip_signed)
            return options
        _require_other_folder(self.folder, self.output_dir)
        if not options.replace:
            results = [_moved(package, self.folder, self.output_dir) for package in self.packages]
            require_no_foreign_results(self.packages, results, ownership)
        return replace(options, replace=not options.skip_signed)


def _require_other_folder(folder: Path, target: Path) -> None:
    """Raise UsageError if `target` is or contains `folder`."""
    whole, other = folder.resolve(), target.resolve()
    if whole == other or whole.is_relative_to(other):
        raise UsageError("--output-dir is the package's own folder", hint="Remove --output-dir to sign in place.")


def _elsewhere(
    packages: list[DriverPackage],
    folder: Path,
    target: Path,
    sign: Callable[[Path, list[DriverPackage]], list[FileOutcome]],
    output: Output,
    committing: Committing,
) -> list[FileOutcome]:
    """Sign copies of the packages' files, and move all of them to `target` in one update. Raises SignerError."""
    with temporary_folder() as copies:
        for path, new in {file.path: file.new for package in packages for file in package.files}.items():
            ensure_folder((copies / path.relative_to(folder)).parent)
            if new is None:
                patch_atomically(path, copies / path.relative_to(folder), None)
        moved = [_moved(package, folder, copies) for package in packages]
        try:
            made = sign(copies, moved)
        except SignerError as error:
            if error.path is not None and error.path.is_relative_to(copies):
                error.path = folder / error.path.relative_to(copies)
            raise
        ensure_folder(target)
        with atomic_update(target, recovered=output.warn, committing=committing) as transaction:
            for path in walk(copies):
                place = target / path.relative_to(copies)
                ensure_folder(place.parent)
                transaction.write(place, read(path))
    return [replace(one, path=target / one.path.relative_to(copies)) for one in made]


def _union(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, *others)))


def _moved(package: DriverPackage, folder: Path, copies: Path) -> DriverPackage:
    """Return the package with its files below another folder."""

    def to(path: Path) -> Path:
        return copies / path.relative_to(folder)

    files = tuple(replace(file, path=to(file.path)) for file in package.files)
    return replace(package, infs=tuple(map(to, package.infs)), catalog=to(package.catalog), files=files)
