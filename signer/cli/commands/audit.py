"""`drvsign audit`: tell which of many drivers stop loading."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.audit_engines import LOCAL, engine, to_engine
from signer.cli.audit_inputs import add_inventories, add_logs, disks, parted, places_elsewhere
from signer.cli.audit_questions import Asked, asked
from signer.cli.exit_codes import ExitCode
from signer.cli.interrupts import deferred, requested
from signer.cli.option_groups import command, examples
from signer.cli.options.common import Jobs, SecretOptions
from signer.cli.options.kept_drivers import KeptDrivers
from signer.cli.options.reports import ReportChoices, require_distinct, require_place
from signer.cli.options.verify import MachineOptions, TrustOptions
from signer.cli.output import Output
from signer.cli.param_types import to_file, to_input, to_output, to_place
from signer.cli.paths import listed
from signer.cli.reporting import Answer, Reporting
from signer.errors import FileError, SignerError, UsageError
from signer.formats.detect import detect_file
from signer.records import dataclass
from signer.storage.files import exists, read, require_data
from signer.storage.streams import STANDARD

if TYPE_CHECKING:
    from signer.audit.baseline import Difference
    from signer.audit.cache import Cache
    from signer.audit.examine import Question
    from signer.audit.ledger import Ledger
    from signer.audit.run import Run, Sink
    from signer.audit.units import Place
    from signer.reports.model import Report

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A path and the machine that it comes from."""

    machine: str
    path: Path


def _require_image() -> None:
    """Raise FileError if the standard input is not an image: other inputs are told apart by their suffixes."""
    if not read(STANDARD):
        hint = "Check the command that writes it: it should write an image."
        raise FileError("the standard input is empty", path=STANDARD, hint=hint)
    row = detect_file(STANDARD)
    if row is None or not row.traits.loaded_as_code:
        raise FileError(
            "the standard input is not an image",
            path=STANDARD,
            hint="Write it into a file: inventories and archives have a suffix such as .csv or .zip.",
        )


def to_named_file(word: str | NamedPlace) -> NamedPlace:
    """Convert `NAME=FILE` of a machine's state. Raises typer.BadParameter."""
    if isinstance(word, NamedPlace):
        return word
    name, equals, path = word.partition("=")
    if not (name and equals and path) or path == "-":
        raise typer.BadParameter(
            f"{word!r} is not NAME=FILE with the TOML or JSON file of a machine's state, such as pc-17=pc-17.toml"
        )
    return NamedPlace(name, to_file(path))


def to_named_place(word: str | NamedPlace) -> NamedPlace:
    """Convert `NAME=PATH`. Raises typer.BadParameter."""
    if isinstance(word, NamedPlace):
        return word
    name, equals, path = word.partition("=")
    if not (name and equals and path):
        raise typer.BadParameter(f"{word!r} is not NAME=PATH, such as pc-17=stores/pc-17")
    return NamedPlace(name, to_place(path))


Places = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH",
        help="Disks, driver stores, folders of drivers or packages, archives, files, inventories, or @list.txt.",
        show_default=False,
        parser=to_input,
    ),
]


@dataclass(frozen=True)
class AuditOptions:
    """What is audited, and against what."""

    machine_paths: Annotated[
        list[NamedPlace] | None,
        typer.Option(
            "--machine",
            metavar="NAME=PATH",
            help="A path and the machine that it comes from. Repeatable.",
            show_default=False,
            parser=to_named_place,
        ),
    ] = None
    machine_states: Annotated[
        list[NamedPlace] | None,
        typer.Option(
            "--machine-state",
            metavar="NAME=FILE",
            help="The state of a machine (TOML or JSON): its release, Secure Boot, lists and so on. Repeatable.",
            show_default=False,
            parser=to_named_file,
        ),
    ] = None
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="NAME",
            help="A release and architecture, such as win11-24h2-x64. Default: the newest release for each driver's "
            "architecture.",
        ),
    ] = None
    logs: Annotated[
        list[Path] | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="A log of Code Integrity (.evtx, XML, JSON, CSV): its events 3076 and 3077 count more than the files. "
            "Repeatable.",
            show_default=False,
            parser=to_file,
        ),
    ] = None
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline", metavar="OLD", help="The JSON of an earlier audit: say what changed.", parser=to_file
        ),
    ] = None
    table: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write all rows to FILE: .csv, .json or .parquet.", parser=to_output
        ),
    ] = None

    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Examine files that did not change since an earlier audit too."),
    ] = False

    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="NAME",
            help="Where files are examined: local; dask://HOST:PORT, the scheduler of a cluster; or dask, a cluster on "
            "this machine.",
            parser=to_engine,
        ),
    ] = LOCAL

    def places(self, paths: Sequence[Path] | None) -> list[Place]:
        """Return what to audit. Raises UsageError without any, FileError for one that is missing or a pipe."""
        from signer.audit.units import Place

        named = [(one.path, one.machine) for one in self.machine_paths or []]
        found = [*((path, "") for path in listed(paths or [])), *named]
        if not found and not self.logs:
            raise UsageError("nothing to audit", hint="Name a driver store, or a folder with drivers or packages.")
        for path in (path for path, _ in found if not exists(path)):
            raise FileError("file or folder not found", path=path, hint="Check the path.")
        for path, _ in found:
            require_data(path)
            if path == STANDARD:
                _require_image()
        return [Place(path, machine) for path, machine in found]

    def states(self) -> dict[str, Path]:
        """Return the file with the state of each machine. Raises UsageError for a machine that the call lacks."""
        known = {one.machine for one in self.machine_paths or []}
        for one in self.machine_states or []:
            if one.machine not in known:
                raise UsageError(
                    f"--machine-state names {one.machine}, which no --machine names",
                    hint=f"Add --machine {one.machine}=PATH.",
                )
        return {one.machine: one.path for one in self.machine_states or []}


@app.command(
    epilog=examples(
        "drvsign audit FileRepository/",
        "drvsign audit --machine pc-17=stores/pc-17 --machine pc-18=stores/pc-18 --output fleet.csv",
        "drvsign audit stores/ --policy-xml keep.xml --rule-level hash",
        "drvsign audit stores/ --allow-list policy.cip --baseline last-month.json --report sarif=audit.sarif",
    )
)
@command
def audit(
    output: Output,
    paths: Places = None,
    *,
    options: AuditOptions,
    trust: TrustOptions,
    machine: MachineOptions,
    secrets: SecretOptions,
    reports: ReportChoices,
    kept: KeptDrivers,
    jobs: Jobs = 0,
) -> None:
    """Tell which of many drivers stop loading, and why.

    Each driver is judged twice: without the Windows Driver Policy, the block list and memory integrity, and with
    them. Equal drivers are one row. Exit code 1: a driver stops loading; 0: none does.
    """
    from signer.audit.baseline import read_baseline
    from signer.audit.ledger import Elsewhere, Ledger
    from signer.audit.tables import table_writer

    output, reporting = reports.prepare(output, "audit")
    places = options.places(paths)
    folders, inventories = parted(places)
    kept.check()
    written = _files_to_write(options, kept, reporting)
    write_table = table_writer(options.table) if options.table is not None else None
    old = read_baseline(options.baseline) if options.baseline is not None else None
    trusted, test_machine = trust.resolve(output, secrets.secret), trust.test_machine
    asked_about = asked(trusted, machine, options.target, options.states(), disks(places), test_machine=test_machine)
    question = asked_about.question
    states = asked_about.states()
    with Ledger(states) as ledger, _cache(options, trust, asked_about) as cache:
        add_logs(output, options.logs or [], {one.machine for one in places if one.machine}, ledger)
        listed_machines = add_inventories(output, inventories, question, ledger)
        elsewhere = places_elsewhere(folders, listed_machines, states)
        with engine(options.engine, jobs, folders) as run:
            interrupted = _audited(output, folders, question, (ledger, cache), run)
            if elsewhere and interrupted is None:
                interrupted = _audited(output, elsewhere, question, (Elsewhere(ledger), cache), run)
        if options.table is not None and write_table is not None:
            write_table(ledger.rows(), options.table)
        kept.write(output, ledger, question)
        _report(output, reporting, ledger, question, _changes(ledger, old))
        for path in written:
            output.note(f"{path}: written")
        if interrupted is not None:
            output.error(interrupted)
        raise typer.Exit(_exit_code(ledger) if interrupted is None else ExitCode.INTERRUPTED)


def _files_to_write(options: AuditOptions, kept: KeptDrivers, reporting: Reporting) -> list[Path]:
    """Return the table and the files of reports. Raises UsageError, FileError for a place that can't be written."""
    if options.table is not None:
        require_place(options.table, "the table")
    written = [path for path in (options.table, *(one.path for one in reporting.files)) if path is not None]
    require_distinct([*written, *([kept.policy_xml] if kept.policy_xml is not None else [])])
    return written


def _cache(
    options: AuditOptions, trust: TrustOptions, asked_about: Asked
) -> contextlib.AbstractContextManager[Cache | None]:
    """Return the cache for what is asked; none for other roots than Microsoft's, whose files it does not know."""
    from platformdirs import user_cache_path

    from signer.audit.cache import Cache

    if options.no_cache or trust != type(trust)():
        return contextlib.nullcontext()
    folder = user_cache_path("drvsign", appauthor=False)
    return Cache(folder / "audit.sqlite", asked_about.kept(), date.today().toordinal())


def _audited(
    output: Output, places: Sequence[Place], question: Question, stores: tuple[Sink, Cache | None], run: Run
) -> SignerError | None:
    """Examine everything with a progress bar. Return the error of an interrupt, which keeps what was examined."""
    from signer.audit.run import audit as run_audit

    is_interrupted = False

    def shown(items: Iterable[Any], total: int | None, doing: str) -> Iterator[Any]:
        nonlocal is_interrupted
        for one in output.shown(items, total, doing) if not requested() else ():
            yield one
            if requested():
                break
        is_interrupted |= requested()

    ledger, cache = stores
    with deferred():
        progress = run_audit(places, question, ledger, run, cache, shown)
    if not is_interrupted:
        return None
    continues = "it continues where this one stopped" if cache is not None else "nothing was kept in the cache"
    return SignerError(
        f"interrupted after {progress.done:,} of {progress.listed:,} folders; the rows are theirs",
        hint=f"Run the same command again: {continues}.",
    )


def _changes(ledger: Ledger, old: Any) -> list[Difference] | None:
    """Return the differences from an earlier audit; None without one."""
    from signer.audit.baseline import differences

    return list(differences(ledger.rows(), old)) if old is not None else None


def _report(
    output: Output, reporting: Reporting, ledger: Ledger, question: Question, changes: list[Difference] | None
) -> None:
    from signer.audit.rows import ANSWERS
    from signer.reports.audit_page.page import AuditAnswer, render
    from signer.reports.audit_page.summary import Asked
    from signer.reports.audit_report import audit_report
    from signer.reports.audit_text import listed_answers, write_audit, write_differences

    counts = ledger.counts()

    def text(sink: Any) -> None:
        verbose = bool(output.verbose)
        ends_blank = write_audit(ledger.rows(listed_answers(verbose=verbose)), counts, sink, verbose=verbose)
        if changes is not None:
            write_differences(changes, sink, verbose=verbose, after_blank=ends_blank)

    def document() -> dict[str, Any]:
        found = {
            "schema": "drvsign.audit/1",
            "target": question.query.targets[0].name if question.query.targets else None,
            "machines": {name: [one.name for one in own.query.targets] for name, own in question.machines.items()},
            "at": f"{question.query.machine.at:%Y-%m-%dT%H:%M:%SZ}",
            "counts": {answer: counts[answer] for answer in ANSWERS},
            "drivers": (row.as_json() for row in ledger.rows()),
        }
        return found | ({"changes": [one.as_json() for one in changes]} if changes is not None else {})

    def page() -> Iterable[str]:
        return render(
            AuditAnswer(ledger.rows, Asked(_target(question), question.query.machine.at), changes, _exit_code(ledger))
        )

    def report() -> Report:
        return audit_report(ledger, _exit_code(ledger))

    reporting.write(output, Answer(text, document, report, {"html": page}))


def _target(question: Question) -> str | None:
    """Return the target in words; None for the newest release of each driver's architecture."""
    if question.machines:
        return "Each machine's own release"
    return question.query.targets[0].name if question.query.targets else None


def _exit_code(ledger: Ledger) -> ExitCode:
    """Return 1 if a driver stops loading, 3 if nothing could be examined or each driver needs its file, else 0."""
    from signer.audit.rows import STOPPING
    from signer.reports.audit_words import drivers

    counts = ledger.counts()
    if any(counts[answer] for answer in STOPPING):
        return ExitCode.REJECTED
    has_answers = counts and (not drivers(counts) or counts["needs-file"] < drivers(counts))
    return ExitCode.DONE if has_answers else ExitCode.FAILED
