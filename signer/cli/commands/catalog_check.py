"""Compare files with a catalog for `drvsign catalog check`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.cli.exit_codes import ExitCode
from signer.cli.reporting import Answer
from signer.errors import FileError, UsageError
from signer.storage.files import read
from signer.storage.folders import walk

if TYPE_CHECKING:
    from catalogs.catalog.file import Catalog
    from catalogs.folder_check import FileState
    from signer.reports.model import Report
    from signer.reports.sink import Sink


def states_of(catalog: Catalog, path: Path, paths: Sequence[Path], skip: Sequence[str]) -> list[FileState]:
    """Compare files and folders with the catalog at `path`: by file path if it lists paths, else as a package.

    Raises FileError, UsageError.
    """
    from catalogs.loose_files import check_loose, lists_paths, loose_files

    if lists_paths(catalog):
        states = list(check_loose(catalog, loose_files(paths, path), skip))
    else:
        states = _package_states(catalog, path, paths, skip)
    return [_explained(state, catalog) for state in states]


def _package_states(catalog: Catalog, path: Path, paths: Sequence[Path], skip: Sequence[str]) -> list[FileState]:
    """Compare the folder of a package with its catalog. Raises FileError, UsageError."""
    from catalogs.folder_check import check_folder

    if skip:
        raise UsageError("--skip applies only to catalogs that list paths", hint="Remove --skip.")
    if len(paths) > 1 or not paths[0].is_dir():
        raise FileError(
            "the catalog of a package is checked against one folder",
            path=paths[-1],
            hint="Name the folder of the package.",
        )
    files = [file for file in walk(paths[0]) if file.suffix.lower() != ".cat"]
    return list(check_folder(catalog, files, path))


def _explained(state: FileState, catalog: Catalog) -> FileState:
    """Explain a changed file that differs only in its newlines."""
    if state.state not in ("changed", "stale", "unlisted") or state.path is None:
        return state
    from dataclasses import replace

    from catalogs.package.newlines import diagnose

    fault = diagnose(read(state.path), catalog.contains)
    if fault is None:
        return state
    problem = fault.problem(state.path)
    return replace(state, reason=f"{problem.message}. {problem.hint}")


def answer_of(states: Sequence[FileState], folder: Path) -> tuple[Answer, bool]:
    """Return the answer of the command in every format, and whether the files match the catalog."""
    broken = [state for state in states if state.state not in ("listed", "extra")]

    def text(sink: Sink) -> None:
        sink.table(("File", "State", "Why"), [(s.path or s.name, s.state, s.reason or "") for s in states])
        sink.print(_summary(states, broken))

    def document() -> dict[str, Any]:
        rows = [
            {"file": s.name, "path": str(s.path) if s.path else None, "state": s.state, "reason": s.reason}
            for s in states
        ]
        return {"schema": "drvsign.catalog-check/1", "intact": not broken, "files": rows}

    def report() -> Report:
        from signer.reports.catalog_report import catalog_report

        return catalog_report(states, folder, ExitCode.REJECTED if broken else ExitCode.DONE)

    return Answer(text, document, report), not broken


def _summary(states: Sequence[FileState], broken: Sequence[FileState]) -> str:
    """Count the files and entries that do not match, of all that the catalog lists or should list."""
    listed = sum(state.state == "listed" for state in states)
    if not listed and not broken:
        return "The catalog has no entries."
    if not broken:
        return f"All {listed} files match the catalog."
    number = f"{len(broken)} of {listed + len(broken)} files {'does' if len(broken) == 1 else 'do'}"
    return f"{number} not match the catalog."
