"""Values for the templates (.inx) of a package: options of `package` and `inf files`."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.commands.inf_stamp import StampOptions
from signer.cli.output import Output
from signer.records import dataclass

if TYPE_CHECKING:
    from catalogs.package.templates import NewInf
    from signer.config import Settings

PANEL = "Template (.inx)"


@dataclass(frozen=True)
class TemplateOptions:
    """The values of StampInf, with the names of a package's options."""

    driver_date: Annotated[
        str | None,
        typer.Option(
            "--driver-date",
            metavar="DATE",
            help="The date of DriverVer, such as 2026-11-24. Default: STAMPINF_DATE, else the build date.",
            rich_help_panel=PANEL,
        ),
    ] = None
    driver_version: Annotated[
        str | None,
        typer.Option(
            "--driver-version",
            metavar="VERSION",
            help="The version of DriverVer; * for the time. Default: STAMPINF_VERSION, else the template's version.",
            rich_help_panel=PANEL,
        ),
    ] = None
    arch: Annotated[
        str | None,
        typer.Option(
            "--arch",
            metavar="NAME",
            help="The value of $ARCH$: x86, amd64 or arm64. Default: the variable Platform, else that of the drivers.",
            rich_help_panel=PANEL,
        ),
    ] = None
    kmdf: Annotated[
        str | None,
        typer.Option(
            "--kmdf", metavar="VERSION", help="The value of $KMDFVERSION$, such as 1.15.", rich_help_panel=PANEL
        ),
    ] = None
    umdf: Annotated[
        str | None,
        typer.Option(
            "--umdf", metavar="VERSION", help="The value of $UMDFVERSION$, such as 2.15.0.", rich_help_panel=PANEL
        ),
    ] = None
    stamp: Annotated[
        bool,
        typer.Option(
            "--stamp",
            help="Stamp every template, and replace its INF. Default: only templates whose INF does not exist.",
            rich_help_panel=PANEL,
        ),
    ] = False

    def using(self, settings: Settings) -> TemplateOptions:
        """Return these options; a profile sets those that were not given."""
        return replace(
            self,
            driver_date=self.driver_date or settings.driver_date,
            driver_version=self.driver_version or settings.driver_version,
            arch=settings.arch if self.arch is None else self.arch,
            kmdf=self.kmdf or settings.kmdf,
            umdf=self.umdf or settings.umdf,
        )

    def values(self) -> StampOptions:
        """Return the options of `inf stamp` that these are."""
        return StampOptions(self.driver_date, self.driver_version, self.arch, self.kmdf, self.umdf)

    def new_infs(self, folder: Path, time: datetime, output: Output) -> tuple[NewInf, ...]:
        """Stamp the templates in a folder in memory, and print warnings. `time` is the build time.

        Raises UsageError, InfError with the line of a template, FileError.
        """
        from catalogs.package.templates import stamp_templates

        found = stamp_templates(folder, self.values().stamp(os.environ, time), again=self.stamp)
        for template, inf in found.unused:
            output.warn(f"{template}: not stamped, because {inf.name} exists (--stamp replaces it)")
        for new in found.new:
            for line in new.stamped.unresolved:
                output.warn(f"{new.template}:{line}: $ARCH$ is replaced only in section names and in [Manufacturer]")
        return found.new
