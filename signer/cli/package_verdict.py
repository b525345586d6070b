"""The verdict at the end of `drvsign package`: as text with the next command, and as part of the JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.output import Output
from signer.cli.verification import verified
from signer.errors import Interrupted, SignerError
from signer.records import dataclass
from signer.storage.files import read, shell_quote

if TYPE_CHECKING:
    from catalogs.package.driver_package import DriverPackage
    from catalogs.verification.assessment import Assessment
    from catalogs.verification.gathered import Gathered
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

    @property
    def is_interrupted(self) -> bool:
        """Whether an interrupt prevented a verdict."""
        return any(isinstance(one.error, Interrupted) for one in self.assessments)

    def print(self, output: Output) -> None:
        """Print the verdicts below the name of the target."""
        from signer.policy.targets import Target
        from signer.reports.formats import ReportOptions, render

        names = dict.fromkeys(one.verdict.target for each in self.assessments for one in each.consequences)
        if names:
            mode = " with test signing on" if self.is_test else ""
            output.print(f"{', '.join(Target.parse(name).title for name in names)}{mode}:")
        render("text", self.assessments, output, ReportOptions(verbose=bool(output.verbose)))

    def require_uninterrupted(self, output: Output, folder: Path, signed: int) -> None:
        """Raise typer.Exit with 130 if an interrupt prevented a verdict of the package whose files are `signed`."""
        if self.is_interrupted:
            text = f"interrupted: {signed} of {signed} signed, but the result is not verified"
            output.error(
                SignerError(text, hint=f"Run: drvsign verify {shell_quote(folder)}{' --test-machine' * self.is_test}")
            )
            raise typer.Exit(ExitCode.INTERRUPTED)

    def warn(self, output: Output) -> None:
        """Warn about each rejection, where the verdicts are not printed and the exit code tells only about signing."""
        for one in self.assessments:
            names = [verdict.target for verdict in one.verdicts if verdict.outcome == "rejected"]
            if names:
                output.warn(f"{one.path} is signed, but rejected by {', '.join(names)}: drvsign verify says why")

    def suggest_matrix(self, output: Output, folder: Path, trusted: str | None) -> None:
        """Print the command that checks all releases.

        `trusted` are its options for the roots of a test machine; None if the root is in no known file.
        """
        command = f"drvsign verify {shell_quote(folder)}"
        if not self.is_test:
            output.note(f"To check all releases: {command} --matrix")
        elif trusted is not None:
            output.note(f"To check all releases: {command} --test-machine{trusted} --matrix")
        else:
            output.note(
                f"To check all releases, give the root of the chain: {command} --test-machine --root FILE --matrix"
            )


def roots_options(
    identity: IdentityOptions, secrets: SecretOptions, settings: Settings, signer: SigningIdentity
) -> str | None:
    """Return the options with which `verify` trusts the roots of a call; None if its root is in no known file.

    The roots are those of its folder, of its profile, or of the file with the signer's certificate.
    """
    from signer.cli.options.verify import PFX_SUFFIXES

    folder = f" --certs {shell_quote(identity.certs)}" if identity.is_test and identity.certs is not None else ""
    named = list(settings.roots)
    if not (named or identity.is_test or _is_trusted_by_default(signer)):
        found = identity.file_with_root(signer)
        if found is None:
            return None
        named.append(found)
    roots = "".join(f" --root {shell_quote(root)}" for root in dict.fromkeys(named))
    is_pfx = any(path.suffix.lower() in PFX_SUFFIXES for path in named)
    return folder + roots + (_password_options(secrets) if is_pfx else "")


def _is_trusted_by_default(signer: SigningIdentity) -> bool:
    """Tell whether the root of a chain is that of the test certificates, which `verify` trusts on a test machine."""
    from signer.certificates import load_all
    from signer.cli.options.certs import existing_folder
    from testcerts.profiles import ROOT

    root = existing_folder() / f"{ROOT.name}.cer"
    try:
        return any(one in (signer.certificate, *signer.chain) for one in load_all(read(root)))
    except SignerError:  # there are no test certificates
        return False


def _password_options(secrets: SecretOptions) -> str:
    """Return the options that name the source of a password; without any, the command prompts for it."""
    if secrets.password_env is not None:
        return f" --password-env {secrets.password_env}"
    return f" --password-file {shell_quote(secrets.password_file)}" if secrets.password_file is not None else ""


def package_verdict(
    output: Output,
    packages: Sequence[DriverPackage],
    folders: tuple[Path, Path],
    signer: SigningIdentity,
    jobs: int,
    *,
    gathered: Gathered,
    interrupted: bool = False,
) -> PackageVerdict:
    """Verify packages for releases that their catalogs are for, in test-signing mode if the signer has a test root.

    `folders` are the one that `packages` name and the one with the result, whose files have the evidence in `gathered`
    if they are unchanged since they were signed. `interrupted` omits the verification.
    """
    from catalogs.verification.assessment import Assessment
    from catalogs.verification.default_target import checks_for
    from catalogs.verification.query import VerifyQuery
    from signer.policy.machine_state import MachineState
    from signer.policy.trust import Trust

    trust = Trust.for_signer(signer.certificate, signer.chain)
    is_test = trust.mode == "test-signing"
    machine = MachineState(at=datetime.now(UTC), roots=trust.mode, testsigning=is_test)
    if interrupted:
        return PackageVerdict([Assessment(folders[1], "package", error=Interrupted(folders[1]))], is_test)
    found: list[Assessment] = []
    for paths, target in checks_for(packages, *folders):
        query = VerifyQuery("kernel", trust, machine, () if target is None else (target,))
        found += verified(output, paths, query, jobs, lambda assessment: assessment, gathered=gathered)
    return PackageVerdict(found, is_test)
