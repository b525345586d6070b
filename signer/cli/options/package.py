"""Releases, version and build date of a catalog: options of `package` and `catalog build`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.options.common import now
from signer.cli.output import Output
from signer.errors import UsageError
from signer.numbers import counted
from signer.records import dataclass

if TYPE_CHECKING:
    from catalogs.build import CatalogOptions
    from catalogs.package.driver_package import DriverPackage, Survey
    from catalogs.package.templates import NewInf
    from signer.config import Settings

PANEL = "Catalog"


@dataclass(frozen=True)
class CatalogChoices:
    """--os, --catalog-version, --now and --uselocaltime, as in Inf2Cat."""

    os: Annotated[
        list[str] | None,
        typer.Option(
            "--os",
            metavar="NAME,…",
            help="Windows releases, as Inf2Cat names them: 10_X64,10_VB_X64. Default: the releases in the INF.",
            rich_help_panel=PANEL,
        ),
    ] = None
    catalog_version: Annotated[
        int | None,
        typer.Option(
            "--catalog-version",
            metavar="N",
            min=1,
            max=2,
            help="1 (SHA-1) or 2 (SHA-1 and SHA-256). Default: 1 if --os includes a release before Windows 8, else 2.",
            show_default=False,
            rich_help_panel=PANEL,
        ),
    ] = None
    now_: Annotated[
        str | None,
        typer.Option(
            "--now",
            metavar="DATE",
            help="The build date, such as 2026-11-24, which DriverVer must not exceed. Default: today.",
            rich_help_panel=PANEL,
        ),
    ] = None
    local_time: Annotated[
        bool,
        typer.Option("--uselocaltime", help="Use today's date in local time instead of UTC.", rich_help_panel=PANEL),
    ] = False

    def using(self, settings: Settings) -> CatalogChoices:
        """Return these options; a profile sets those that were not given."""
        return replace(
            self,
            os=self.os or list(settings.os) or None,
            catalog_version=self.catalog_version or settings.catalog_version,
        )

    def time(self) -> datetime:
        """Return the build time, timezone-aware. Raises UsageError."""
        if self.now_ is None:
            return now()
        try:
            given = datetime.fromisoformat(self.now_)
        except ValueError as error:
            raise UsageError(
                f"not a date: {self.now_!r}", field="--now", hint="Write it as 2026-11-24 or 2026-11-24T12:00:00Z."
            ) from error
        return given if given.tzinfo else given.replace(tzinfo=UTC)

    def build_time(self) -> datetime:
        """Return the build time in UTC, or in local time with --uselocaltime. Raises UsageError."""
        return self.time().astimezone() if self.local_time else self.time().astimezone(UTC)

    def survey(self, where: Path | Sequence[Path], new_infs: Sequence[NewInf] = ()) -> Survey:
        """Survey the packages of the INFs and of `new_infs`, with all problems. Raises UsageError, FileError."""
        from catalogs.catalog.os_names import parse_names
        from catalogs.package.driver_package import survey_packages

        names = parse_names(self.os) if self.os else None
        return survey_packages(where, names, today=self.build_time().date(), new_infs=new_infs)

    def packages(self, where: Path | Sequence[Path], output: Output) -> list[DriverPackage]:
        """Return the packages of the INFs and print warnings. Raises PackageError with every problem."""
        return list(self.sound_survey(where, output).packages)

    def sound_survey(self, where: Path | Sequence[Path], output: Output, new_infs: Sequence[NewInf] = ()) -> Survey:
        """Survey the packages of the INFs and print warnings. Raises PackageError with every problem."""
        survey = self.survey(where, new_infs)
        survey.require_sound(where)
        for problem in survey.problems:
            output.warn(str(problem))
        for package in survey.packages:
            if package.os_chosen:
                names = ",".join(name.option for name in package.os)
                releases = counted(len(package.os), "release")
                catalog = package.catalog if len(survey.packages) > 1 else package.catalog_name
                output.note(f"{catalog}: {releases}, from the INF: {names} (choose with --os)")
        return survey

    def options(self, *, page_hashes: bool) -> CatalogOptions:
        """Return the options for building the catalog. Raises UsageError."""
        from catalogs.build import CatalogOptions

        return CatalogOptions(self.time(), self.catalog_version, page_hashes)
