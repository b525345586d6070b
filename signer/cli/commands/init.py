"""`drvsign init`: write a Makefile and a drvsign.toml for a driver package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from signer.cli.option_groups import command, examples
from signer.cli.output import Output
from signer.cli.param_types import to_path
from signer.cli.results import finish
from signer.config import FILE_NAME
from signer.reports.file_results import FileResult
from signer.storage.files import shell_quote, write_atomically

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("drvsign init", "drvsign init my-driver/"))
@command
def init(
    output: Output,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the project.", parser=to_path)] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing Makefile and drvsign.toml.")] = False,
) -> None:
    """Write a commented Makefile and drvsign.toml for the driver package in a folder.

    Plain `make` then builds and signs the package. Existing files stay unchanged.
    """
    from catalogs.package.scaffold import MAKEFILES, PROFILES, find_package, makefile

    package = find_package(folder)
    existing = next((folder / name for name in MAKEFILES if (folder / name).exists()), folder / MAKEFILES[-1])
    results = [
        _write(existing, makefile(package), force=force),
        _write(folder / FILE_NAME, PROFILES, force=force),
    ]
    finish(output, results)
    if any(result.action == "skipped" for result in results):
        output.note("Existing files stay unchanged (--force replaces them).")
    output.note(f"Driver package: {folder / package}")
    output.note(f"To build and sign it: {_make(folder)}")


def _write(path: Path, text: str, *, force: bool) -> FileResult:
    if path.exists() and not force:
        return FileResult(path, "skipped", note="exists")
    write_atomically(path, text.encode())
    return FileResult(path, "built")


def _make(folder: Path) -> str:
    return "make" if folder == Path() else f"make -C {shell_quote(folder)}"
