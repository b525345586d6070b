"""Read what a call of `drvsign submission` names: folders, or a directive file of makecab (.ddf)."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.output import Output
from signer.errors import FileError, UsageError
from signer.storage.files import read

if TYPE_CHECKING:
    from catalogs.submission.ddf import Directives
    from catalogs.submission.package import Submission

SUFFIX = ".ddf"

Define = Annotated[
    list[str] | None,
    typer.Option(
        "--define", metavar="NAME=VALUE", help="Define a variable of the .ddf, as /d of makecab does. Repeatable."
    ),
]


def named_directives(paths: Sequence[Path], define: Sequence[str] | None, output: Output) -> Directives | None:
    """Read the .ddf that a call names; None if it names folders. Raises UsageError, MalformedInput, FileError."""
    from catalogs.inf.text import decode
    from catalogs.submission.ddf import parse

    if not any(_is_directives(path) for path in paths):
        if define:
            raise UsageError("--define applies only to a .ddf", hint="Remove --define, or name a .ddf.")
        return None
    if len(paths) > 1:
        raise UsageError("a .ddf is a whole submission", hint="Name the .ddf alone.")
    path = paths[0]
    if not path.exists():
        raise FileError("file not found", path=path, hint="Check the path.")
    found = parse(decode(read(path)).text, path, dict(_definition(one) for one in define or ()))
    for sentence in found.ignored:
        output.detail(f"{path}: ignored {sentence}")
    return found


def read_named(paths: Sequence[Path], directives: Directives | None, today: datetime.date) -> Submission:
    """Read the submission of folders or of a .ddf. Raises SignerError."""
    from catalogs.submission.from_directives import submission_from
    from catalogs.submission.package import read_submission

    return submission_from(directives, today) if directives is not None else read_submission(paths, today=today)


def sources_of(paths: Sequence[Path], directives: Directives | None, submission: Submission) -> list[Path]:
    """Return the files that the cabinet is made from."""
    own = list(paths) if directives is not None else []
    return [*own, *(file.path for file in submission.files)]


def _is_directives(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX and not path.is_dir()


def _definition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"not NAME=VALUE: {text!r}", field="--define", hint="Write --define SourceDir=build")
    return name.strip(), value.strip()
