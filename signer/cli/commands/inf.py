"""`drvsign inf`: show and check INFs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.commands.inf_lint import is_inf, lint
from signer.cli.commands.inf_stamp import stamp
from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.options.common import Paths
from signer.cli.options.templates import TemplateOptions
from signer.cli.output import Output
from signer.cli.param_types import to_path
from signer.cli.paths import expand
from signer.errors import InfError, SignerError, unexpected_as_internal
from signer.storage.folders import require_folder

if TYPE_CHECKING:
    from catalogs.inf.driver import DriverInf
    from catalogs.inf.rules import Rule

_SHOWN_LEVELS = {"error": "E", "warning": "W", "none": "-", "unpublished": "?"}

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    epilog=examples("drvsign inf show driver/driver.inf", "drvsign inf lint driver/"),
)


@app.callback()
def inf() -> None:
    """Show what an INF contains, or check it for errors."""


@app.command(epilog=examples("drvsign inf show driver.inf", "drvsign inf show driver/ --json"))
@command
def show(output: Output, paths: Paths) -> None:
    """Show the class, catalogs, releases, devices and files of INFs, as catalogs are built from them."""
    infs = expand(paths, is_inf, "INFs", missing_ok=True)
    facts: list[dict[str, Any]] = []
    errors: dict[Path, SignerError] = {}
    for path in infs:
        try:
            with unexpected_as_internal():
                facts.append(_facts(path))
        except SignerError as error:
            errors[path] = error.at(path)
    if output.json:
        failed = [{"path": str(path), "error": error.as_json()} for path, error in errors.items()]
        output.document({"schema": "drvsign.inf/1", "files": [*facts, *failed]})
    else:
        for fact in facts:
            _print(output, fact)
    for one in errors.values():
        output.error(one)
    if errors:
        raise typer.Exit(ExitCode.FAILED)


@app.command(epilog=examples("drvsign inf files driver/", "drvsign inf files driver/ --json"))
@command
def files(
    output: Output,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The package folder.", show_default=False, parser=to_path)
    ],
    templates: TemplateOptions,
    sources: Annotated[
        bool, typer.Option("--sources", help="List templates in place of their INFs, and no catalogs.")
    ] = False,
) -> None:
    """List the files of a package for build systems, relative to its folder: catalogs, INFs and the files they copy.

    Also lists files that do not exist yet, and for a template (.inx) the INF that drvsign package makes from it.
    """
    from catalogs.package.file_list import package_files

    require_folder(folder, hint="Name the folder that contains the INF.")
    found = package_files(folder, templates.values().stamp(os.environ))
    catalogs, others, origins = (
        [path.relative_to(folder).as_posix() for path in paths]
        for paths in (found.catalogs, found.files, found.sources)
    )
    if not catalogs:
        raise InfError(
            "no INF names a catalog", path=folder, hint="Add CatalogFile = NAME.cat to [Version] of the INF."
        )
    if output.json:
        document = {"schema": "drvsign.inf-files/1", "catalogs": catalogs, "files": others}
        output.document({**document, "sources": origins})
        return
    for name in origins if sources else (*catalogs, *others):
        output.print(name)


app.command(epilog=examples("drvsign inf lint driver.inf", "drvsign inf lint . --os 10_X64 --json"))(lint)


@app.command(epilog=examples("drvsign inf rules", "drvsign inf rules --json"))
@command
def rules(output: Output) -> None:
    """List InfVerif's rules: their codes, their levels in each mode, and whether inf lint decides them."""
    from catalogs.inf.rules import Mode
    from catalogs.inf.rules import rules as table

    if output.json:
        output.document({"schema": "drvsign.inf-rules/1", "rules": list(map(_rule_document, table().values()))})
        return
    rows = [
        (
            rule.code,
            *(_SHOWN_LEVELS[rule.levels[mode].value] for mode in Mode),
            rule.since.isoformat() if rule.decided else "",
            rule.message if rule.decided else f"not decided: {rule.reason}",
        )
        for rule in table().values()
    ]
    output.table(("Code", "k", "u", "w", "h", "Since", "Message"), rows)
    output.note("E: error, W: warning, ?: Microsoft publishes no level, and inf lint uses that of mode w.")


app.command(
    epilog=examples(
        "drvsign inf stamp toaster.inx --output toaster.inf --arch amd64 --kmdf 1.15 --version 1.2.3.4",
        "drvsign inf stamp toaster.inf --output toaster.inf --version '*'",
    )
)(stamp)


def _rule_document(rule: Rule) -> dict[str, Any]:
    """Return the entry of a rule in the document of `inf rules`."""
    return {
        "code": rule.code,
        "levels": {mode.value: level.value for mode, level in rule.levels.items()},
        "since": rule.since.isoformat() if rule.decided else None,
        "decided": rule.decided,
        "reason": rule.reason,
        "message": rule.message,
        "fix": rule.fix or None,
        "documented": rule.documented or None,
        "source": f"windows-driver-docs {rule.source}",
    }


def _facts(path: Path) -> dict[str, Any]:
    """Return the entry of an INF in the document of `inf show`. Raises InfError, FileError."""
    from catalogs.inf.driver import DriverInf

    driver = DriverInf.read(path)
    version = driver.version
    return {
        "path": str(path),
        "encoding": driver.text.source.encoding,
        "line_ends": driver.text.source.newlines,
        "class": version.value("Class") or None,
        "class_guid": version.value("ClassGuid") or None,
        "provider": version.value("Provider") or None,
        "driver_ver": ",".join(entry.values) if (entry := version.entry("DriverVer")) else None,
        "catalogs": [{"architecture": each.architecture, "name": each.name} for each in version.catalogs()],
        "architectures": list(driver.architectures),
        "releases": [name.option for name in driver.releases],
        "models": [
            {
                "manufacturer": section.manufacturer,
                "section": section.name,
                "target": section.target.text or None,
                "devices": [
                    {"description": model.description, "install": model.install, "ids": list(model.ids)}
                    for model in section.models or ()
                ],
            }
            for section in driver.models
            if section.models is not None
        ],
        "hardware_ids": list(driver.hardware_ids),
        "files": _files(driver),
    }


def _files(driver: DriverInf) -> list[dict[str, Any]]:
    """Return the files that the INF's catalogs list, existing or not."""
    from catalogs.package.copied_files import copied_files

    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in copied_files(driver, driver.architectures).items:
        place = "/".join((*item.source.folders, item.copy.source)) if item.source else None
        entry = found.setdefault(
            (item.copy.target.lower(), place or ""),
            {"name": item.copy.target.lower(), "source": place, "architectures": [], "line": item.copy.line},
        )
        entry["architectures"] += [item.architecture] if item.architecture not in entry["architectures"] else []
    return list(found.values())


def _print(output: Output, facts: dict[str, Any]) -> None:
    output.print(f"{facts['path']}: {facts['encoding']}, {facts['line_ends'].upper()}")
    catalogs = [f"{each['name']} ({each['architecture']})" for each in facts["catalogs"]]
    rows = (
        ("Class", f"{facts['class'] or '?'} {facts['class_guid'] or ''}"),
        ("Provider", facts["provider"]),
        ("DriverVer", facts["driver_ver"]),
        ("Catalogs", ", ".join(catalogs)),
        ("Releases", ", ".join(facts["releases"])),
    )
    output.table(("", ""), rows)
    devices = [
        (section["section"], device["description"], device["install"], tuple(device["ids"]))
        for section in facts["models"]
        for device in section["devices"]
    ]
    if devices:
        output.table(("Models", "Device", "Installed by", "IDs"), devices)
    files = [
        (file["name"], file["source"] or "included with Windows or another INF", ", ".join(file["architectures"]))
        for file in facts["files"]
    ]
    if files:
        output.table(("File", "Where", "For"), files)
