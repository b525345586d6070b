"""`drvsign submission`: build and check Hardware Dev Center submissions, and compare what the portal returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.commands.submission_check import check, require_finished
from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.options.common import SecretOptions, now
from signer.cli.options.depfile import DepFile, recorded_target, require_listable, write_depfile
from signer.cli.options.directives import Define, named_directives, read_named, sources_of
from signer.cli.options.identity import IdentityOptions
from signer.cli.options.profile import ProfileOptions, ResolvedProfile
from signer.cli.options.signature import SignatureOptions
from signer.cli.options.timestamp import TimestampOptions
from signer.cli.output import Output
from signer.cli.param_types import to_output, to_place
from signer.cli.release import require_fit, require_named
from signer.cli.results import finish
from signer.errors import PackageError, UsageError
from signer.formats.detect import names
from signer.numbers import counted
from signer.records import dataclass
from signer.reports.file_results import FileResult
from signer.reports.problems import write_problems
from signer.storage.files import ensure_folder, remove, temporary_folder, write_atomically
from signer.storage.streams import is_stream

if TYPE_CHECKING:
    from catalogs.submission.compare import Returned
    from catalogs.submission.package import Submission

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Build, check and compare Hardware Dev Center submissions.",
    epilog=examples("drvsign submission build driver/ -o driver.cab", "drvsign submission check driver.cab"),
)
Folders = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR|X.ddf",
        help="Driver package folders, or the directives of makecab (.ddf).",
        show_default=False,
        parser=to_place,
    ),
]


Unsigned = Annotated[bool, typer.Option("--unsigned", help="Do not sign the cabinet.")]
ReplaceCabinet = Annotated[bool, typer.Option("--replace", help="Replace a cabinet that another signer signed too.")]
CabinetFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="X.cab",
        help="The cabinet to write. Default: next to the first folder, with its name.",
        show_default=False,
        parser=to_output,
    ),
]


@app.command(
    epilog=examples(
        "drvsign submission build driver/ -o driver.cab --identity 'pkcs11:object=ev' --password-env PIN",
        "drvsign submission build driver/ -o driver.cab --profile release",
        "drvsign submission build bus/ function/ -o both.cab --unsigned",
        "drvsign submission build driver.ddf --unsigned",
    )
)
@command
def build(
    output: Output,
    folders: Folders,
    identity: IdentityOptions,
    secrets: SecretOptions,
    signature: SignatureOptions,
    authorities: TimestampOptions,
    profiles: ProfileOptions,
    cabinet: CabinetFile = None,
    unsigned: Unsigned = False,
    replace_cabinet: ReplaceCabinet = False,
    define: Define = None,
    depfile: DepFile = None,
) -> None:
    """Build the cabinet for the portal: one folder per package, MSZIP-compressed, signed.

    A .ddf says which files are in which folders of the cabinet. For folders the INFs say it, and X.ddf next to the
    cabinet tells makecab how to build the same one; --output - and devices get the cabinet alone. With --depfile, the
    cabinet and the .ddf that an earlier call wrote under another name are removed. No cabinet is written if the package
    breaks a rule of the portal. Name the signer, or add --unsigned; a test certificate is refused with exit code 1. An
    existing cabinet that only another signer signed is not replaced without --replace.
    """
    _require_sense(signature, unsigned=unsigned)
    require_finished(folders)
    chosen = profiles.load(folders[0])
    said = chosen.settings
    identity = identity.using(said)
    if not unsigned:
        _require_identity(identity, chosen)
    given = named_directives(folders, define, output)
    submission = read_named(folders, given, now().astimezone(UTC).date())
    _require_no_errors(submission, folders[0])
    cabinet = cabinet or (given.target if given is not None else _beside(folders[0]))
    sources = sources_of(folders, given, submission)
    require_listable(depfile, [cabinet, *sources])
    for problem in submission.problems:
        output.warn(str(problem))
    options = replace(signature.using(said), page_hashes=None)
    signing = _Signing(identity, secrets.using(said), options, authorities.using(said), replace_cabinet)
    if given is not None:
        ensure_folder(cabinet.parent)
    results = [_made(output, submission, cabinet, signing, chosen, unsigned=unsigned)]
    results += _directives(submission, cabinet) if given is None else ()
    if depfile is not None:
        if given is None:
            _remove_renamed(output, recorded_target(depfile), cabinet)
        write_depfile(depfile, cabinet, sources)
    finish(output, results)


def _directives(submission: Submission, cabinet: Path) -> Iterator[FileResult]:
    """Write the directives for makecab next to the cabinet, unless that is a pipe or a device."""
    from catalogs.submission.cabinet import directives

    if is_stream(cabinet):
        return
    listing = _listing(cabinet)
    write_atomically(listing, directives(submission, cabinet).encode("utf-8"))
    yield FileResult(listing, "built", note="for makecab")


def _listing(cabinet: Path) -> Path:
    """Return the path of the directives for makecab."""
    return cabinet.with_suffix(".ddf")


def _remove_renamed(output: Output, earlier: Path | None, cabinet: Path) -> None:
    """Remove the cabinet that an earlier call wrote beside `cabinet`, and its directives; not one of another signer."""
    from signer.operations.ownership import NOBODY, signers_of_file

    if earlier is None or earlier == cabinet or (earlier.parent, earlier.suffix) != (cabinet.parent, cabinet.suffix):
        return
    own = NOBODY.of(*(one.certificate for one in signers_of_file(cabinet, NOBODY)))
    if not all(one.is_own for one in signers_of_file(earlier, own)):
        return
    for path in filter(Path.is_file, (earlier, _listing(earlier))):
        remove(path)
        output.note(f"removed {path}: the cabinet is now {cabinet}")


def _require_sense(signature: SignatureOptions, *, unsigned: bool) -> None:
    """Raise UsageError for options that cabinets don't support or the portal rejects."""
    if signature.page_hashes or signature.dual:
        only = names(lambda row: row.features.page_hashes or row.features.dual)
        raise UsageError(f"--page-hashes and --dual apply only to {only}", hint="Remove these options.")
    if not signature.algorithm().modern and not unsigned:
        raise UsageError("the portal requires a SHA-256 signature on the cabinet", field="--digest")


def _require_identity(identity: IdentityOptions, chosen: ResolvedProfile) -> None:
    """Raise UsageError without a signer: the portal refuses the test identity, which other commands sign with."""
    require_named(chosen, is_test=identity.is_test)
    if identity.is_test and identity.certs is None:
        raise UsageError(
            "no signer is named: the portal refuses cabinets that the test identity signed",
            hint="Name the certificate that is registered with the portal account, such as --identity URI, or add "
            "--unsigned.",
        )


app.command(epilog=examples("drvsign submission check driver/", "drvsign submission check driver.cab --json"))(check)


@app.command(
    epilog=examples("drvsign submission compare driver.cab signed.zip", "drvsign submission compare driver/ signed/")
)
@command
def compare(
    output: Output,
    sent: Annotated[
        Path,
        typer.Argument(
            metavar="SENT", help="The folder or cabinet that was submitted.", show_default=False, parser=to_place
        ),
    ],
    received: Annotated[
        Path,
        typer.Argument(
            metavar="RECEIVED",
            help="The folder, .zip or .cab that the portal returned.",
            show_default=False,
            parser=to_place,
        ),
    ],
) -> None:
    """Check that what the portal returned is what was sent, signed by Microsoft. Exit code 1 if not.

    Drivers are compared by their digests without signatures; signatures are verified against the release roots;
    each catalog must list every file of its package; INF changes are shown.
    """
    from catalogs.submission.compare import compare as compare_folders
    from catalogs.submission.unpack import unpack_submission

    with temporary_folder() as folder:
        before, after = unpack_submission(sent, folder / "sent"), unpack_submission(received, folder / "received")
        found = compare_folders(before, after)
    if output.json:
        output.document(_returned_document(found))
    else:
        _print_returned(output, found)
    if found.errors:
        raise typer.Exit(ExitCode.REJECTED)


def _returned_document(found: Returned) -> dict[str, Any]:
    return {
        "schema": "drvsign.submission-comparison/1",
        "accepted": not found.errors,
        "files": [
            {
                "file": str(file.name),
                "state": file.state,
                "signatures": [{"class": kind, "signer": name} for kind, name in file.portal_signatures.signers]
                if file.portal_signatures
                else None,
                "difference": list(file.difference),
            }
            for file in found.files
        ],
        "problems": [problem.as_json() for problem in found.problems],
    }


def _print_returned(output: Output, found: Returned) -> None:
    rows = [
        (
            file.name,
            file.state,
            ", ".join(f"{name} ({kind})" for kind, name in file.portal_signatures.signers)
            if file.portal_signatures
            else "",
        )
        for file in found.files
    ]
    output.table(("File", "State", "Signed by"), rows)
    for file in found.files:
        for line in file.difference:
            output.print(line)
    write_problems(found.problems, output)


@dataclass(frozen=True)
class _Signing:
    """How the cabinet is signed."""

    identity: IdentityOptions
    secrets: SecretOptions
    signature: SignatureOptions
    authorities: TimestampOptions
    replace: bool
    """Whether a cabinet of another signer at the target is replaced."""


def _made(
    output: Output,
    submission: Submission,
    target: Path,
    signing: _Signing,
    chosen: ResolvedProfile,
    *,
    unsigned: bool,
) -> FileResult:
    """Write the cabinet; sign it unless it is to be `unsigned`. Raises SignerError."""
    import os

    from catalogs.submission.cabinet import build as build_cabinet
    from signer.operations.ownership import require_replaceable_target

    time = now() if os.environ.get("SOURCE_DATE_EPOCH") else None
    note = f"{counted(len(submission.packages), 'package')}, {counted(len(submission.files), 'file')}"
    known = signing.identity.known_authorities()
    if unsigned:
        lost = require_replaceable_target(target, known, replace=signing.replace)
        write_atomically(target, build_cabinet(submission, time=time))
        return FileResult(target, "built", note=f"{note}, unsigned", replaced=lost)
    from catalogs.submission.signer import require_submittable
    from signer.operations.sign import sign_file

    options, _ = signing.signature.resolve(output)
    signer = signing.identity.open(signing.secrets, output, in_memory=True)
    require_fit(chosen, signer, options, None, timestamped=signing.authorities.is_wanted, for_portal=True)
    require_submittable(signer.certificate, (*signer.chain, *options.certificates))
    lost = require_replaceable_target(target, known.of(signer.certificate), replace=signing.replace)
    timestamper = signing.authorities.chooser(output)(options.digest)
    signed = sign_file(build_cabinet(submission, time=time), signer, options, timestamper=timestamper)
    ((_, whole),) = signed.changes.patches
    write_atomically(target, whole)
    return FileResult(target, "signed", signed.algorithm, signed.digest, signer.name, note, replaced=lost)


def _beside(folder: Path) -> Path:
    """Return the default cabinet path: next to the folder, because the next submission would include it in there."""
    whole = folder if folder.name not in ("", "..") else folder.resolve()
    return whole.parent / f"{whole.name or 'submission'}.cab"


def _require_no_errors(submission: Submission, path: Path) -> None:
    errors = submission.errors
    if errors:
        text = f"{len(errors)} errors prevent" if len(errors) > 1 else "1 error prevents"
        raise PackageError(f"{text} this submission", problems=errors, path=path)
