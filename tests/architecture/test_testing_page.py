"""docs/testing.md agrees with the code: folders, files, make targets, and modules that can be run."""

from __future__ import annotations

import re

import pytest

from tests.support.files import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_path_exists() -> None:
    paths = set(re.findall(r"`((?:signer|catalogs|tests|bench|docs)/[\w/.]+)`", PAGE))
    assert len(paths) > 10
    assert not {path for path in paths if not (ROOT / path).exists()}


def test_every_folder_of_tests_is_described() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert not {folder for folder in folders if f"`tests/{folder}`" not in PAGE}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:`|^)make ([a-z]+)", PAGE, re.MULTILINE))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:.* ## ", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ([\w.]+)", PAGE))))
def test_every_module_can_be_run(module: str) -> None:
    assert 'if __name__ == "__main__":' in (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
