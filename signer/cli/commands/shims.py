"""`drvsign shims`: write programs with the names of Microsoft's tools, which call drvsign."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from signer.cli.front_ends.tools import TOOLS
from signer.cli.option_groups import command, examples
from signer.cli.output import Output
from signer.cli.param_types import to_path
from signer.errors import FileError
from signer.storage.files import ensure_folder, read, shell_quote, write_atomically

app = typer.Typer(add_completion=False)

_MARK = "drvsign --as"
_PROGRAM_MODE = 0o755


@app.command(epilog=examples("drvsign shims ~/wdk-bin", "PATH=~/wdk-bin:$PATH make"))
@command
def shims(
    output: Output,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder for the programs.", show_default=False, parser=to_path)
    ],
) -> None:
    """Write programs with the names of Microsoft's tools to a folder: they take their switches and call drvsign.

    The tools are signtool, inf2cat, stampinf, infverif, makecat, makecert, pvk2pfx, certmgr and cert2spc.

    Existing files of these names are replaced only if this command wrote them.
    """
    written = {folder / name: _text(tool) for tool, about in TOOLS.items() for name in _names(tool, about.title)}
    for path in written:
        if path.exists() and _MARK.encode() not in read(path):
            raise FileError("the file exists and is not from drvsign", path=path, hint="Name another folder.")
    ensure_folder(folder)
    for path, text in written.items():
        write_atomically(path, text.encode(), mode=_PROGRAM_MODE)
    if output.json:
        output.document({"schema": "drvsign.shims/1", "files": [str(path) for path in written]})
        return
    for path in written:
        if not output.quiet:
            output.print(f"written {path}")
    output.note(f"Put the folder first in PATH: {shell_quote(folder)}")


def _names(tool: str, title: str) -> list[str]:
    """Return the names of a program: on Windows names ignore case, elsewhere scripts spell them in several ways."""
    if os.name == "nt":
        return [f"{tool}.cmd"]
    return sorted({tool, f"{tool}.exe", title, f"{title}.exe"})


def _text(tool: str) -> str:
    """Return the program: a script for the shell of this system that runs this Python."""
    if os.name == "nt":
        return f'@rem {_MARK} {tool}\r\n@"{sys.executable}" -m signer --as {tool} %*\r\n'
    return f'#!/bin/sh\n# {_MARK} {tool}\nexec {shell_quote(Path(sys.executable))} -m signer --as {tool} "$@"\n'
