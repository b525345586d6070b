"""`drvsign extract`: copy a signature out of its file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from signer.cli.option_groups import command, examples
from signer.cli.options.common import SignablePath
from signer.cli.output import Output
from signer.cli.param_types import to_output
from signer.cli.results import attempt, finish
from signer.reports.file_results import FileResult
from signer.storage.files import mapped, write_atomically

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "drvsign extract toaster.sys --output toaster.p7",
        "drvsign extract toaster.sys --index 1 --output nested.p7",
        "openssl pkcs7 -inform DER -in toaster.p7 -print_certs",
    )
)
@command
def extract(
    output: Output,
    path: SignablePath,
    target: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The file to write.", show_default=False, parser=to_output),
    ],
    index: Annotated[
        int,
        typer.Option("--index", metavar="N", min=0, help="The index of the signature, as shown by `drvsign inspect`."),
    ] = 0,
) -> None:
    """Write one signature of a file to a file of its own (PKCS #7 SignedData, DER).

    A catalog is itself a SignedData: it is copied.
    """
    finish(output, [attempt(path, lambda: _extract(path, target, index))])


def _extract(path: Path, target: Path, index: int) -> FileResult:
    from signer.operations.signatures import signature

    with mapped(path) as data:
        der = signature(data, index)
    write_atomically(target, der)
    return FileResult(target, "extracted", note=f"from {path}")
