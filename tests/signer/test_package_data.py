"""Files that are installed with a package, in a folder and in a zip archive."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from signer.package_data import package_bytes, package_text


def test_a_file_of_a_package_is_read() -> None:
    assert package_text("signer.trust", "data", "kernel_roots.tsv").startswith("id\t")
    assert package_bytes("signer.policy.data", "releases.tsv").count(b"\n") > 10


def test_a_file_in_a_zip_archive_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("zipped_example/__init__.py", "")
        archive.writestr("zipped_example/data/names.txt", "Zürich\n")
    monkeypatch.syspath_prepend(tmp_path / "packed.zip")
    assert package_text("zipped_example", "data", "names.txt") == "Zürich\n"
    assert "zipped_example" not in sys.modules


@pytest.mark.parametrize(
    ("package", "name"),
    [
        pytest.param("signer.trust", "missing.tsv", id="file"),
        pytest.param("no_such_package", "missing.tsv", id="package"),
    ],
)
def test_what_is_not_installed_is_an_error_of_the_system(package: str, name: str) -> None:
    with pytest.raises(OSError):
        package_bytes(package, name)
