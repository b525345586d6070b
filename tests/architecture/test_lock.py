"""requirements-dev.txt: every package for development, with its version and hashes, and no address of a registry."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.files import ROOT

LOCK = (ROOT / "requirements-dev.txt").read_text("utf-8")
LOCKED = {
    canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK, re.MULTILINE)
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WANTED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]


@pytest.mark.parametrize("wanted", WANTED)
def test_the_lock_has_each_dependency_in_a_version_that_pyproject_allows(wanted: str) -> None:
    requirement = Requirement(wanted)
    version = LOCKED[canonicalize_name(requirement.name)]  # after a change of pyproject.toml: make lock
    assert requirement.specifier.contains(version)


def test_every_package_has_a_sha256_hash() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(entries) >= len(LOCKED) > len(WANTED)
    for entry in entries:
        first, *hashes = entry.split(" \\\n")
        assert "==" in first
        assert hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}", one) for one in hashes), first


def test_no_address_of_a_registry_is_in_it() -> None:
    assert "://" not in LOCK
    assert "--index-url" not in LOCK
    assert "--find-links" not in LOCK
