"""`drvsign inf stamp`: make an INF from a template, as StampInf does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.option_groups import command
from signer.cli.options.common import now
from signer.cli.output import Output
from signer.cli.param_types import to_file, to_output, to_place
from signer.errors import FileError, UsageError
from signer.records import dataclass
from signer.storage.files import read, require_data, write_atomically

if TYPE_CHECKING:
    from catalogs.inf.stamp import Stamp, StampedInf

_CURRENT = "*"
_PRIVATE_CATALOG = "delta.cat"
_DATE_FORMS = ("%m/%d/%Y", "%Y-%m-%d")

Template = Annotated[
    Path, typer.Argument(metavar="FILE", help="The INF or .inx file.", show_default=False, parser=to_file)
]
Target = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", help="The INF to write.", show_default=False, parser=to_output),
]


@dataclass(frozen=True)
class StampOptions:
    """The values to write."""

    date_: Annotated[
        str | None,
        typer.Option(
            "--date",
            "--driver-date",
            metavar="DATE",
            help="The date of DriverVer, such as 11/24/2026 or 2026-11-24. Default: STAMPINF_DATE, else today.",
        ),
    ] = None
    version: Annotated[
        str | None,
        typer.Option(
            "--version",
            "--driver-version",
            metavar="VERSION",
            help="The version of DriverVer; * for the time. Default: STAMPINF_VERSION, else of --ntverp or FILE.",
        ),
    ] = None
    arch: Annotated[
        str | None,
        typer.Option(
            "--arch",
            metavar="NAME",
            help="The value of $ARCH$: x86, amd64 or arm64; empty to remove it. Default: the variable Platform.",
        ),
    ] = None
    kmdf: Annotated[str | None, typer.Option("--kmdf", metavar="VERSION", help="The KMDF version, such as 1.15.")] = (
        None
    )
    umdf: Annotated[str | None, typer.Option("--umdf", metavar="VERSION", help="The UMDF version, such as 2.15.0.")] = (
        None
    )
    catalog: Annotated[
        str | None, typer.Option("--catalog", metavar="NAME", help="The value of CatalogFile. Default: unchanged.")
    ] = None
    section: Annotated[str, typer.Option("--section", metavar="NAME", help="The section with DriverVer.")] = "Version"
    ntverp: Annotated[
        Path | None,
        typer.Option(
            "--ntverp",
            "-i",
            metavar="DIR",
            help="The folder with Ntverp.h, whose version is the default.",
            parser=to_place,
        ),
    ] = None
    local_time: Annotated[
        bool, typer.Option("--uselocaltime", help="Use today's date in local time, as StampInf does, instead of UTC.")
    ] = False

    def stamp(self, environment: Mapping[str, str], time: datetime | None = None) -> Stamp:
        """Return the values; StampInf's environment variables set those that were not given. Raises UsageError.

        `time` is that of DriverVer, by default the present. Raises FileError and InfError for Ntverp.h.
        """
        from catalogs.inf.stamp import Stamp, version_of_time

        if time is None:
            time = now().astimezone() if self.local_time else now().astimezone(UTC)
        private = "PRIVATE_DRIVER_PACKAGE" in environment
        day = _CURRENT if private else self.date_ or environment.get("STAMPINF_DATE") or _CURRENT
        version = _CURRENT if private else self.version or environment.get("STAMPINF_VERSION") or self._ntverp()
        return Stamp(
            _date(day, time),
            version_of_time(time) if version == _CURRENT else version,
            environment.get("Platform") if self.arch is None else self.arch,
            self.kmdf,
            self.umdf,
            self.catalog or (_PRIVATE_CATALOG if private else None),
            self.section,
        )

    def _ntverp(self) -> str | None:
        """Return the version in Ntverp.h, None without --ntverp. Raises FileError, InfError."""
        from catalogs.inf.ntverp import FILE_NAME, version_in
        from catalogs.package.folder import Folder

        if self.ntverp is None:
            return None
        path = self.ntverp
        if path.is_dir():
            path = Folder(path).find([FILE_NAME]) or path / FILE_NAME
        return version_in(read(path), path)


@command
def stamp(output: Output, path: Template, target: Target, options: StampOptions) -> None:
    """Make an INF from a template (.inx): write DriverVer, and replace $ARCH$ and the framework versions.

    Encoding, newlines and everything else stay as they are. SOURCE_DATE_EPOCH sets the time.
    """
    from catalogs.inf.stamp import stamp as stamped

    values = options.stamp(os.environ)
    require_data(path)
    found = stamped(read(path), path, values)
    if target.is_dir():
        raise FileError("this is a folder", path=target, hint=f"Name the INF: --output {target / path.stem}.inf")
    write_atomically(target, found.text.to_bytes())
    for line in found.unresolved:
        output.warn(f"{path}:{line}: $ARCH$ is replaced only in section names and in [Manufacturer]")
    _report(output, path, target, found)


def _report(output: Output, path: Path, target: Path, found: StampedInf) -> None:
    if output.json:
        document = {"schema": "drvsign.stamp/1", "path": str(path), "output": str(target)}
        output.document({**document, "driver_ver": found.driver_ver, "unresolved_lines": list(found.unresolved)})
    elif not output.quiet and str(target) != "-":
        output.print(f"stamped {target} (DriverVer = {found.driver_ver})")


def _date(text: str, time: datetime) -> date:
    """Return a date; `*` is that of `time`. Raises UsageError."""
    if text == _CURRENT:
        return time.date()
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise UsageError(f"not a date: {text!r}", hint="Write it as 11/24/2026 or 2026-11-24, or * for today.")
