"""`drvsign inspect`: show everything in the signatures of a file. It evaluates no trust: `drvsign verify` does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import typer

from signer.cli.option_groups import command, examples
from signer.cli.options.common import Jobs, Paths
from signer.cli.output import Output
from signer.cli.paths import expand
from signer.cli.reading import finish_reading, read_each
from signer.errors import SigningError
from signer.formats.detect import expected, names, titles
from signer.reports.inspection import Inspection, inspection_document, write_inspection
from signer.storage.files import mapped

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("drvsign inspect toaster.sys", "drvsign inspect driver/ --json"))
@command
def inspect(output: Output, paths: Paths, jobs: Jobs = 0) -> None:
    """Show everything in the signatures of files: signer, contents, timestamp, integrity.

    Signatures are numbered from 0; nested signatures follow the one that contains them. No trust is evaluated here:
    use drvsign verify for that.
    """
    files = expand(paths, _handles, names(), missing_ok=True)
    at = datetime.now(UTC)
    found = read_each(
        output,
        files,
        _inspect,
        lambda path, error: Inspection(path, error=error),
        lambda one: write_inspection(one, output, at, verbose=bool(output.verbose)),
        jobs=jobs,
        doing="reading",
    )
    if output.json:
        output.document(inspection_document(found, at))
    finish_reading(output, found, "inspected")


def _handles(path: Path) -> bool:
    return expected(path) is not None


def _inspect(path: Path) -> Inspection:
    from signer.verify.gather import gather

    row = expected(path)
    if row is None:
        raise SigningError(
            f"not {titles()}, so it can't contain a signature",
            path=path,
            hint="Check which catalog lists it: drvsign catalog check CAT DIR",
        )
    with mapped(path) as data:
        return Inspection(path, len(data), gather(data, row.name, path.name))
