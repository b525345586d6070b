"""Rehearse `drvsign package`: use the key, the timestamp authority and the policy, and write nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from signer.cli.options.profile import ResolvedProfile
from signer.cli.output import Output
from signer.cli.package_verdict import PackageVerdict
from signer.cli.release import targets_of
from signer.errors import IdentityError
from signer.reports.file_results import FileResult
from signer.reports.problems import counted

if TYPE_CHECKING:
    from catalogs.package.driver_package import DriverPackage
    from catalogs.signing import Each, PackagingOptions
    from signer.keys.identity import SigningIdentity
    from signer.policy.targets import Target

_THROW_AWAY = b"drvsign package --dry-run"


def rehearse(
    output: Output,
    packages: Sequence[DriverPackage],
    signer: SigningIdentity,
    options: PackagingOptions,
    chosen: ResolvedProfile,
    each: Each,
) -> tuple[list[FileResult], PackageVerdict]:
    """Return the planned results and the expected verdicts. Raises the errors that signing would."""
    from catalogs.build import build
    from catalogs.signing import images, require_no_foreign

    if not options.replace:
        require_no_foreign(packages, options.known.of(signer.certificate), drivers=not options.skip_signed)
    signature = _sign_throw_away(signer, options)
    output.note(f"Key: {signer.name!r} signed a throw-away digest ({options.signing.digest}).")
    if options.timestamper is not None:
        options.timestamper(signature)
    _show_chain(output, signer)
    drivers = images(packages)
    results = [FileResult(path, "planned", options.signing.digest, signer=signer.name) for path in drivers]
    for package in packages:
        build(package, options.catalog, each=each)
        note = counted(len(package.files), "file")
        results.append(FileResult(package.catalog, "planned", options.signing.digest, signer=signer.name, note=note))
    return results, _forecast(packages, signer, options, chosen)


def _sign_throw_away(signer: SigningIdentity, options: PackagingOptions) -> bytes:
    """Sign a digest of no file. Raises IdentityError if the key does not sign, or signs with another key."""
    from signer.keys.check import Check, check_digest

    algorithm = options.signing.digest
    digest = algorithm.hash(_THROW_AWAY)
    signature = signer.key.sign(digest, algorithm)
    if check_digest(signer.key.public_key, signature, digest, algorithm) is not Check.GOOD:
        raise IdentityError(
            f"the signature of a throw-away digest does not match the certificate {signer.name!r}",
            hint="Use the key that the certificate was issued for.",
        )
    return signature


def _show_chain(output: Output, signer: SigningIdentity) -> None:
    from signer.certificates import common_name, issuer_common_name

    last = (signer.certificate, *signer.chain)[-1]
    names = [common_name(one) for one in (signer.certificate, *signer.chain)]
    issuer = issuer_common_name(last)
    output.note(f"Chain: {', '.join(names)}" + (f"; issued by {issuer}." if issuer and issuer != names[-1] else "."))


def _forecast(
    packages: Sequence[DriverPackage], signer: SigningIdentity, options: PackagingOptions, chosen: ResolvedProfile
) -> PackageVerdict:
    """Return the expected verdict on each package and its drivers, on the profile's targets or the default one."""
    from catalogs.signing import images
    from catalogs.verification.assessment import Assessment
    from signer.codeintegrity.consequences import Consequences
    from signer.codeintegrity.status import NONE
    from signer.policy.machine_state import MachineState
    from signer.policy.release import Plan, forecast
    from signer.policy.trust import Trust

    trust, at = Trust.for_signer(signer.certificate, signer.chain), datetime.now(UTC)
    is_test = trust.mode == "test-signing"
    machine = MachineState(at=at, roots=trust.mode, testsigning=True) if is_test else None
    carried = (*signer.chain, *options.signing.certificates)
    plan = Plan(signer.certificate, carried, (options.signing.digest,), options.timestamper is not None, at)
    found = []
    for package in packages:
        targets = targets_of(chosen) or _default_targets(package)
        forecasts = [forecast(plan, target, trust.signers, machine) for target in targets]
        installed = tuple(Consequences(one.installed, (), NONE, None) for one in forecasts)
        loaded = tuple(Consequences(one.loaded, (), NONE, None) for one in forecasts)
        found.append(Assessment(package.inf, "package", consequences=installed))
        found += [Assessment(path, "image", consequences=loaded) for path in images([package])]
    return PackageVerdict(found, is_test)


def _default_targets(package: DriverPackage) -> tuple[Target, ...]:
    from catalogs.inf.driver import DriverInf
    from catalogs.verification.default_target import target_for

    target = target_for([DriverInf.read(inf) for inf in package.infs], package.os)
    return () if target is None else (target,)
