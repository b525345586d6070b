"""The verdict at the end of `drvsign package`: as text with the next command, and as part of the JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.output import Output
from signer.cli.verification import verified
from signer.storage.files import shell_quote

if TYPE_CHECKING:
    from catalogs.package.driver_package import DriverPackage
    from catalogs.verification.assessment import Assessment
    from signer.cli.options.common import SecretOptions
    from signer.cli.options.identity import IdentityOptions
    from signer.config import Settings
    from signer.keys.identity import SigningIdentity


@dataclass(frozen=True, slots=True)
class PackageVerdict:
    """The assessments of packages and their drivers on releases that their catalogs are for."""

    assessments: Sequence[Assessment]
    is_test: bool
    """Whether the machine is in test-signing mode, as the signer's root requires."""

    def print(self, output: Output) -> None:
        """Print the verdicts below the name of the target."""
        from signer.policy.targets import Target
        from signer.reports.formats import ReportOptions, render

        names = dict.fromkeys(one.verdict.target for each in self.assessments for one in each.consequences)
        if names:
            mode = " with test signing on" if self.is_test else ""
            output.print(f"{', '.join(Target.parse(name).title for name in names)}{mode}:")
        render("text", self.assessments, output, ReportOptions(verbose=bool(output.verbose)))

    def suggest_matrix(self, output: Output, folder: Path, trusted: str) -> None:
        """Print the command that checks all releases; `trusted` are its options for the test machine."""
        options = f" --test-machine{trusted}" if self.is_test else ""
        output.note(f"To check all releases: drvsign verify {shell_quote(folder)}{options} --matrix")


def roots_options(
    identity: IdentityOptions, secrets: SecretOptions, settings: Settings, signer: SigningIdentity
) -> str:
    """Return the options with which `verify` trusts the roots of a call: its folder, those of its profile, its chain's.

    The root of a chain is in the file with the signer's certificate, unless a folder of test certificates has it.
    """
    from signer.cli.options.verify import PFX_SUFFIXES

    folder = f" --certs {shell_quote(identity.certs)}" if identity.is_test and identity.certs is not None else ""
    named = [*settings.roots, *_file_with_root(identity, signer)]
    roots = "".join(f" --root {shell_quote(root)}" for root in dict.fromkeys(named))
    is_pfx = any(path.suffix.lower() in PFX_SUFFIXES for path in named)
    return folder + roots + (_password_options(secrets) if is_pfx else "")


def _file_with_root(identity: IdentityOptions, signer: SigningIdentity) -> list[Path]:
    """Return the file of the identity that contains its test root; none if `verify` trusts the root by default."""
    from signer.certificates import is_self_signed
    from signer.cli.options.certs import existing_folder
    from signer.cli.options.verify import load_roots
    from testcerts.profiles import ROOT

    roots = [one for one in (signer.certificate, *signer.chain) if is_self_signed(one)]
    default = existing_folder() / f"{ROOT.name}.cer"
    if identity.is_test or not roots or (default.is_file() and roots[-1] in load_roots(default)):
        return []
    return identity.certificate_files()[:1]


def _password_options(secrets: SecretOptions) -> str:
    """Return the options that name the source of a password; without any, the command prompts for it."""
    if secrets.password_env is not None:
        return f" --password-env {secrets.password_env}"
    return f" --password-file {shell_quote(secrets.password_file)}" if secrets.password_file is not None else ""


def package_verdict(
    output: Output, packages: Sequence[DriverPackage], folders: tuple[Path, Path], signer: SigningIdentity, jobs: int
) -> PackageVerdict:
    """Verify packages for releases that their catalogs are for, in test-signing mode if the signer has a test root.

    `folders` are the one that `packages` name and the one with the result.
    """
    from catalogs.verification.default_target import checks_for
    from catalogs.verification.query import VerifyQuery
    from signer.policy.machine_state import MachineState
    from signer.policy.trust import Trust

    trust = Trust.for_signer(signer.certificate, signer.chain)
    is_test = trust.mode == "test-signing"
    machine = MachineState(at=datetime.now(UTC), roots=trust.mode, testsigning=is_test)
    found: list[Assessment] = []
    for paths, target in checks_for(packages, *folders):
        query = VerifyQuery("kernel", trust, machine, () if target is None else (target,))
        found += verified(output, paths, query, jobs, lambda assessment: assessment)
    return PackageVerdict(found, is_test)
