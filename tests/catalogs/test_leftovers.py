"""What leaves an output folder: files of an earlier package of the same INF or of a renamed one, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs import build_catalogs
from catalogs.leftovers import leftovers
from catalogs.package.driver_package import survey_packages
from signer import sign_file
from signer.keys.identity import SigningIdentity
from signer.operations.ownership import NOBODY
from tests.support.identities import identity
from tests.support.inf_files import BASE, write_package

OWN, OTHER = identity(name="Leftovers"), identity(name="Somebody else")
RENAMED = BASE.replace("sample.cat", "new.cat")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package of new.inf, new.cat and sample.sys; the folder `out` beside it is for results."""
    write_package(tmp_path / "driver", RENAMED, name="new.inf")
    return tmp_path / "driver"


def earlier(folder: Path, inf: str, text: str = BASE, *files: str, signer: SigningIdentity = OWN) -> None:
    """Write the signed result of an earlier call into the folder `out`."""
    write_package(folder.parent / "out", text, *files, name=inf)
    (built,) = build_catalogs(folder.parent / "out" / inf)
    sign_file(built.path, signer)


def found(folder: Path, *sources: str) -> list[str]:
    """The names of the leftovers; `sources` are INFs that a depfile records."""
    packages = survey_packages(folder).packages
    recorded = [folder / one for one in sources]
    stale = leftovers(packages, folder, folder.parent / "out", NOBODY.of(OWN.certificate), recorded)
    return sorted(path.name for path in stale)


def test_a_renamed_inf_that_we_signed_leaves_with_its_catalog(folder: Path) -> None:
    earlier(folder, "old.inf")
    assert found(folder) == ["old.inf", "sample.cat"]


def test_the_catalog_of_another_signer_stays(folder: Path) -> None:
    earlier(folder, "old.inf", signer=OTHER)
    assert found(folder) == []


def test_an_inf_that_the_folder_still_has_stays(folder: Path) -> None:
    earlier(folder, "old.inf")
    (folder / "old.inf").touch()
    assert found(folder) == []


def test_a_package_with_other_files_stays(folder: Path) -> None:
    """Two packages may have one output folder."""
    earlier(folder, "old.inf", BASE.replace("sample.sys", "other.sys"), "other.sys")
    assert found(folder) == []


def test_a_recorded_inf_leaves_with_its_files_whoever_signed_it(folder: Path) -> None:
    earlier(folder, "old.inf", BASE.replace("sample.sys", "other.sys"), "other.sys", signer=OTHER)
    assert found(folder, "old.inf", "other.sys") == ["old.inf", "other.sys", "sample.cat"]


def test_a_file_that_left_the_inf_leaves_and_the_others_stay(folder: Path) -> None:
    earlier(folder, "new.inf", RENAMED.replace("sample.sys", "other.sys"), "other.sys")
    (folder.parent / "out" / "notes.txt").touch()
    assert found(folder) == ["other.sys"]


def test_a_missing_output_folder_has_no_leftovers(folder: Path) -> None:
    assert found(folder, "old.inf") == []
