"""Rehearse `drvsign package`: sign in memory with one use of the key, judge the result, and write nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from signer.cli.output import Output
from signer.cli.package_verdict import PackageVerdict
from signer.cli.packaging import PackageCall
from signer.cli.release import targets_of, trust_of, verification
from signer.errors import VerificationError
from signer.records import dataclass
from signer.reports.file_results import FileResult
from signer.storage.recovery import UnfinishedRuns

if TYPE_CHECKING:
    from catalogs.rehearsal import Rehearsal
    from catalogs.signing import FileOutcome, PackagingOptions
    from signer.keys.identity import SigningIdentity
    from signer.policy.trust import Trust


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The result of a rehearsal."""

    results: list[FileResult]
    verdict: PackageVerdict
    refusal: VerificationError | None
    """The error with which a target of the profile would refuse the signed package."""


def rehearse(call: PackageCall, *, is_new_authority: bool) -> Rehearsed:
    """Sign in memory and judge the result. Raises the errors that signing would.

    `is_new_authority` says that the signer is a throw-away identity, whose root is in no folder.
    """
    from catalogs.rehearsal import rehearse_packages
    from catalogs.verification.packages import assess_packages
    from catalogs.verification.query import VerifyQuery
    from signer.policy.machine_state import MachineState

    UnfinishedRuns().require_none(call.folder)
    options = call.checked_options()
    trust, at = _trust(call, is_new_authority=is_new_authority), datetime.now(UTC)
    done = rehearse_packages(
        call.rehearsed_folder, call.packages, call.signer, options, each=call.each_here, read_each=call.read_each
    )
    _show_signer(call.output, call.signer, options)
    is_test = trust.mode == "test-signing"
    machine = MachineState(at=at, roots=trust.mode, testsigning=is_test)
    query = VerifyQuery("kernel", trust, machine, targets_of(call.chosen))
    found = assess_packages(done.checked(query.paths_of, each=call.each_here), call.folder, query)
    results = [_planned(one, call) for one in done.outcomes]
    return Rehearsed(results, PackageVerdict(list(found), is_test), _refusal(call, done, trust))


def _refusal(call: PackageCall, done: Rehearsal, trust: Trust) -> VerificationError | None:
    """Check the packages for the targets of the profile as signing does; return the error of a rejection."""
    accept = verification(call.chosen, call.output, trust)
    if accept is None:
        return None
    try:
        for package, catalog in done.packages:
            accept(package, catalog, done.contents)
    except VerificationError as error:
        return error
    return None


def _trust(call: PackageCall, *, is_new_authority: bool) -> Trust:
    """Return the trust of the profile; without one, the roots of the signer's chain. Raises SignerError."""
    from signer.policy.trust import Trust

    if call.chosen.profile is None or is_new_authority:
        return Trust.for_signer(call.signer.certificate, call.signer.chain)
    return trust_of(call.chosen, call.output)


def _planned(made: FileOutcome, call: PackageCall) -> FileResult:
    """Return the result that signing would have, with the path that it would write."""
    path, name = call.result / made.path.relative_to(call.folder), call.signer.name if made.is_signed else None
    if made.action == "skipped":
        return FileResult(path, made.action, note=made.note)
    return FileResult(path, "planned", made.algorithm, made.digest, name, made.note, replaced=made.replaced)


def _show_signer(output: Output, signer: SigningIdentity, options: PackagingOptions) -> None:
    from signer.certificates import common_name, issuer_common_name

    output.note(f"Key: {signer.name!r} signed a throw-away digest ({options.signing.digest}).")
    last = (signer.certificate, *signer.chain)[-1]
    names = [common_name(one) for one in (signer.certificate, *signer.chain)]
    issuer = issuer_common_name(last)
    output.note(f"Chain: {', '.join(names)}" + (f"; issued by {issuer}." if issuer and issuer != names[-1] else "."))
