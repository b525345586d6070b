"""Turn the comparison of a catalog with a folder into the model of reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from signer.reports.model import Finding, Report, Rule, Subject
from signer.reports.problem_report import line_in

if TYPE_CHECKING:
    from catalogs.folder_check import FileState

_TITLES = {
    "changed": "The catalog lists the digest of each file.",
    "stale": "The catalog was built after the files were last changed.",
    "missing": "The folder has each file that the catalog lists.",
    "unlisted": "The catalog lists each INF that names it.",
    "added": "A catalog of paths lists each file of the folder.",
    "unreadable": "The files of the folder can be read and hashed.",
}
"""The requirement that each state breaks."""
_HELP = "Build and sign the catalog again: drvsign package FOLDER"
_SOURCE = "windows-driver-docs install/catalog-files.md"


def catalog_report(states: Sequence[FileState], folder: Path, exit_code: int) -> Report:
    """Return the report of `drvsign catalog check`: each file and each entry without a file is a subject."""
    found = dict.fromkeys(one.state for one in states if one.state in _TITLES)
    rules = {code: Rule(code, _TITLES[state], _HELP, _SOURCE) for state in found for code in [_code(state)]}
    return Report("catalog check", tuple(_subject(one, folder) for one in states), rules, exit_code)


def _subject(one: FileState, folder: Path) -> Subject:
    path = one.path or folder / one.name
    if one.state not in _TITLES:
        return Subject(str(path), "file", "accepted" if one.state == "listed" else "not-applicable")
    message = f"{one.name}: {one.reason}" if one.reason else f"{one.name} is {one.state}"
    finding = Finding(_code(one.state), "error", message, path, line_in(path, None), _HELP, _SOURCE)
    return Subject(str(path), "file", "rejected", (finding,))


def _code(state: str) -> str:
    return f"catalog-{state}"
