"""What a profile adds to a command: it refuses before anything is signed, and verifies before anything is replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.options.profile import ResolvedProfile
from signer.cli.output import Output
from signer.errors import ReleaseRefused

if TYPE_CHECKING:
    from catalogs.catalog.file import Catalog
    from catalogs.package.driver_package import DriverPackage
    from signer.keys.identity import SigningIdentity
    from signer.pkcs7.signed_data import SigningOptions
    from signer.policy.targets import Target


def require_named(chosen: ResolvedProfile, *, is_test: bool) -> None:
    """Raise ReleaseRefused where a release profile would be signed by the test identity."""
    if chosen.is_release and is_test and chosen.profile is not None:
        raise ReleaseRefused(
            f"the profile {chosen.profile.name!r} is for release and names no signer: the test identity can't sign it",
            path=chosen.profile.source,
            hint='Add identity = "…", or trust = "test-signing" where the profile is for tests.',
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
    """Raise ReleaseRefused, with every reason, for what a release must not be signed with.

    What goes to the portal is signed again there, so that the profile's targets say nothing about it.
    """
    if not chosen.is_release or chosen.profile is None:
        return
    from signer.policy.release import Plan, refusals
    from signer.trust.store import TrustStore

    digests = (options.digest, *([second.digest] if second is not None else []))
    carried = (*signer.chain, *options.certificates)
    plan = Plan(signer.certificate, carried, digests, timestamped, datetime.now(UTC))
    found = refusals(plan, () if for_portal else targets_of(chosen), TrustStore.release())
    if found:
        count = f"{len(found)} reasons" if len(found) > 1 else "a reason"
        raise ReleaseRefused(
            f"there {'are' if len(found) > 1 else 'is'} {count} not to sign with the profile {chosen.profile.name!r}; "
            "nothing was changed",
            path=chosen.profile.source,
            problems=tuple(found),
        )


def targets_of(chosen: ResolvedProfile) -> tuple[Target, ...]:
    """The targets that a profile names. Raises UsageError."""
    from signer.cli.assess import parse_targets

    return parse_targets(list(chosen.settings.targets))


def verification(chosen: ResolvedProfile, output: Output) -> Callable[[DriverPackage, Catalog], None] | None:
    """What looks at each package before its files take their places; None without a profile. Raises UsageError."""
    if chosen.profile is None:
        return None
    from catalogs.release_check import verify_signed
    from signer.cli.options.verify import TrustOptions
    from signer.policy.machine_state import MachineState

    now = datetime.now(UTC)
    roots = "release" if chosen.is_release else "test-signing"
    trust = TrustOptions(roots, _roots(chosen)).resolve(now, output)
    machine = MachineState(at=now, roots=roots, testsigning=not chosen.is_release)  # type: ignore[arg-type]  # as above
    targets = targets_of(chosen)

    def verify(package: DriverPackage, catalog: Catalog) -> None:
        verdicts = verify_signed(package, catalog, trust.paths_of, targets, machine, release=chosen.is_release)
        for verdict in verdicts:
            if not verdict.decided:
                output.warn(f"{package.catalog_name}: nothing public decides whether {verdict.target} accepts it")
        accepted = dict.fromkeys(verdict.target for verdict in verdicts if verdict.accepted)
        if accepted:
            output.note(f"{package.catalog_name}: accepted by {', '.join(accepted)}.")
        judged = {verdict.target for verdict in verdicts}
        others = [target.name for target in targets if target.name not in judged]
        if others:
            output.warn(f"{package.catalog_name}: holds nothing for {', '.join(others)}, so nobody was asked there")

    return verify


def _roots(chosen: ResolvedProfile) -> list[Path] | None:
    return list(chosen.settings.roots) or None if not chosen.is_release else None
