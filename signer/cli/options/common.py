"""Options that several commands share, and the sources of passwords."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.param_types import to_file, to_input, to_output
from signer.cli.text import text_of
from signer.errors import IdentityError, UsageError
from signer.formats.detect import names, titles
from signer.records import dataclass
from signer.storage.files import read_stream

if TYPE_CHECKING:
    from signer.config import Settings

_THREADED_SIZE = 1 << 19
"""The mean size in bytes from which several threads read files faster than one."""

Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH",
        help="Files, folders, or @list.txt; - is the standard input.",
        show_default=False,
        parser=to_input,
    ),
]
SignablePath = Annotated[
    Path, typer.Argument(metavar="PATH", help=f"The file: {titles()}.", show_default=False, parser=to_input)
]
Append = Annotated[
    bool,
    typer.Option(
        "--append",
        help="Keep existing signatures; nest the new one in the first. "
        f"Only for {names(lambda row: row.features.append, last='and')}.",
    ),
]
KeepGoing = Annotated[
    bool,
    typer.Option("--keep-going", help="Process the other files if a path does not exist or a file is refused."),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", "-j", metavar="N", min=0, help="Process N files in parallel; 0 uses one job per processor."),
]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write the result to FILE; leave the input unchanged.", parser=to_output
    ),
]
PageHashes = Annotated[bool, typer.Option("--page-hashes", help="Include the hash of each page of the image.")]
Digest = Annotated[str, typer.Option("--digest", metavar="ALG", help="sha1, sha256, sha384 or sha512.")]

FROM_PANEL = "Key password (one of)"
ROOTS_PANEL = "Trusted roots"
IDENTITY_PANEL = "Signing identity (one of; default: the test identity)"


@dataclass(frozen=True)
class SecretOptions:
    """The source of a password: never the command line, which other users can read."""

    password_env: Annotated[
        str | None,
        typer.Option(
            "--password-env", metavar="NAME", help="Read it from this environment variable.", rich_help_panel=FROM_PANEL
        ),
    ] = None
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file",
            metavar="FILE",
            help="Read it from the first line of this file.",
            rich_help_panel=FROM_PANEL,
            parser=to_file,
        ),
    ] = None
    password_fd: Annotated[
        int | None,
        typer.Option(
            "--password-fd", metavar="N", help="Read it from this open file descriptor.", rich_help_panel=FROM_PANEL
        ),
    ] = None

    def __post_init__(self) -> None:
        given = [value for value in (self.password_env, self.password_file, self.password_fd) if value is not None]
        if len(given) > 1:
            raise UsageError(
                "only one --password option is allowed", hint="Remove all but one of the --password options."
            )

    @property
    def is_given(self) -> bool:
        """Whether an option names a source."""
        return (self.password_env, self.password_file, self.password_fd) != (None, None, None)

    def using(self, settings: Settings) -> SecretOptions:
        """Return these options; if none was given, the source that a profile names."""
        if self.is_given:
            return self
        return SecretOptions(settings.password_env, None if settings.password_env else settings.password_file)

    @property
    def variable(self) -> str | None:
        """The environment variable with the password, if it comes from one."""
        return self.password_env

    def __call__(self, prompt: str) -> str | None:
        """Return the password, as a `signer.keys.uri.Secret` does."""
        return self.secret(prompt)

    def secret(self, prompt: str) -> str | None:
        """Return the password from the given source, else from a prompt; None without a source and a terminal."""
        if self.password_env is not None:
            value = os.environ.get(self.password_env)
            if value is None:
                raise UsageError(
                    f"the environment variable {self.password_env} is not set",
                    field="--password-env",
                    hint="Set and export it, or name another with --password-env.",
                )
            return value
        if self.password_file is not None:
            return _first_line(read_stream(self.password_file), self.password_file)
        if self.password_fd is not None:
            return _first_line(_read_descriptor(self.password_fd), f"file descriptor {self.password_fd}")
        if not sys.stdin.isatty():
            return None
        import getpass

        try:
            return getpass.getpass(f"{prompt}: ")
        except EOFError as error:
            raise IdentityError("no password was given") from error


def now() -> datetime:
    """Return the time to write into output: SOURCE_DATE_EPOCH if set, else the current time. Raises UsageError."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is not a number of seconds: {epoch!r}", field="SOURCE_DATE_EPOCH"
        ) from error


def workers(jobs: int, items: int) -> int:
    """Return the number of threads for this number of items; `jobs` 0 means one per processor."""
    return max(1, min(jobs or os.cpu_count() or 1, items))


def readers(jobs: int, paths: Sequence[Path]) -> int:
    """Return the number of threads that hash and examine files: without `jobs`, one for small files.

    Several threads take longer for these, because most of the work holds Python's lock; hashing a large file does not.
    """
    return workers(jobs, len(paths)) if jobs or _mean_size(paths) >= _THREADED_SIZE else 1


def _mean_size(paths: Sequence[Path]) -> float:
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):  # reading it reports the error; a new INF does not exist yet
            total += path.stat().st_size
    return total / max(1, len(paths))


def _first_line(data: bytes, source: Path | str) -> str:
    try:
        return next(iter(text_of(data).splitlines()), "")
    except UnicodeDecodeError as error:
        raise UsageError(f"the password from {source} is neither UTF-8 nor UTF-16", hint="Save it as UTF-8.") from error


def _read_descriptor(number: int) -> bytes:
    try:
        with os.fdopen(number, "rb", closefd=False) as stream:
            return stream.read()
    except OSError as error:
        raise UsageError(
            f"file descriptor {number} can't be read",
            field="--password-fd",
            hint="Open it in the shell: drvsign … --password-fd 3 3<FILE",
        ) from error
