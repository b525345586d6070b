"""`drvsign catalog`: build, sign, show, compare and check catalogs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace as replaced
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.commands.catalog_build import CatalogBuilder, sources_of
from signer.cli.commands.catalog_check import answer_of, states_of
from signer.cli.commands.sign import sign
from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command, examples
from signer.cli.options.certs import CertsDir, require_authority
from signer.cli.options.common import Jobs, OutputFile, PageHashes
from signer.cli.options.depfile import DepFile, require_listable, write_depfile
from signer.cli.options.identity import IdentityOptions
from signer.cli.options.package import CatalogChoices
from signer.cli.options.reports import ReportChoices
from signer.cli.options.signature import Replace, load_certificates
from signer.cli.output import Output
from signer.cli.param_types import to_file, to_input, to_place
from signer.cli.results import failure_as_result, finish_told
from signer.errors import CatalogError, FileError, SignatureFormatError, UsageError
from signer.formats.detect import INF_SUFFIXES, detect_file
from signer.reports.file_results import FileResult
from signer.storage.files import read, shell_quote
from signer.storage.recovery import UnfinishedRuns
from signer.storage.streams import is_stream

if TYPE_CHECKING:
    from catalogs.catalog.file import Catalog
    from catalogs.catalog.members import CatalogMember
    from catalogs.folder_check import FileState
    from signer.operations.ownership import Ownership

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Build, sign, show, compare and check catalogs (.cat).",
    epilog=examples("drvsign catalog build driver/ --os 10_X64", "drvsign catalog show driver/driver.cat"),
)
CatalogFile = Annotated[
    Path, typer.Argument(metavar="CAT", help="A catalog (.cat).", show_default=False, parser=to_input)
]


@app.command(
    epilog=examples(
        "drvsign catalog build driver/ --os 10_X64,10_VB_X64",
        "drvsign catalog build files.cdf --catalog-version 2",
        "drvsign catalog build --files tools/ --output tools.cat",
    )
)
@command
def build(
    output: Output,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR|INF|CDF",
            help="A package folder, an INF, or a .cdf of MakeCat; with --files, any files, folders and @list.txt.",
            show_default=False,
            parser=to_place,
        ),
    ],
    choices: CatalogChoices,
    loose: Annotated[
        bool, typer.Option("--files", help="List the files themselves by path, as New-FileCatalog of PowerShell does.")
    ] = False,
    page_hashes: PageHashes = False,
    replace: Replace = False,
    cert: Annotated[
        Path | None,
        typer.Option(
            "--cert",
            metavar="FILE",
            help="Your signer's certificate: existing catalogs with its signature are replaced.",
            parser=to_file,
        ),
    ] = None,
    certs: CertsDir = None,
    output_file: OutputFile = None,
    depfile: DepFile = None,
    jobs: Jobs = 0,
) -> None:
    """Build the catalogs that the INFs name, as Inf2Cat does, or the catalog that a .cdf file defines, as MakeCat
    does, or the catalog of any files, as New-FileCatalog does.

    The catalogs are unsigned and are written where the INF or the .cdf file says; with --files, to catalog.cat in the
    folder. A catalog that has the signature of
    another signer than --cert and your test certificates is not replaced without --replace.
    """
    if len(paths) > 1 and not loose:
        raise UsageError("name one folder, INF or .cdf", hint="Add --files to list any files.")
    require_listable(depfile, [*paths, *([output_file] if output_file is not None else [])])
    builder = CatalogBuilder(output, choices, _own_signers(cert, certs), page_hashes, replace, jobs, output_file)
    with failure_as_result(output, paths[0]):
        results, sources = builder.from_files(paths) if loose else builder.from_description(paths[0])
    if depfile is not None and not any(result.error for result in results):
        write_depfile(depfile, results[0].path, sources or sources_of(paths[0], choices))
    finish_told(output, {result.path: result for result in results}, [result.path for result in results], "built")
    _suggest_signing(output, results)


def _own_signers(cert: Path | None, certs: Path | None) -> Callable[[], Ownership]:
    """Return a function that returns the signers whose catalogs are replaced without --replace.

    Raises UsageError and CertificateError for options that are wrong, whether or not the function is called.
    """
    identity = IdentityOptions(certs=require_authority(certs))
    own = load_certificates([cert]) if cert is not None else []
    return lambda: identity.known_authorities().of(*own)


def _suggest_signing(output: Output, results: Sequence[FileResult]) -> None:
    if output.json:
        return
    for result in (one for one in results if not is_stream(one.path)):
        output.note(f"Sign it: drvsign catalog sign {shell_quote(result.path)}")


app.command(
    name="sign",
    help="Sign catalogs. Same as drvsign sign.",
    epilog=examples("drvsign catalog sign driver.cat --pfx contoso.pfx --password-env PFX_PASSWORD"),
)(sign)


@app.command(epilog=examples("drvsign catalog show driver.cat", "drvsign catalog show driver.cat --json"))
@command
def show(output: Output, path: CatalogFile) -> None:
    """Show the attributes and members of a catalog."""
    catalog = _load_members(path)
    if output.json:
        output.document(_document(catalog))
        return
    output.print(
        f"{path}: version {catalog.version}, {_signature(catalog)}, made {catalog.this_update:%Y-%m-%d %H:%M:%S} UTC"
    )
    output.print(f"identifier {catalog.list_identifier.hex()}")
    if catalog.attributes:
        output.table(("Attribute", "Value"), catalog.attributes)
    else:
        output.print("")
    rows = [_row(member) for member in catalog.members]
    output.table(
        ("File", "Kind", "Digest", "", "For", "Details"),
        rows,
        title="1 entry" if len(rows) == 1 else f"{len(rows)} entries",
    )


@app.command(epilog=examples("drvsign catalog diff ours.cat theirs.cat"))
@command
def diff(output: Output, first: CatalogFile, second: CatalogFile) -> None:
    """Compare two catalogs. Exit code 1 if they differ."""
    from catalogs.diff import differences

    found = differences(*(replaced(_load(path), name=str(path)) for path in (first, second)))
    if output.json:
        rows = [{"what": d.what, "subject": d.subject, "first": d.first, "second": d.second} for d in found]
        output.document({"schema": "drvsign.catalog-diff/1", "same": not found, "differences": rows})
    elif found:
        output.table(("Kind", "Name", str(first), str(second)), found)
    else:
        output.print("The catalogs are identical.")
    if found:
        raise typer.Exit(ExitCode.REJECTED)


@app.command(
    epilog=examples(
        "drvsign catalog check driver.cat driver/",
        "drvsign catalog check tools.cat tools/ --skip '*.log'",
        "drvsign catalog check driver.cat driver/ --report junit=check.xml",
    )
)
@command
def check(
    output: Output,
    path: CatalogFile,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR",
            help="The folder to check; for a catalog of New-FileCatalog also several folders and files.",
            show_default=False,
            parser=to_place,
        ),
    ],
    reports: ReportChoices,
    skip: Annotated[
        list[str] | None,
        typer.Option("--skip", metavar="PATTERN", help="Names of files not to compare, such as *.log. Repeatable."),
    ] = None,
) -> None:
    """Check that a folder contains the files that a catalog lists. Exit code 1 if one is missing or changed.

    Entries without a file name are compared by hash. Files that the catalog does not list are shown, but only an INF
    that names the catalog is an error: a package may contain files that no INF copies. A catalog that lists paths, as
    New-FileCatalog makes it, is compared as by Test-FileCatalog: a file that it does not list is an error too.
    """
    output, reporting = reports.prepare(output, "catalog check")
    states = _states(path, paths, skip or ())
    answer, is_intact = answer_of(states, paths[0])
    reporting.write(output, answer)
    if not is_intact:
        raise typer.Exit(ExitCode.REJECTED)


def _states(path: Path, paths: Sequence[Path], skip: Sequence[str]) -> list[FileState]:
    """Compare the catalog at `path` with folders and files. Raises SignerError."""
    for place in (path, *paths):
        UnfinishedRuns().require_none(place)
    for place in paths:
        if not place.exists():
            raise FileError("file or folder not found", path=place, hint="Check the path.")
    catalog = _load_members(path)
    return states_of(catalog, path, paths, skip)


def _load_members(path: Path) -> Catalog:
    """Load the catalog at `path` and interpret its members. Raises the errors of `_load`."""
    catalog = _load(path)
    try:
        _ = catalog.members
    except CatalogError as error:
        raise error.at(path) from error
    return catalog


def _load(path: Path) -> Catalog:
    """Load the catalog at `path`. Raises FileError, CatalogError, SignatureFormatError with the path."""
    from catalogs.catalog.file import Catalog

    row = detect_file(path)
    if row is None and path.suffix.lower() in INF_SUFFIXES:
        hint = "Name the catalog of its CatalogFile entry, or show the INF: drvsign inf show FILE"
        raise CatalogError("this is an INF, not a catalog", path=path, hint=hint)
    if row is not None and not row.traits.lists_files:
        hint = "Show its signatures: drvsign inspect FILE"
        raise CatalogError(f"this is {row.title}, not a catalog", path=path, hint=hint)
    try:
        return Catalog.parse(read(path), path.name)
    except (CatalogError, SignatureFormatError) as error:
        raise error.at(path) from error


def _document(catalog: Catalog) -> dict[str, Any]:
    return {
        "schema": "drvsign.catalog/1",
        "version": catalog.version,
        "list_identifier": catalog.list_identifier.hex(),
        "this_update": catalog.this_update.isoformat().replace("+00:00", "Z"),
        "attributes": [list(pair) for pair in catalog.attributes],
        "members": [
            {
                "tag": member.tag.hex(),
                "file": member.file or "",
                "kind": member.kind,
                "digest_algorithm": str(member.digest_algorithm) if member.digest_algorithm else None,
                "digest": member.digest.hex() if member.digest is not None else None,
                "os_attribute": member.os_attribute,
                "page_hashes": member.page_hashes is not None,
                "attributes": [list(pair) for pair in member.attributes],
            }
            for member in catalog.members
        ],
    }


def _row(member: CatalogMember) -> tuple[object, ...]:
    digest = (member.digest or member.tag).hex()
    others = [f"{name}={value}" for name, value in member.attributes if name not in ("File", "OSAttr")]
    others += ["page hashes"] if member.page_hashes else []
    return (member.file, member.kind, member.digest_algorithm, digest, member.os_attribute, ", ".join(others))


def _signature(catalog: Catalog) -> str:
    from catalogs.diff import signer_of

    return f"signed by {signer_of(catalog)}" if catalog.is_signed else "unsigned"
