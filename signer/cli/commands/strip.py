"""`drvsign strip`: remove signatures from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.option_groups import command, examples
from signer.cli.options.common import Jobs, KeepGoing, OutputFile, Paths, workers
from signer.cli.options.destinations import Destination
from signer.cli.options.identity import IdentityOptions
from signer.cli.output import Output
from signer.cli.paths import expand_relative, require_existing
from signer.cli.results import attempt, finish_told, teller
from signer.cli.signing import prepare_for
from signer.cli.threads import in_threads
from signer.formats.detect import detect_file, names
from signer.formats.table import FormatRow
from signer.reports.file_results import FileResult
from signer.storage.patching import Patched, change_atomically

if TYPE_CHECKING:
    from signer.operations.ownership import Ownership

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("drvsign strip toaster.sys", "drvsign strip toaster.sys --index 1 --output without.sys"))
@command
def strip(
    output: Output,
    paths: Paths,
    index: Annotated[
        int | None,
        typer.Option(
            "--index", metavar="N", min=0, help="Remove only this signature; `drvsign inspect` shows the indexes."
        ),
    ] = None,
    output_file: OutputFile = None,
    keep_going: KeepGoing = False,
    jobs: Jobs = 0,
) -> None:
    """Remove all signatures of files, or one of each. Nothing else changes.

    A catalog can't be stripped: its signature is the file.
    """
    if not keep_going:
        require_existing(paths)
    files = expand_relative(paths, _can_be_stripped, names(_is_separable), missing_ok=True)
    targets = Destination(output_file).of(files, output)
    prepare_for(targets)
    known = IdentityOptions().known_authorities() if output_file is not None else None

    def work(path: Path) -> FileResult:
        return attempt(path, lambda: strip_file(path, targets[path], index, known))

    found = in_threads(work, list(targets), workers(jobs, len(targets)))
    done = output.told_each(found, teller(output), len(targets), "stripping")
    finish_told(output, dict(zip(targets, done, strict=False)), list(targets), "stripped")


def _can_be_stripped(path: Path) -> bool:
    row = detect_file(path)
    return row is not None and _is_separable(row)


def _is_separable(row: FormatRow) -> bool:
    return not row.is_content


def strip_file(source: Path, target: Path, index: int | None, known: Ownership | None) -> FileResult:
    """Remove the signatures of one file, or the one with this index. Raises SignerError.

    `known` are the authorities whose signed files a copy may replace.
    """
    from signer.operations.ownership import require_replaceable_copy
    from signer.operations.signatures import without_signature, without_signatures

    if known is not None:
        require_replaceable_copy(source, target, known)

    def stripped(data: memoryview) -> Patched:
        return Patched(without_signatures(data) if index is None else without_signature(data, index))

    if change_atomically(source, target, stripped).changes is None:
        note = "is not signed" if source == target else f"{source} is not signed; copied unchanged"
        return FileResult(target, "skipped", note=note)
    return FileResult(target, "stripped", note=f"from {source}" if target != source else "")
