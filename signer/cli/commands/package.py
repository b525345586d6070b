"""`drvsign package`: make a signed package from a folder with an INF and drivers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.options.common import Jobs, SecretOptions, workers
from signer.cli.options.depfile import DepFile, require_listable, signing_sources, write_depfile
from signer.cli.options.destinations import OutputFolder
from signer.cli.options.identity import IdentityOptions
from signer.cli.options.package import CatalogChoices
from signer.cli.options.profile import ProfileOptions, ResolvedProfile
from signer.cli.options.signature import Replace, SignatureOptions
from signer.cli.options.timestamp import TimestampOptions
from signer.cli.output import Output
from signer.cli.package_verdict import PackageVerdict, package_verdict
from signer.cli.param_types import to_input
from signer.cli.rehearsal import rehearse
from signer.cli.release import require_fit, require_named, verification
from signer.cli.results import failure_as_result, finish
from signer.cli.signing import prepare_for
from signer.errors import FileError, SignerError, UsageError
from signer.formats.detect import names
from signer.reports.file_results import FileResult, problems_document
from signer.storage.files import ensure_folder, read, remove, shell_quote, temporary_folder
from signer.storage.folders import walk
from signer.storage.patching import patch_atomically
from signer.storage.transaction import atomic_update

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem
    from catalogs.package.driver_package import DriverPackage
    from catalogs.signing import Each, FileOutcome, PackagingOptions
    from signer.config import Settings
    from signer.keys.identity import SigningIdentity

app = typer.Typer(add_completion=False)

SkipSigned = Annotated[
    bool, typer.Option("--skip-signed", help="Leave drivers unchanged that have the signature of another signer.")
]


Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The package folder: an INF and its files.", parser=to_input)
]


DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Rehearse: sign a throw-away digest, ask the timestamp authority, build the catalogs in memory, "
        "and check the targets. Write nothing.",
    ),
]


@app.command(
    epilog=examples(
        "drvsign package driver/ --os 10_X64",
        "drvsign package driver/ --os 10_X64 --pfx contoso.pfx --password-env PFX_PASSWORD",
        "drvsign package driver/ --profile release",
        "drvsign package driver/ --profile release --dry-run",
    )
)
@command
def package(
    output: Output,
    folder: Folder,
    choices: CatalogChoices,
    identity: IdentityOptions,
    secrets: SecretOptions,
    signature: SignatureOptions,
    authorities: TimestampOptions,
    profiles: ProfileOptions,
    replace_signatures: Replace = False,
    skip_signed: SkipSigned = False,
    output_dir: OutputFolder = None,
    depfile: DepFile = None,
    dry_run: DryRun = False,
    jobs: Jobs = 0,
) -> None:
    """Sign the drivers of a package, build and sign its catalogs, and verify the result.

    All files change together, or none does. If a driver or a catalog has the signature of another signer, nothing
    changes without --replace, --skip-signed (for drivers) or --output-dir. The verdict for the
    newest release that the catalog is for is printed at the end; the exit code tells only whether signing succeeded.
    """
    from catalogs.signing import PackagingOptions

    with failure_as_result(output, folder):
        _require_sense(folder, signature)
    chosen = profiles.load(folder, identity.certs)
    said = chosen.settings
    signature, authorities, identity = signature.using(said), authorities.using(said), identity.using(said)
    require_named(chosen, is_test=identity.is_test)
    choices = choices.using(said)
    with failure_as_result(output, folder, with_problems=True):
        survey = choices.sound_survey(folder, output)
    packages, each = list(survey.packages), _each(output, jobs)
    require_listable(depfile, [output_dir or folder, *_files(packages)])
    prepare_for(_files(packages))
    options, _ = signature.resolve(output)
    signer = identity.open(secrets.using(said), output)
    require_fit(chosen, signer, options, None, timestamped=authorities.is_wanted)
    pages = bool(signature.page_hashes)
    packaging = PackagingOptions(
        options,
        choices.options(page_hashes=pages),
        pages,
        authorities.chooser(output)(options.digest),
        replace=replace_signatures,
        skip_signed=skip_signed,
        known=identity.known_authorities(),
    )
    with failure_as_result(output, folder):
        if dry_run:
            planned, verdict = rehearse(output, packages, signer, packaging, chosen, each)
        else:
            made = _signed(output, folder, output_dir, packages, signer, packaging, chosen, each)
    if dry_run:
        _finish(output, planned, verdict, survey.problems)
        raise typer.Exit(ExitCode.REJECTED if chosen.profile and verdict.rejected else ExitCode.DONE)
    result = output_dir or folder
    if depfile is not None:
        sources = [*_files(packages), *signing_sources(identity, signature, chosen)]
        write_depfile(depfile, result / packages[0].catalog.relative_to(folder), sources)
    verdict = package_verdict(output, packages, (folder, result), signer, jobs)
    _finish(output, [_result(one, signer.name) for one in made], verdict, survey.problems)
    verdict.suggest_matrix(output, result, _trusted(identity, said))
    if identity.is_test:
        output.note("To prepare the test machine: drvsign certs install-script")


def _signed(
    output: Output,
    folder: Path,
    output_dir: Path | None,
    packages: list[DriverPackage],
    signer: SigningIdentity,
    options: PackagingOptions,
    chosen: ResolvedProfile,
    each: Each,
) -> list[FileOutcome]:
    """Sign the packages in place, or copies of them in `output_dir`. Raises SignerError."""
    from catalogs.signing import sign_packages

    checked = partial(sign_packages, accept=verification(chosen, output), recovered=output.warn)
    sign = partial(checked, identity=signer, each=each)
    if output_dir is None:
        return sign(folder, packages, options=options)
    _require_replaceable(packages, folder, output_dir, signer, options)
    copying = partial(sign, options=replace(options, replace=not options.skip_signed))
    return _elsewhere(packages, folder, output_dir, copying, output)


def _require_replaceable(
    packages: list[DriverPackage], folder: Path, target: Path, signer: SigningIdentity, options: PackagingOptions
) -> None:
    """Raise ForeignSignatures if a signed result would replace a file that only others have signed."""
    from catalogs.signing import require_no_foreign_results

    if options.replace:
        return
    results = [_moved(package, folder, target) for package in packages]
    require_no_foreign_results(packages, results, options.known.of(signer.certificate))


def _finish(
    output: Output, results: Sequence[FileResult], verdict: PackageVerdict, problems: Sequence[PackageProblem]
) -> None:
    """Print the results and the verdict; with --json as one document, with the warnings."""
    from signer.reports.verdict_json import document

    more = {"verdict": document(verdict.assessments), **problems_document(problems)} if output.json else None
    finish(output, results, more)
    if not output.quiet:
        verdict.print(output)


def _trusted(identity: IdentityOptions, settings: Settings) -> str:
    """Return the options with which `verify` trusts the roots of this call and its profile."""
    folder = f" --certs {shell_quote(identity.certs)}" if identity.is_test and identity.certs is not None else ""
    return folder + "".join(f" --root {shell_quote(root)}" for root in settings.roots)


def _files(packages: list[DriverPackage]) -> list[Path]:
    return [file.path for package in packages for file in package.files]


def _each(output: Output, jobs: int) -> Callable[[Any, Any], Any]:
    """Return a function that processes files in parallel with a progress bar."""
    return lambda work, files: output.each(work, files, jobs=workers(jobs, len(files)), doing="signing and hashing")


def _require_sense(folder: Path, signature: SignatureOptions) -> None:
    """Raise UsageError for options that packages don't support, FileError if the path is not a folder."""
    if signature.dual:
        only = names(lambda row: row.features.dual)
        raise UsageError(f"--dual applies only to {only}: a catalog has one signature", hint="Sign the drivers first.")
    if not folder.is_dir():
        what = "this is a file, not a folder" if folder.exists() else "folder not found"
        raise FileError(what, path=folder, hint="Name the folder that contains the INF.")


def _elsewhere(
    packages: list[DriverPackage],
    folder: Path,
    target: Path,
    sign: Callable[[Path, list[DriverPackage]], list[FileOutcome]],
    output: Output,
) -> list[FileOutcome]:
    """Sign copies of the packages' files, and move all of them to `target` in one update.

    Raises UsageError if `target` is or contains `folder`, SignerError.
    """
    whole, other = folder.resolve(), target.resolve()
    if whole == other or whole.is_relative_to(other):
        raise UsageError("--output-dir is the package's own folder", hint="Remove --output-dir to sign in place.")
    from catalogs.package.file_list import leftovers

    with temporary_folder() as copies:
        for path in dict.fromkeys(file.path for package in packages for file in package.files):
            ensure_folder((copies / path.relative_to(folder)).parent)
            patch_atomically(path, copies / path.relative_to(folder), None)
        moved = [_moved(package, folder, copies) for package in packages]
        try:
            made = sign(copies, moved)
        except SignerError as error:
            if error.path is not None and error.path.is_relative_to(copies):
                error.path = folder / error.path.relative_to(copies)
            raise
        stale = leftovers(packages, folder, target)
        ensure_folder(target)
        with atomic_update(target, recovered=output.warn) as transaction:
            for path in walk(copies):
                place = target / path.relative_to(copies)
                ensure_folder(place.parent)
                transaction.write(place, read(path))
    for path in stale:
        remove(path)
        output.note(f"removed {path}: the INF no longer lists it")
    return [replace(one, path=target / one.path.relative_to(copies)) for one in made]


def _moved(package: DriverPackage, folder: Path, copies: Path) -> DriverPackage:
    """Return the package with its files below another folder."""

    def to(path: Path) -> Path:
        return copies / path.relative_to(folder)

    files = tuple(replace(file, path=to(file.path)) for file in package.files)
    return replace(package, infs=tuple(map(to, package.infs)), catalog=to(package.catalog), files=files)


def _result(made: FileOutcome, signer: str) -> FileResult:
    name = signer if made.action != "skipped" else None
    return FileResult(made.path, made.action, made.algorithm, made.digest, name, made.note, replaced=made.replaced)
