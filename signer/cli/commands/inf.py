"""`drvsign inf`: show and check INFs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.commands.inf_stamp import stamp
from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.options.common import Jobs, Paths, workers
from signer.cli.options.package import CatalogChoices
from signer.cli.output import Output
from signer.cli.param_types import to_path
from signer.cli.paths import expand
from signer.cli.reading import interruption
from signer.cli.threads import in_threads
from signer.errors import (
    FileError,
    InfError,
    InternalError,
    Interrupted,
    SignerError,
    UsageError,
    unexpected_as_internal,
)
from signer.reports.problems import write_problems
from signer.storage.streams import STANDARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalogs.inf.driver import DriverInf
    from catalogs.inf.problems import PackageProblem
    from catalogs.inf.rules import Rule, RuleSet

_DIFF_STYLES = {"+": "green", "-": "red", "@": "dim"}
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
    infs = expand(paths, _is_inf, "INFs")
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
) -> None:
    """List the files of a package for build systems, relative to its folder: catalogs, INFs and the files they copy.

    Also lists files that do not exist yet.
    """
    from catalogs.package.file_list import package_files

    if not folder.is_dir():
        raise FileError("folder not found", path=folder, hint="Name the folder that contains the INF.")
    catalogs, others = ([path.relative_to(folder).as_posix() for path in paths] for paths in package_files(folder))
    if not catalogs:
        raise InfError(
            "no INF names a catalog", path=folder, hint="Add CatalogFile = NAME.cat to [Version] of the INF."
        )
    if output.json:
        output.document({"schema": "drvsign.inf-files/1", "catalogs": catalogs, "files": others})
        return
    for name in (*catalogs, *others):
        output.print(name)


@app.command(epilog=examples("drvsign inf lint driver.inf", "drvsign inf lint . --os 10_X64 --json"))
@command
def lint(
    output: Output,
    paths: Paths,
    os: Annotated[
        list[str] | None,
        typer.Option(
            "--os", metavar="NAME,…", help="Windows releases, as Inf2Cat names them. Default: the releases in the INF."
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="DATE", help="The build date, which DriverVer must not exceed. Default: today."),
    ] = None,
    local_time: Annotated[
        bool, typer.Option("--uselocaltime", help="Use today's date in local time instead of UTC.")
    ] = False,
    files: Annotated[
        bool,
        typer.Option("--files/--no-files", help="Check that the files named in the INF exist. Not for .inx files."),
    ] = True,
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            metavar="MODE",
            help="InfVerif's requirements: k (declarative), u (universal), w (Windows drivers) or h (WHQL signature).",
        ),
    ] = "w",
    rulever: Annotated[
        str | None,
        typer.Option(
            "--rulever",
            metavar="DATE|latest",
            help="Report rules of later Windows releases as warnings. Default: the date in DriverVer.",
        ),
    ] = None,
    provider: Annotated[
        str | None, typer.Option("--provider", metavar="NAME", help="The Provider that the INFs must have.")
    ] = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Show a diff, then fix the encoding, newlines, PnpLockdown, DriverVer and architecture decorations.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix: show the diff, and change nothing.")] = False,
    jobs: Jobs = 0,
) -> None:
    """Check INFs for everything that Inf2Cat and InfVerif report.

    Exit code 1 if there is an error, 0 with warnings only, 3 if a file can't be read.
    """
    from catalogs.catalog.os_names import parse_names
    from catalogs.inf.problems import PackageProblem
    from catalogs.lint import lint as find

    if dry_run and not fix:
        raise UsageError("--dry-run without --fix", hint="Add --fix, or remove --dry-run.")
    names = parse_names(os) if os else None
    rule_set = _rule_set(mode, rulever, provider)
    time = CatalogChoices(os, None, now, local_time).time()
    today = (time.astimezone() if local_time else time.astimezone(UTC)).date()
    infs = expand(paths, _is_inf, "INFs")
    if fix and STANDARD in infs:
        raise UsageError("--fix changes a file, and - is the standard input", hint="Name the INF.")
    fixes = {path: _fix(path, today, output, write=not dry_run) for path in infs} if fix else {}

    def work(path: Path) -> list[PackageProblem]:
        try:
            with unexpected_as_internal():
                return find(path, names, today=today, files=files, rule_set=rule_set)
        except SignerError as error:
            return [PackageProblem(error.code, error.message, error.path or path, error.line, error.hint)]

    results = in_threads(work, infs, workers(jobs, len(infs)))
    done = output.told_each(results, lambda _: None, len(infs), "reading", at_once=True)
    left = infs[len(done) :]
    found = [*done, *([PackageProblem(Interrupted.code, Interrupted(path).message, path)] for path in left)]
    if rule_set.mode == "h":
        output.note("mode h: Microsoft publishes no levels for it; those of mode w apply, with InfVerif's exceptions.")
    if output.json:
        documents = [
            {**_lint_document(path, problems), **fixes.get(path, {})}
            for path, problems in zip(infs, found, strict=True)
        ]
        output.document({"schema": "drvsign.lint/1", "files": documents})
    else:
        write_problems([problem for problems in found for problem in problems], output)
    if left:
        output.error(interruption(infs[: len(done)], len(infs), "checked", f"The first file that is left: {left[0]}."))
        raise typer.Exit(ExitCode.INTERRUPTED)
    code = _exit_code(problem for problems in found for problem in problems)
    if code:
        raise typer.Exit(code)


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
        "source": f"windows-driver-docs {rule.source}",
    }


def _rule_set(mode: str, rulever: str | None, provider: str | None) -> RuleSet:
    """Return the requirements that the options name. Raises UsageError."""
    from catalogs.inf.rules import Mode, RuleSet

    try:
        chosen = Mode(mode.lower())
    except ValueError as error:
        raise UsageError(f"unknown mode {mode!r}", hint="Use --mode k, u, w or h.") from error
    if rulever is None or rulever.lower() == "latest":
        return RuleSet(chosen, latest=rulever is not None, provider=provider)
    try:
        return RuleSet(chosen, date.fromisoformat(rulever), provider=provider)
    except ValueError as error:
        raise UsageError(
            f"--rulever {rulever!r} is not a date", hint="Write a date such as 2024-10-01, or latest."
        ) from error


def _fix(path: Path, today: date, output: Output, *, write: bool) -> dict[str, Any]:
    """Print the diff of the fixes of an INF, and write them; return the keys that the document has for them."""
    from catalogs.inf.fix import fix
    from signer.storage.files import read, require_data, write_atomically

    require_data(path)
    try:
        fixed = fix(path, read(path), today)
    except InfError:
        return {"diff": None, "fixed": False}  # lint reports the error
    diff = fixed.diff() if fixed.changed else ""
    for line in diff.splitlines():
        output.print(line, _DIFF_STYLES.get(line[:1]))
    if fixed.changed and write:
        write_atomically(path, fixed.after.to_bytes())
    return {"diff": diff or None, "fixed": fixed.changed and write}


def _exit_code(problems: Iterable[PackageProblem]) -> ExitCode:
    """Return FAILED if a file can't be read as an INF, REJECTED if there is another error."""
    errors = {problem.code for problem in problems if _is_error(problem)}
    if errors & {InfError.code, FileError.code, InternalError.code, "1000", "1002"}:
        return ExitCode.FAILED
    return ExitCode.REJECTED if errors else ExitCode.DONE


def _is_inf(path: Path) -> bool:
    return path.suffix.lower() in (".inf", ".inx")


def _is_error(problem: PackageProblem) -> bool:
    return problem.severity.value == "error"


def _lint_document(path: Path, problems: Sequence[PackageProblem]) -> dict[str, Any]:
    return {
        "path": str(path),
        "errors": sum(map(_is_error, problems)),
        "warnings": sum(not _is_error(problem) for problem in problems),
        "problems": [problem.as_json() for problem in problems],
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
