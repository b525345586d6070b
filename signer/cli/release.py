"""Apply a profile to a command: check it before signing, and verify before files are replaced."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from signer.cli.options.profile import ResolvedProfile
from signer.cli.output import Output
from signer.errors import ReleaseRefused

if TYPE_CHECKING:
    from catalogs.catalog.file import Catalog
    from catalogs.package.driver_package import DriverPackage
    from catalogs.signing import Accept
    from catalogs.verification.contents import Contents
    from signer.cli.options.verify import TrustOptions
    from signer.keys.identity import SigningIdentity
    from signer.pkcs7.signed_data import SigningOptions
    from signer.policy.targets import Target
    from signer.policy.trust import Trust


def require_named(chosen: ResolvedProfile, *, is_test: bool) -> None:
    """Raise ReleaseRefused if the test identity would sign with a release profile."""
    if chosen.is_release and is_test and chosen.profile is not None:
        raise ReleaseRefused(
            f"profile {chosen.profile.name!r} can't be used: a release needs a signer, not the test identity",
            path=chosen.profile.source,
            hint='Add identity = "…", or trust = "test-signing" if the profile is for tests.',
        )


def require_fit(
    chosen: ResolvedProfile,
    signer: SigningIdentity,
    options: SigningOptions,
    second: SigningOptions | None,
    *,
    timestamped: bool,
    for_portal: bool = False,
) -> None:
    """Raise ReleaseRefused with all reasons if the options or the certificate are not fit for a release.

    The portal signs a submission again, so the profile's targets do not apply to it.
    """
    if not chosen.is_release or chosen.profile is None:
        return
    from signer.policy.release import Plan, require_releasable

    digests = (options.digest, *([second.digest] if second is not None else []))
    carried = (*signer.chain, *options.certificates)
    plan = Plan(signer.certificate, carried, digests, timestamped, datetime.now(UTC))
    targets = () if for_portal else targets_of(chosen)
    require_releasable(plan, targets, chosen.profile.name, source=chosen.profile.source)


def targets_of(chosen: ResolvedProfile) -> tuple[Target, ...]:
    """Return the targets that a profile names. Raises UsageError."""
    from signer.policy.targets import parse_targets

    return parse_targets(chosen.settings.targets)


def verification(chosen: ResolvedProfile, output: Output, trust: Trust | None = None) -> Accept | None:
    """Return the check of each package before its files replace the old ones; None without a profile.

    `trust` is that of the profile by default. Raises SignerError.
    """
    if chosen.profile is None:
        return None
    from catalogs.verification.release_check import verify_signed
    from signer.policy.machine_state import MachineState

    trust = trust or trust_of(chosen, output)
    machine = MachineState(at=datetime.now(UTC), roots=trust.mode, testsigning=not chosen.is_release)
    targets = targets_of(chosen)
    paths_of = partial(trust.paths_of, at=machine.at)

    def verify(package: DriverPackage, catalog: Catalog, contents: Contents) -> None:
        found = verify_signed(
            package, catalog, paths_of, targets, machine, release=chosen.is_release, contents=contents
        )
        for target in found.undecided:
            output.warn(f"{package.catalog_name}: no public source decides whether {target} accepts it")
        if found.accepted:
            output.note(f"{package.catalog_name}: accepted by {', '.join(found.accepted)}.")
        if found.not_checked:
            names = ", ".join(found.not_checked)
            output.warn(f"{package.catalog_name}: the package installs nothing on {names}; not checked")

    return verify


def trust_of(chosen: ResolvedProfile, output: Output) -> Trust:
    """Return the roots that a profile verifies with. Raises SignerError."""
    return _trust_options(chosen).resolve(output)


def _trust_options(chosen: ResolvedProfile) -> TrustOptions:
    from signer.cli.options.verify import TrustOptions

    if chosen.is_release:
        return TrustOptions(roots="release")
    roots = list(chosen.settings.roots) or None
    return TrustOptions(roots="test-signing", root=roots, certs=chosen.settings.certs)
