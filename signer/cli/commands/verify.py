"""`drvsign verify`: will it install and load there, and if not, why, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from signer.cli.assess import Assessment, Assessor, is_package, load_catalog, parse_targets, verifiable_kind
from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.options.common import Jobs, Paths, workers
from signer.cli.options.verify import MachineOptions, TrustOptions
from signer.cli.output import Output
from signer.cli.param_types import to_file
from signer.cli.paths import listed, walk
from signer.cli.processes import in_processes
from signer.cli.threads import in_threads
from signer.errors import FileError, SignerError, UnfinishedRun, UsageError
from signer.formats.detect import by_suffix
from signer.storage.files import write_atomically
from signer.storage.recovery import UnfinishedRuns

if TYPE_CHECKING:
    from signer.verify.evidence import CatalogLookup

app = typer.Typer(add_completion=False)

_VERIFIABLE = ("image", "catalog", "cabinet")
_BATCH = 4
"""Files for a process at a time: one takes milliseconds."""


@dataclass(frozen=True)
class VerifyQuery:
    """What is asked of the files: the policy, the releases, and what else lists them."""

    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            metavar="NAME",
            help="Policy to check: kernel (will the driver load?), pnp (will the package install?), "
            "protected-media, or authenticode (WinVerifyTrust).",
            show_default=False,
        ),
    ]
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
        bool, typer.Option("--matrix", help="Check every release that supports the architecture of the file.")
    ] = False
    catalog: Annotated[
        list[Path] | None,
        typer.Option(
            "--catalog", metavar="FILE", help="A catalog in which to look the files up. Repeatable.", parser=to_file
        ),
    ] = None

    def check(self) -> None:
        """Raise UsageError for a policy that does not exist, and for releases that are asked for twice."""
        from signer.policy.judge import POLICY_NAMES

        if self.policy not in POLICY_NAMES:
            known = ", ".join(POLICY_NAMES)
            raise UsageError(f"there is no policy called {self.policy!r}", hint=f"Choose one of {known}.")
        if self.matrix and self.target:
            raise UsageError("--matrix and --target exclude each other", hint="Give one of them.")


@app.command(
    epilog=examples(
        "drvsign verify driver/ --policy kernel --target win11-24h2-x64",
        "drvsign verify driver/ --policy kernel --target win11-24h2-x64 --testsigning --roots test-signing",
        "drvsign verify toaster.sys --policy kernel --matrix",
        "drvsign verify toaster.sys --policy authenticode --catalog toaster.cat --json",
    )
)
@command
def verify(
    output: Output,
    paths: Paths,
    question: VerifyQuery,
    trust: TrustOptions,
    machine: MachineOptions,
    events: Annotated[
        Path | None,
        typer.Option(
            "--events", metavar="FILE", help="Write the predicted Code Integrity events as JSON lines.", parser=to_file
        ),
    ] = None,
    jobs: Jobs = 0,
) -> None:
    """Check whether Windows will install and load drivers and driver packages.

    A folder with an INF is a driver package: will it install, and will its drivers load? Exit code 0: accepted
    everywhere; 1: rejected somewhere; 3: no public source decides, or a file can't be read.
    """
    question.check()
    at = machine.time()
    assessor = Assessor(
        question.policy,
        trust.resolve(at, output),
        machine.machine(trust.roots, at),
        parse_targets(question.target or []),
        question.matrix,
        tuple(_finished_catalog(path) for path in question.catalog or []),
        verbose=bool(output.verbose),
    )
    if output.json:
        code = _tell_a_program(output, assessor, paths, jobs, events)
    else:
        code = _tell_a_person(output, assessor, paths, jobs, events)
    raise typer.Exit(code)


def _tell_a_program(output: Output, assessor: Assessor, paths: Iterable[Path], jobs: int, events: Path | None) -> int:
    """Print the document; returns the exit code. Entries are written where the files are assessed: in processes."""
    from signer.cli.verdict_json import head, tell

    found = assess_all(
        output,
        assessor,
        paths,
        jobs,
        told=partial(tell, output.entry, events is not None),
        run=partial(in_processes, batch=_BATCH),
    )
    if events is not None:
        write_atomically(events, "".join(one.events for one in found).encode())
    output.long_document(head(found), "files", [one.entry for one in found])
    return _finish(output, found)


def _tell_a_person(output: Output, assessor: Assessor, paths: Iterable[Path], jobs: int, events: Path | None) -> int:
    """Print tables and reasons; returns the exit code."""
    from signer.cli.verdict_text import show, summary

    found = assess_all(output, assessor, paths, jobs)
    if events is not None:
        from signer.cli.verdict_json import event_lines

        write_atomically(events, "".join(map(event_lines, found)).encode())
    show(output, found, matrix=assessor.matrix)
    summary(output, found)
    return _finish(output, found)


def assess_all(
    output: Output,
    assessor: Assessor,
    paths: Iterable[Path],
    jobs: int,
    told: Callable[[Assessment], Any] = lambda one: one,
    run: Callable[..., Any] = in_threads,
) -> list[Any]:
    """The assessments of everything that the paths mean, packages first where a folder is one, as `told` tells them.

    `run` is how files are gone through; in processes `told` runs there too, and its results have to be picklable.
    """
    found: list[Assessment] = []
    files: list[tuple[Path, list[Path]]] = []
    runs = UnfinishedRuns()
    for path in dict.fromkeys(listed(paths)):
        mixed = _mixed(path, runs)
        if mixed is not None:
            found.append(mixed)
        elif path.is_dir() and is_package(path):
            found += _guarded(path, "package", partial(_package, assessor, path, _each(output, jobs)))
            files += _outside_packages(path)
        elif path.suffix.lower() == ".inf" and path.is_file():
            found += _guarded(path, "package", partial(_package, assessor, [path], _each(output, jobs)))
        elif path.is_dir():
            files += _in_folder(path)
        else:
            files.append((path, []))

    def work(item: tuple[Path, list[Path]]) -> list[Any]:
        path, beside = item
        assessed = _guarded(path, "file", lambda: [assessor.file(path, [load_catalog(one) for one in beside])])
        return [told(one) for one in assessed]

    if not found and not files:
        raise UsageError("there is nothing to verify", hint="Name a driver, a catalog, or the folder of a package.")
    answers = [told(one) for one in found]
    for done in output.each(work, files, jobs=workers(jobs, len(files)), doing="verifying", run=run):
        answers += done
    return answers


def _finished_catalog(path: Path) -> CatalogLookup:
    """A catalog that was named. Raises UnfinishedRun for one that an interrupted run replaced."""
    UnfinishedRuns().require_none(path)
    return load_catalog(path)


def _mixed(path: Path, runs: UnfinishedRuns) -> Assessment | None:
    """That a run was interrupted there, where one was: files of two states are no package."""
    try:
        runs.require_none(path)
    except UnfinishedRun as error:
        return Assessment(path, "package" if path.is_dir() else _kind_by_name(path), error=error)
    return None


def _package(assessor: Assessor, where: Path | Sequence[Path], each: Any) -> list[Assessment]:
    return list(assessor.package(where, each))


def _in_folder(folder: Path) -> list[tuple[Path, list[Path]]]:
    """What can be verified in a folder without an INF. Raises UsageError where there is nothing."""
    found = _verifiable(folder)
    if not found:
        raise UsageError(
            "there are no images, catalogs, cabinets or driver packages in this folder",
            path=folder,
            hint="Name the files themselves.",
        )
    return found


def _outside_packages(folder: Path) -> list[tuple[Path, list[Path]]]:
    """What can be verified in a folder besides the driver packages in it."""
    packages = {path.parent for path in walk(folder) if path.suffix.lower() == ".inf"}
    return [one for one in _verifiable(folder) if not packages & set(one[0].parents)]


def _verifiable(folder: Path) -> list[tuple[Path, list[Path]]]:
    """The images, catalogs and cabinets below a folder; the catalogs count for the other files."""
    kinds = {path: _kind_in_folder(path) for path in walk(folder)}
    catalogs = [path for path, kind in kinds.items() if kind == "catalog"]
    return [(path, [] if kind == "catalog" else catalogs) for path, kind in kinds.items() if kind in _VERIFIABLE]


def _kind_in_folder(path: Path) -> str:
    """What a file of a folder is; one that can't be read is what its name says, so that it fails alone."""
    try:
        return verifiable_kind(path)
    except FileError:
        return _kind_by_name(path)


def _guarded(path: Path, kind: str, work: Callable[[], list[Assessment]]) -> list[Assessment]:
    """What `work` gives; an error becomes an assessment, so that other files go on."""
    try:
        if not path.exists():
            raise FileError("there is no such file or folder", path=path, hint="Check the path.")
        return work()
    except UsageError:
        raise
    except SignerError as error:
        return [Assessment(path, kind if kind == "package" else _kind_by_name(path), error=error.at(path))]


def _kind_by_name(path: Path) -> str:
    row = by_suffix(path)
    return row.name if row is not None else "package" if path.suffix.lower() == ".inf" else "image"


def _each(output: Output, jobs: int) -> Any:
    """How the files of a package are gone through: several at a time, with a progress bar."""
    return lambda work, items: output.each(work, items, jobs=workers(jobs, len(items)), doing="hashing")


class Outcome(Protocol):
    """What the exit code depends on: of an assessment, or of one that was told."""

    @property
    def error(self) -> SignerError | None:
        """Why nothing could be said."""

    @property
    def accepted(self) -> bool:
        """Whether every target accepts it."""

    @property
    def rejected(self) -> bool:
        """Whether any target says no."""


def _finish(output: Output, found: Sequence[Outcome]) -> int:
    """Say which files could not be read; returns the exit code."""
    for one in found:
        if one.error is not None:
            output.error(one.error)
    return exit_code(found)


def exit_code(assessments: Sequence[Outcome]) -> ExitCode:
    """3 where a file could not be read, 1 where anything is rejected, 3 where anything is left open, else 0."""
    if any(one.error is not None for one in assessments):
        return ExitCode.FAILED
    if any(one.rejected for one in assessments):
        return ExitCode.REJECTED
    return ExitCode.DONE if assessments and all(one.accepted for one in assessments) else ExitCode.FAILED
