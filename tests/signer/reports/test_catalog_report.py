"""The comparison of a catalog with a folder as the model of reports."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from catalogs.folder_check import FileState, State
from signer.reports.catalog_report import catalog_report

FOLDER = Path("driver")


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_that_is_an_error_of_the_command_is_a_finding(state: State) -> None:
    report = catalog_report([FileState("hello.sys", state, FOLDER / "hello.sys", "because")], FOLDER, 1)
    (subject,) = report.subjects
    broken = state not in ("listed", "extra")
    assert (subject.result == "rejected") is broken
    assert [one.message for one in subject.findings] == (["hello.sys: because"] if broken else [])
    assert all(one.code in report.rules for one in subject.findings)


def test_an_entry_without_a_file_is_below_the_folder() -> None:
    (subject,) = catalog_report([FileState("gone.sys", "missing")], FOLDER, 1).subjects
    assert (subject.name, subject.findings[0].message) == ("driver/gone.sys", "gone.sys is missing")
