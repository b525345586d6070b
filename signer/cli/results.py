"""What became of each file of a command that changes files: one line each, or the document `drvsign.result/1`."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.output import Output
from signer.cli.terminal import STYLES
from signer.errors import PackageError, SignerError, UsageError

if TYPE_CHECKING:
    from signer.algorithms import DigestAlgorithm

SCHEMA = "drvsign.result/1"


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file."""

    path: Path
    action: str
    """signed, skipped, built, stripped, extracted, attached, timestamped or failed."""
    digest_algorithm: DigestAlgorithm | None = None
    digest: bytes | None = None
    """What was signed."""
    signer: str | None = None
    note: str = ""
    """What a person wants to know besides."""
    error: SignerError | None = None

    def as_json(self) -> dict[str, Any]:
        """The file as the command line's JSON has it."""
        return {
            "path": str(self.path),
            "action": self.action,
            "digest_algorithm": str(self.digest_algorithm) if self.digest_algorithm else None,
            "digest": self.digest.hex() if self.digest is not None else None,
            "signer": self.signer,
            "error": self.error.as_json() if self.error else None,
        }


def attempt(path: Path, work: Callable[[], FileResult]) -> FileResult:
    """The result of `work`; an error becomes a result that names `path`, so that other files go on."""
    try:
        return work()
    except SignerError as error:
        return FileResult(path, "failed", error=error.at(path))


def attempt_in_two(path: Path, begin: Callable[[], Callable[[], FileResult]]) -> Callable[[], FileResult]:
    """The same for work of two steps, where the second is what the first returns."""
    try:
        finish = begin()
    except SignerError as error:
        failed = FileResult(path, "failed", error=error.at(path))
        return lambda: failed
    return lambda: attempt(path, finish)


@contextlib.contextmanager
def failure_as_result(output: Output, path: Path) -> Iterator[None]:
    """With --json, what stops a whole command is in its document as files that failed: itself, then each problem."""
    try:
        yield
    except UsageError:
        raise
    except SignerError as error:
        if output.json:
            rows = (FileResult(error.path or path, "failed", error=error), *_problems(error, path))
            output.document({"schema": SCHEMA, "files": [row.as_json() for row in rows]})
        raise


def _problems(error: SignerError, path: Path) -> Iterator[FileResult]:
    """Each problem of a package that is an error, as the error of its own file."""
    for problem in error.problems if isinstance(error, PackageError) else ():
        told: dict[str, Any] = getattr(problem, "as_json", dict)()
        if told.get("severity", "error") == "error":
            single = SignerError(str(problem), hint=told.get("hint"))
            single.code = told.get("code", error.code)
            yield FileResult(Path(told.get("path") or error.path or path), "failed", error=single)


def finish(output: Output, results: Sequence[FileResult]) -> None:
    """Print what became of the files; raises typer.Exit with 3 when any failed."""
    failed = [result for result in results if result.error is not None]
    if output.json:
        output.document({"schema": SCHEMA, "files": [result.as_json() for result in results]})
    else:
        _print(output, [result for result in results if result.error is None])
    for result in failed:
        if result.error is not None:
            output.error(result.error)
    if len(results) > 1:
        counts = Counter(result.action for result in results)
        output.note(", ".join(f"{number} {action}" for action, number in counts.items()) + ".")
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _print(output: Output, results: Sequence[FileResult]) -> None:
    for result in results:
        facts = [str(result.digest_algorithm) if result.digest_algorithm else "", result.signer or "", result.note]
        about = ", ".join(fact for fact in facts if fact)
        output.line(result.action, f"{result.path}{f'  ({about})' if about else ''}", STYLES.get(result.action))
