"""The destination of a command's results: in place, one file, or a folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

import typer

from signer.cli.options.common import OutputFile
from signer.cli.output import Output
from signer.cli.param_types import to_path
from signer.errors import UsageError
from signer.records import dataclass
from signer.storage.files import ensure_folder, file_error
from signer.storage.streams import STANDARD

OutputFolder = Annotated[
    Path | None,
    typer.Option(
        "--output-dir", metavar="DIR", help="Write the results into DIR; leave the inputs unchanged.", parser=to_path
    ),
]


@dataclass(frozen=True)
class Destination:
    """The options --output and --output-dir."""

    output_file: OutputFile = None
    output_dir: OutputFolder = None

    def of(self, files: Mapping[Path, Path], output: Output) -> dict[Path, Path]:
        """Return the destination of each file, given its path below the named folder.

        The result of the standard input goes to the standard output, unless an option says otherwise. Raises UsageError
        for options that contradict each other or the number of files, FileError.
        """
        if self.output_file is not None and self.output_dir is not None:
            raise UsageError("--output and --output-dir can't be combined", hint="Remove one of them.")
        if self.output_file is not None:
            if len(files) != 1:
                raise UsageError(
                    f"{len(files)} files can't be written to one --output file",
                    hint="Use --output-dir, or sign in place.",
                )
            require_place(self.output_file)
            return dict.fromkeys(files, self.output_file)
        if STANDARD in files and self.output_dir is None:
            require_alone(files)
            output.reserve_stdout("the result of -")
        return {path: path for path in files} if self.output_dir is None else _below(self.output_dir, files)

    def create_folders(self, targets: Mapping[Path, Path]) -> None:
        """Create the folders below --output-dir that the results are written to. Raises FileError."""
        for parent in sorted({target.parent for target in targets.values()}) if self.output_dir is not None else ():
            ensure_folder(parent)


def require_place(path: Path) -> None:
    """Raise FileError, as writing the file would, if the folder for it does not exist."""
    try:
        _require_folder(path.parent.stat(), errno.ENOTDIR)
    except OSError as error:
        raise file_error(error, path, "write the file") from error


def require_folder_place(folder: Path) -> None:
    """Raise FileError, as creating the folder would, if a file has its path or that of a folder above it."""
    for one in (folder, *folder.parents):
        try:
            _require_folder(one.stat(), errno.EEXIST if one == folder else errno.ENOTDIR)
            return
        except FileNotFoundError:
            continue
        except OSError as error:
            raise file_error(error, folder, "create the folder") from error


def _require_folder(status: os.stat_result, number: int) -> None:
    """Raise the OSError of this number for anything but a folder."""
    if not stat.S_ISDIR(status.st_mode):
        raise OSError(number, os.strerror(number))


def require_alone(files: Collection[Path]) -> None:
    """Raise UsageError if the standard input is one of several files to change."""
    if STANDARD in files and len(files) > 1:
        raise UsageError("- can't be combined with other files", hint="Run a command for the files alone.")


def _below(folder: Path, files: Mapping[Path, Path]) -> dict[Path, Path]:
    targets: dict[Path, Path] = {}
    sources: dict[Path, Path] = {}
    for path, relative in files.items():
        target = folder / relative
        if target in sources:
            raise UsageError(
                f"{sources[target]} and {path} would both be written to {target}",
                hint="Write them to different folders.",
            )
        targets[path], sources[target] = target, path
    return targets
