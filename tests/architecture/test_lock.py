"""requirements-dev.txt: every package for development, with its version and hashes, and no address of a registry."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import audit
from tests.support.files import ROOT

LOCK = (ROOT / "requirements-dev.txt").read_text("utf-8")
LOCKED = [
    (canonicalize_name(name), version) for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK, re.MULTILINE)
]
"""Names and versions; a package has several versions if none is for every Python."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WANTED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]


@pytest.mark.parametrize("wanted", WANTED)
def test_the_lock_has_each_dependency_in_a_version_that_pyproject_allows(wanted: str) -> None:
    requirement = Requirement(wanted)
    versions = [version for name, version in LOCKED if name == canonicalize_name(requirement.name)]
    assert any(map(requirement.specifier.contains, versions))  # after a change of pyproject.toml: make lock


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


def test_an_audit_without_advisories_does_not_pass(capsys: pytest.CaptureFixture[str]) -> None:
    good = {"name": "a", "version": "1", "vulns": []}
    bad = {**good, "vulns": [{"id": "PYSEC-1", "fix_versions": []}]}
    skipped = {"name": "b", "skip_reason": "not found"}
    assert [audit.report(found) for found in ([good], [good, bad], [good, skipped], [bad, skipped], [])] == [
        0,
        1,
        2,
        1,
        2,
    ]
    assert "a 1: PYSEC-1" in capsys.readouterr().out


def test_advisories_of_a_folder_answer_queries(tmp_path: Path) -> None:
    affected = [{"package": {"name": "Some_Package", "ecosystem": "PyPI"}, "versions": ["1.0", "1.1"]}]
    (tmp_path / "one.json").write_text(json.dumps({"id": "PYSEC-1", "affected": affected}))
    with audit.serving(tmp_path) as url:
        found = [
            json.load(urlopen(url, json.dumps({"package": {"name": name}, "version": version}).encode()))
            for name, version in (("some-package", "1.1"), ("some-package", "1.2"), ("other", "1.1"))
        ]
    assert [[one["id"] for one in answer.get("vulns", ())] for answer in found] == [["PYSEC-1"], [], []]
