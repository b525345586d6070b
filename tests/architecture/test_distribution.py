"""The wheel and the sdist have what they must have, and nothing else. `make dist` also installs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from signer.version import VERSION
from tests.architecture.test_conventions import PACKAGES, git
from tests.architecture.test_lock import PROJECT
from tests.support.files import ROOT
from tests.support.install_size import PAGE

FILES = ("ls-files", "--cached", "--others", "--exclude-standard")
"""Arguments of git that list the files that are committed, or are about to be."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def test_the_wheel_has_every_file_of_the_packages(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == set(git(*FILES, *PACKAGES).split())


def test_the_sdist_has_every_file(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names - {"PKG-INFO"} == set(git(*FILES).splitlines())


def test_the_unpacked_wheel_runs_and_names_the_version_of_pyproject(built: tuple[Path, Path], tmp_path: Path) -> None:
    """It has the name, the version and the script of the project, and finds its own data files."""
    with zipfile.ZipFile(built[0]) as wheel:
        wheel.extractall(tmp_path)
    (scripts,) = tmp_path.glob("*.dist-info/entry_points.txt")
    assert "drvsign = signer.__main__:main" in scripts.read_text()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for arguments, shown in ((["--version"], f"drvsign {VERSION}\n"), (["targets"], "win11-24h2-x64")):
        command = [sys.executable, "-P", "-m", "signer", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert shown in done.stdout


def test_the_version_stands_in_one_place() -> None:
    naming = git("grep", "-lF", f'"{VERSION}"', "--", "*.py", "*.toml", "*.cfg", "Makefile").split()
    assert naming == ["signer/version.py"]


def test_the_page_on_installing_has_every_dependency_and_every_extra() -> None:
    """After a change of the dependencies: python -m tests.support.install_size."""
    page = PAGE.read_text("utf-8")
    dependencies = {Requirement(one).name for one in PROJECT["dependencies"]}
    assert dependencies <= set(re.findall(r"^\| ([\w.-]+) \| [\d.]+ \|", page, re.MULTILINE))
    extras = set(PROJECT["optional-dependencies"]) - {"dev", "docs"}
    assert set(re.findall(r"^\| `(\w+)` \| [\d.]+ \|", page, re.MULTILINE)) == extras
    purposes = re.findall(
        r"^\| (`[^|]+`) \|", page.partition("## Size")[0].partition("| extra | for |")[2], re.MULTILINE
    )
    assert {name for names in purposes for name in re.findall(r"`(\w+)`", names)} == extras
