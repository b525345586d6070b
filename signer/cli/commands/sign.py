"""`drvsign sign`: sign drivers, catalogs and other files, each on its own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from signer.cli.option_groups import command, examples
from signer.cli.options.common import Append, Jobs, KeepGoing, Paths, SecretOptions, workers
from signer.cli.options.depfile import DepFile, require_listable, signing_sources, write_depfile
from signer.cli.options.destinations import Destination, require_place
from signer.cli.options.identity import IdentityOptions
from signer.cli.options.profile import ProfileOptions, ResolvedProfile
from signer.cli.options.signature import Replace, SignatureOptions
from signer.cli.options.timestamp import TimestampOptions
from signer.cli.output import Output
from signer.cli.param_types import to_output
from signer.cli.paths import expand_relative, require_existing
from signer.cli.processes import in_processes, in_processes_together
from signer.cli.release import require_fit, require_named
from signer.cli.results import attempt, finish, finish_told, left_result, teller, unchanged_if_interrupted, with_lost
from signer.cli.signing import FileSigner, prepare_for, write_request
from signer.cli.waiting import WaitingKey, in_threads_waiting
from signer.errors import UsageError
from signer.formats.detect import by_suffix, is_signable, names, titles
from signer.records import dataclass
from signer.reports.file_results import FileResult
from signer.storage.files import shell_quote
from signer.storage.streams import is_stream

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class SigningMode:
    """Options for existing signatures and for the destination of the new one."""

    append: Append = False
    replace: Replace = False
    skip_signed: Annotated[bool, typer.Option("--skip-signed", help="Skip files that are already signed.")] = False
    detached: Annotated[
        Path | None,
        typer.Option(
            "--detached",
            metavar="FILE",
            help="Write the signature (PKCS #7, DER) to FILE and leave PATH unchanged.",
            parser=to_output,
        ),
    ] = None
    request: Annotated[
        Path | None,
        typer.Option(
            "--detached-request",
            metavar="FILE",
            help="Write the data that an external key has to sign; complete it with `drvsign attach`.",
            parser=to_output,
        ),
    ] = None

    def require_sense(self, signature: SignatureOptions) -> None:
        """Raise UsageError for --append with an option that it can't be combined with."""
        if self.append and self.replace:
            raise UsageError("--append and --replace can't be combined", hint="Remove one of them.")
        if self.append and signature.dual:
            raise UsageError("--append and --dual can't be combined", hint="Append one signature at a time.")


@app.command(
    epilog=examples(
        "drvsign sign toaster.sys",
        "drvsign sign build/*.sys --pfx contoso.pfx --password-env PFX_PASSWORD --page-hashes --output-dir signed",
    )
)
@command
def sign(
    output: Output,
    paths: Paths,
    identity: IdentityOptions,
    secrets: SecretOptions,
    signature: SignatureOptions,
    authorities: TimestampOptions,
    destination: Destination,
    profiles: ProfileOptions,
    manner: SigningMode,
    depfile: DepFile = None,
    keep_going: KeepGoing = False,
    jobs: Jobs = 0,
) -> None:
    """Sign drivers, catalogs and other files, each on its own.

    An existing signature of the same signer or of your test certificates is replaced unless --append is given. If a
    file has the signature of another signer, nothing is signed without --append, --replace, --output or --output-dir.
    Nothing else in a file changes, and a file that can't be signed stays unchanged.
    """
    chosen = profiles.load(paths[0] if paths[0].is_dir() else paths[0].parent)
    said = chosen.settings
    signature, authorities = signature.using(said), authorities.using(said)
    if manner.request is not None:
        _write_request(output, paths, signature, identity, manner.request)
        return
    manner.require_sense(signature)
    targets = _targets(output, paths, destination, manner.detached, keep_going)
    if depfile is not None:
        _require_one_made_from_another(targets, manner.detached)
        require_listable(depfile, [*targets, *targets.values()])
    identity = identity.using(said)
    require_named(chosen, is_test=identity.is_test)
    with unchanged_if_interrupted(output, lambda: list(targets), "signed"):
        secrets, is_new = secrets.using(said), identity.is_new
        signer = _signer(output, identity, secrets, signature, authorities, manner, chosen)
        refused = _refused(output, signer, targets, manner.detached, jobs)
    if refused and not keep_going:
        finish(output, [refused.get(path) or FileResult(path, "skipped", note="not signed") for path in targets])
    destination.create_folders(targets)
    left = {source: target for source, target in targets.items() if source not in refused}
    if is_new and any(map(signer.can_sign, left)):  # a test identity is created only for a file that it will sign
        signer = signer.with_identity(identity.open(secrets, output))
    signed = _sign_each(output, signer, left, manner.detached, jobs)
    results = refused | dict(zip(left, signed, strict=False))  # fewer after an interrupt
    if depfile is not None and results and not any(result.error for result in results.values()):
        ((source, target),) = targets.items()
        write_depfile(depfile, manner.detached or target, [source, *signing_sources(identity, signature, chosen)])
    finish_told(output, results, list(targets), "signed")


def _targets(
    output: Output, paths: list[Path], destination: Destination, detached: Path | None, keep_going: bool
) -> dict[Path, Path]:
    """Return each file to sign with the path of its result; a path that is missing is an error unless `keep_going`."""
    if not keep_going:
        require_existing(paths)
    files = expand_relative(paths, lambda path: _is_signable(path, output), names(), missing_ok=True)
    if detached is None:
        targets = destination.of(files, output)
        prepare_for(targets)
        return targets
    if destination != Destination():
        raise UsageError("--detached can't be combined with --output: it changes no file", hint="Remove --output.")
    if len(files) != 1:
        raise UsageError(f"{len(files)} signatures can't be written to one --detached file", hint="Name one file.")
    require_place(detached)
    return {path: path for path in files}


def _refused(
    output: Output, signer: FileSigner, targets: dict[Path, Path], detached: Path | None, jobs: int
) -> dict[Path, FileResult]:
    """Return a failed result for each file whose signature of another signer would be replaced; change no file."""
    if detached is not None or signer.job.replace:
        return {}
    places, count = list(targets.items()), workers(jobs, len(targets))
    refusals = with_lost(in_processes(signer.refusal, places, count), list(targets))
    found = output.shown(refusals, len(places), "reading signatures")
    return {path: result for path, result in zip(targets, found, strict=True) if result is not None}


def _sign_each(
    output: Output, signer: FileSigner, targets: dict[Path, Path], detached: Path | None, jobs: int
) -> list[FileResult]:
    """Sign every file, in processes if there are many and the key can be used there."""
    if detached is not None:
        apart = (attempt(path, partial(signer.sign_apart, path, detached)) for path in targets)
        return output.told_each(apart, teller(output), len(targets), "signing")
    places, count = list(targets.items()), workers(jobs, len(targets))
    if signer.waits():
        found = in_threads_waiting(
            lambda place: signer.sign_each([place])[0], places, count, lambda place: left_result(place[0])
        )
    else:
        found = with_lost(in_processes_together(signer.sign_each, places, count, _size), list(targets))
    return output.told_each(found, teller(output), len(places), "signing")


def _size(place: tuple[Path, Path]) -> int:
    """Return the size of a source in bytes; 0 for one that can't be read, which signing reports."""
    try:
        return place[0].stat().st_size
    except OSError:
        return 0


def _signer(
    output: Output,
    identity: IdentityOptions,
    secrets: SecretOptions,
    signature: SignatureOptions,
    authorities: TimestampOptions,
    manner: SigningMode,
    chosen: ResolvedProfile,
) -> FileSigner:
    """Return how each file is signed, by a test identity in memory if there is none yet.

    Raises UsageError for options that the profile excludes, SignerError for the identity.
    """
    from signer.keys.local import LocalKey
    from signer.operations.sign import SigningJob

    first, second = signature.resolve(output)
    opened = identity.open(secrets, output, in_memory=True)
    require_fit(chosen, opened, first, second, timestamped=authorities.is_wanted)
    timestamper = authorities.chooser(output)
    if not isinstance(opened.key, LocalKey):
        opened = replace(opened, key=WaitingKey(opened.key))
    job = SigningJob(
        opened,
        first,
        timestamper(first.digest),
        (second, timestamper(second.digest)) if second else None,
        page_hashes=bool(signature.page_hashes),
        append=manner.append,
        replace=manner.replace,
        known=identity.known_authorities(),
    )
    return FileSigner(job, manner.skip_signed)


def _require_one_made_from_another(targets: dict[Path, Path], detached: Path | None) -> None:
    """Raise UsageError unless one output file is made from one input file."""
    if len(targets) != 1 or (detached is None and set(targets) == set(targets.values())):
        raise UsageError(
            "--depfile requires one input and one output file", hint="Name one file, and --output or --detached."
        )


def _is_signable(path: Path, output: Output) -> bool:
    """Tell whether to sign a file of a folder; warn about one that only its name makes a driver or catalog."""
    if is_signable(path):
        return True
    if by_suffix(path) is not None:
        output.warn(f"{path}: skipped; despite its name it is not {titles()}")
    return False


def _write_request(
    output: Output, paths: list[Path], signature: SignatureOptions, identity: IdentityOptions, target: Path
) -> None:
    if len(paths) != 1 or signature.dual:
        raise UsageError("a request is for one signature of one file", hint="Name one file and remove --dual.")
    if not identity.is_test:
        raise UsageError("a request needs no key", hint="Give the certificate to drvsign attach.")
    options, _ = signature.resolve(output)
    result = attempt(paths[0], lambda: write_request(paths[0], options, bool(signature.page_hashes), target))
    finish(output, [result])
    if result.error is None and not is_stream(target):
        output.note("Sign the request with the external key, then attach the result:")
        output.note(f"  openssl dgst -{options.digest} -sign KEY -out SIGNATURE {shell_quote(target)}")
        source, request = shell_quote(paths[0]), shell_quote(target)
        output.note(f"  drvsign attach {source} --signed-digest SIGNATURE --request {request} --cert CERTIFICATE")
