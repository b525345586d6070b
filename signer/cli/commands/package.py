"""`drvsign package`: make a signed package from a folder with an INF and drivers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from signer.cli.exit_codes import ExitCode, code_of
from signer.cli.option_groups import command, examples
from signer.cli.options.certs import existing_folder, is_only_named, say_throw_away
from signer.cli.options.common import Jobs, SecretOptions
from signer.cli.options.depfile import DepFile, require_listable, signing_sources, write_depfile
from signer.cli.options.destinations import OutputFolder, require_folder_place
from signer.cli.options.identity import IdentityOptions
from signer.cli.options.package import CatalogChoices
from signer.cli.options.profile import ProfileOptions
from signer.cli.options.reports import ReportChoices
from signer.cli.options.signature import Replace, SignatureOptions
from signer.cli.options.templates import TemplateOptions
from signer.cli.options.timestamp import TimestampOptions
from signer.cli.output import Output
from signer.cli.package_verdict import PackageVerdict, package_verdict, roots_options
from signer.cli.packaging import PackageCall
from signer.cli.param_types import to_place
from signer.cli.rehearsal import rehearse
from signer.cli.release import require_fit, require_named
from signer.cli.reporting import Answer
from signer.cli.results import failure_as_result, finish, unchanged_if_interrupted
from signer.cli.signing import prepare_for
from signer.errors import UsageError
from signer.formats.detect import names
from signer.records import dataclass
from signer.reports.file_results import FileResult, problems_document, result_document, results_summary
from signer.storage.files import shell_quote
from signer.storage.folders import require_folder

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem
    from catalogs.package.driver_package import DriverPackage
    from catalogs.signing import FileOutcome, PackagingOptions
    from signer.pkcs7.signed_data import SigningOptions
    from signer.reports.model import Report
    from signer.reports.sink import Sink

app = typer.Typer(add_completion=False)

SkipSigned = Annotated[
    bool, typer.Option("--skip-signed", help="Leave drivers unchanged that have the signature of another signer.")
]


Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The package folder: an INF and its files.", parser=to_place)
]


DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Rehearse: sign a throw-away digest, ask the timestamp authority, build the catalogs in memory, "
        "and check the targets. Write nothing.",
    ),
]


@dataclass(frozen=True)
class PackagingManner:
    """Options for signatures of others, for the place of the results, and for a rehearsal."""

    replace: Replace = False
    skip_signed: SkipSigned = False
    output_dir: OutputFolder = None
    depfile: DepFile = None
    dry_run: DryRun = False

    def applied_to(self, packaging: PackagingOptions, identity: IdentityOptions) -> PackagingOptions:
        """Return the same, with these decisions about the signatures of other signers than those of `identity`."""
        known = identity.known_authorities()
        return replace(packaging, replace=self.replace, skip_signed=self.skip_signed, known=known)


@app.command(
    epilog=examples(
        "drvsign package driver/ --os 10_X64",
        "drvsign package driver/ --os 10_X64 --pfx contoso.pfx --password-env PFX_PASSWORD",
        "drvsign package driver/ --os 10_X64 --driver-version 1.2.3.4 --kmdf 1.15",
        "drvsign package driver/ --profile release",
        "drvsign package driver/ --profile release --dry-run",
        "drvsign package driver/ --report sarif=package.sarif",
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
    templates: TemplateOptions,
    reports: ReportChoices,
    manner: PackagingManner,
    jobs: Jobs = 0,
) -> None:
    """Sign the drivers of a package, build and sign its catalogs, and verify the result.

    A template (.inx) is stamped first, as drvsign inf stamp does: its INF is written beside it, or to --output-dir.
    All files change together, or none does. If a driver or a catalog has the signature of another signer, nothing
    changes without --replace, --skip-signed (for drivers) or --output-dir. The verdict for the
    newest release that the catalog is for is printed at the end; the exit code tells only whether signing succeeded.
    To let a verdict decide, name targets in a profile, or run drvsign verify.
    """
    output, reporting = reports.prepare(output, "package")
    with failure_as_result(output, folder):
        _require_sense(folder, signature, manner.output_dir)
    chosen = profiles.load(folder, identity.certs)
    said = chosen.settings
    signature, authorities, identity = signature.using(said), authorities.using(said), identity.using(said)
    secrets, choices, templates = secrets.using(said), choices.using(said), templates.using(said)
    require_named(chosen, is_test=identity.is_test)
    with failure_as_result(output, folder, with_problems=True):
        new_infs = templates.new_infs(folder, choices.build_time(), output)
        survey = choices.sound_survey(folder, output, new_infs)
    packages, problems = list(survey.packages), [*survey.problems, *_infverif(output, survey.packages)]
    require_listable(manner.depfile, [manner.output_dir or folder, *_files(packages)])
    prepare_for(_files(packages))
    options, _ = signature.resolve(output)
    is_new = identity.is_new
    signer = identity.open(secrets, output, in_memory=is_new)
    require_fit(chosen, signer, options, None, timestamped=authorities.is_wanted)
    packaging = manner.applied_to(_packaging(output, options, choices, authorities, signature), identity)
    place, depfile = manner.output_dir, manner.depfile
    call = PackageCall(output, reporting, folder, place, packages, signer, packaging, chosen, jobs, depfile)
    if manner.dry_run:
        _rehearse(call, problems, created=identity if is_new else None)
    if is_new:
        call = _with_new_identity(call, identity, secrets)
    made, interrupted = _sign(call, [*_files(packages), *signing_sources(identity, signature, chosen)])
    _report(call, made, problems, roots_options(identity, secrets, said, call.signer), interrupted=interrupted)
    _suggest_script(output, identity)


def _suggest_script(output: Output, identity: IdentityOptions) -> None:
    """Name the command that prepares the test machine for a test identity."""
    if identity.is_test:
        named = f" {shell_quote(existing_folder(identity.certs))}" if is_only_named(identity.certs) else ""
        output.note(f"To prepare the test machine: drvsign certs install-script{named}")


def _with_new_identity(call: PackageCall, identity: IdentityOptions, secrets: SecretOptions) -> PackageCall:
    """Create the test identity once the package can be signed, and return the call with it. Raises SignerError."""
    with (
        failure_as_result(call.output, call.folder),
        unchanged_if_interrupted(call.output, call.paths, "signed"),
    ):
        call.require_signable()
        return replace(call, signer=identity.open(secrets, call.output))


def _sign(call: PackageCall, sources: Sequence[Path]) -> tuple[list[FileOutcome], bool]:
    """Sign the package and write the depfile with these sources; return what was made, and if it was interrupted."""
    with (
        failure_as_result(call.output, call.folder),
        unchanged_if_interrupted(call.output, call.paths, "signed"),
    ):
        made, interrupted = call.sign()
    if call.depfile is not None:
        write_depfile(call.depfile, call.result / call.packages[0].catalog.relative_to(call.folder), sources)
    return made, interrupted


def _report(
    call: PackageCall,
    made: list[FileOutcome],
    problems: Sequence[PackageProblem],
    roots: str | None,
    *,
    interrupted: bool,
) -> None:
    """Verify the package, print the results, the verdict and the command that verifies further targets."""
    places = (call.folder, call.result)
    verdict = package_verdict(
        call.output, call.packages, places, call.signer, call.jobs, gathered=call.gathered, interrupted=interrupted
    )
    code = ExitCode.INTERRUPTED if verdict.is_interrupted else ExitCode.DONE
    _finish(call, [_result(one, call.signer.name) for one in made], verdict, problems, code)
    verdict.require_uninterrupted(call.output, call.result, len(made))
    verdict.suggest_matrix(call.output, call.result, roots)


def _infverif(output: Output, packages: Sequence[DriverPackage]) -> list[PackageProblem]:
    """Return and print InfVerif's warnings about the INFs of the packages."""
    from catalogs.lint import infverif_warnings

    problems = infverif_warnings(packages)
    for problem in problems:
        output.warn(str(problem))
    return problems


def _packaging(
    output: Output,
    options: SigningOptions,
    choices: CatalogChoices,
    authorities: TimestampOptions,
    signature: SignatureOptions,
) -> PackagingOptions:
    """Return the options for signatures and catalogs. Raises UsageError."""
    from catalogs.signing import PackagingOptions

    page_hashes = bool(signature.page_hashes)
    catalog = choices.options(page_hashes=page_hashes)
    return PackagingOptions(options, catalog, page_hashes, authorities.chooser(output)(options.digest))


def _rehearse(call: PackageCall, problems: Sequence[PackageProblem], *, created: IdentityOptions | None) -> NoReturn:
    """Print the planned results and their verdict. Raises typer.Exit, and the errors that signing would.

    `created` is the test identity that signing would create; None if it exists.
    """
    if created is not None:
        say_throw_away(created.certs, call.output)
    with failure_as_result(call.output, call.folder), unchanged_if_interrupted(call.output, call.paths, "signed"):
        done = rehearse(call, is_new_authority=created is not None)
    code = ExitCode.DONE if done.refusal is None else code_of(done.refusal)
    _finish(call, done.results, done.verdict, problems, code)
    call.output.note("This was a rehearsal: no file was written.")
    if done.refusal is not None:
        raise done.refusal
    raise typer.Exit(ExitCode.DONE)


def _finish(
    call: PackageCall,
    results: Sequence[FileResult],
    verdict: PackageVerdict,
    problems: Sequence[PackageProblem],
    code: ExitCode,
) -> None:
    """Print the results and the verdict; with --json as one document, with the warnings. Write the reports."""
    output = call.output

    def text(sink: Sink) -> None:
        finish(output, results)
        if not output.quiet:
            verdict.print(output)

    def document() -> dict[str, Any]:
        from signer.reports.verdict_json import document

        more = {"verdict": document(verdict.assessments), **problems_document(problems)}
        return result_document(results, more)

    def model() -> Report:
        from signer.reports.package_report import package_report

        return package_report(verdict.assessments, problems, call.folder, code)

    call.reporting.write(output, Answer(text, document, model))
    if call.reporting.stdout != "text" and len(results) > 1:
        output.note(results_summary(results))
    if output.quiet:
        verdict.warn(output)


def _files(packages: list[DriverPackage]) -> list[Path]:
    return [file.origin for package in packages for file in package.files]


def _require_sense(folder: Path, signature: SignatureOptions, output_dir: Path | None) -> None:
    """Raise UsageError for options that packages don't support, FileError for a path that can't be a folder."""
    if signature.dual:
        only = names(lambda row: row.features.dual)
        raise UsageError(f"--dual applies only to {only}: a catalog has one signature", hint="Sign the drivers first.")
    require_folder(folder, hint="Name the folder that contains the INF.")
    if output_dir is not None:
        require_folder_place(output_dir)


def _result(made: FileOutcome, signer: str) -> FileResult:
    name = signer if made.is_signed else None
    return FileResult(made.path, made.action, made.algorithm, made.digest, name, made.note, replaced=made.replaced)
