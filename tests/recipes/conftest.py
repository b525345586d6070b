"""An environment in which pip installs drvsign from this checkout without a network, and a package to check."""

from __future__ import annotations

import os
import shutil
import site
import sys
from pathlib import Path

import pytest

from tests.support.files import ROOT

_PYTHON = """#!/bin/sh
if [ "$1 $2 $#" = "-m venv 3" ]; then exec "{python}" -P "{quick_venv}" "$3"; fi
exec "{python}" "$@"
"""
"""Python as recipes find it, which makes virtual environments with a copy of pip."""


@pytest.fixture(scope="session")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all installed packages except drvsign, which the recipes install, and pip, which they remove."""
    folder = tmp_path_factory.mktemp("dependencies")
    for path in (path for top in site.getsitepackages() for path in Path(top).iterdir()):
        if not path.name.startswith(("drvsign", "pip")) and path.suffix != ".pth":
            (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="session")
def offline(dependencies: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a recipe: a home folder of its own, this Python, and no network."""
    home = tmp_path_factory.mktemp("home")
    python = home / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(_PYTHON.format(python=sys.executable, quick_venv=Path(__file__).with_name("quick_venv.py")))
    python.chmod(0o755)
    return {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "PYTHONPATH": str(dependencies),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this variable as the value of --build-isolation
        "PIP_NO_COMPILE": "0",  # likewise, of --compile: bytecode of all modules takes a second
        "PIP_CONFIG_FILE": os.devnull,
        "COLUMNS": "100",
    }


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with the unsigned package of examples/hello, in a path with a blank."""
    folder = tmp_path / "work"
    shutil.copytree(ROOT / "examples" / "hello", folder / "my driver")
    return folder


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is installed from, because building writes beside the sources."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("signer", "catalogs", "testcerts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "generated"))
    return folder
