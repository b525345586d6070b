"""`drvsign verify`: check whether Windows will install and load drivers and driver packages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.options.common import Jobs, Paths, SecretOptions
from signer.cli.options.reports import ReportChoices
from signer.cli.options.verify import MachineOptions, TrustOptions
from signer.cli.output import Output
from signer.cli.param_types import to_choice, to_file, to_output
from signer.cli.paths import listed
from signer.cli.reading import require_uninterrupted, write_errors
from signer.cli.reporting import ReportFile
from signer.cli.verification import verify_and_report
from signer.errors import Interrupted, UsageError
from signer.records import dataclass

if TYPE_CHECKING:
    from catalogs.verification.assessment import Outcome
    from catalogs.verification.query import VerifyQuery

app = typer.Typer(add_completion=False)

POLICIES = ("kernel", "pnp", "protected-media", "authenticode")
"""The names that `signer.policy.judge` knows; importing it takes longer than converting the options."""
to_policy = to_choice(*POLICIES)


@dataclass(frozen=True)
class QueryOptions:
    """The policy, the targets, and the catalogs that may list the files."""

    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            metavar="|".join(POLICIES),
            help="Policy to check: kernel (will the driver load?), pnp (will the package install?), "
            "protected-media, or authenticode (WinVerifyTrust). Default: kernel for packages and kernel-mode images, "
            "authenticode for everything else.",
            show_default=False,
            parser=to_policy,
        ),
    ] = None
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="NAME",
            help="A release and architecture, such as win11-24h2-x64, server2022-x64, "
            "win10-22h2-x64-smode. Repeatable. Default: the newest release for the architecture.",
        ),
    ] = None
    matrix: Annotated[
        bool,
        typer.Option(
            "--matrix",
            help="Check all releases for the architecture of the file; of a package, those that its INF and "
            "catalog are for.",
        ),
    ] = False
    all_releases: Annotated[
        bool,
        typer.Option("--all-releases", help="A matrix of every release, S mode and inapplicable releases included."),
    ] = False
    catalog: Annotated[
        list[Path] | None,
        typer.Option(
            "--catalog", metavar="FILE", help="A catalog in which to look the files up. Repeatable.", parser=to_file
        ),
    ] = None

    def query(
        self, trust: TrustOptions, machine: MachineOptions, secrets: SecretOptions, output: Output
    ) -> VerifyQuery:
        """Make the query of the options. Raises UsageError, and SignerError for a file that can't be read."""
        from catalogs.verification.query import VerifyQuery

        trusted = trust.resolve(output, secrets.secret)
        if self.matrix and self.target:
            raise UsageError("--matrix and --target can't be combined", hint="Remove one of them.")
        return VerifyQuery.create(
            self.policy,
            trusted,
            machine.machine(trusted.mode, test_machine=trust.test_machine),
            targets=self.target or (),
            matrix=self.matrix,
            all_releases=self.all_releases,
            catalogs=self.catalog or (),
            verbose_events=bool(output.verbose),
        )


@app.command(
    epilog=examples(
        "drvsign verify driver/ --target win11-24h2-x64",
        "drvsign verify driver/ --test-machine",
        "drvsign verify toaster.sys --matrix",
        "drvsign verify toaster.sys --policy authenticode --catalog toaster.cat --json",
        "drvsign verify driver/ --matrix --report sarif=drvsign.sarif",
    )
)
@command
def verify(
    output: Output,
    paths: Paths,
    question: QueryOptions,
    trust: TrustOptions,
    machine: MachineOptions,
    secrets: SecretOptions,
    reports: ReportChoices,
    events: Annotated[
        Path | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="Write the predicted Code Integrity events as JSON lines.",
            parser=to_output,
        ),
    ] = None,
    jobs: Jobs = 0,
) -> None:
    """Check whether Windows will install and load drivers and driver packages.

    A folder with an INF is a driver package: will it install, and will its drivers load? Exit code 0: accepted
    everywhere; 1: rejected somewhere; 3: no public source decides, or a file can't be read.
    """
    from catalogs.verification.assessment import Outcome

    output, reporting = reports.prepare(output, "verify")
    query = question.query(trust, machine, secrets, output)
    if events is not None:
        reporting = reporting.also(ReportFile("events", events))
    found = verify_and_report(output, listed(paths), query, jobs, reporting, exit_code)
    errors = [one.error for one in found if one.error is not None and not isinstance(one.error, Interrupted)]
    write_errors(output, errors, len(found))
    require_uninterrupted(output, found, "verified")
    if reporting.stdout == "text" and len(found) > 1:
        from signer.reports.verdict_text import summary

        output.note(summary(found))
    raise typer.Exit(exit_code(Outcome.of(found)))


def exit_code(outcome: Outcome) -> ExitCode:
    """Return 3 if a file could not be verified, else 1 if any is rejected, 3 if any is undecided, 0 otherwise.

    After an interrupt, return 130.
    """
    if outcome.interrupted:
        return ExitCode.INTERRUPTED
    if outcome.failed:
        return ExitCode.FAILED
    if outcome.rejected:
        return ExitCode.REJECTED
    return ExitCode.DONE if outcome.accepted else ExitCode.FAILED
