"""JSON documents about real files conform to the contract: every key, type and allowed value."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.contract import CATALOG, RESULT, VERDICT, differences
from tests.support.files import corpus_files, corpus_root
from tests.support.program import drvsign

POLICIES = ("kernel", "pnp", "protected-media", "authenticode")


def conforms(document: object, shape: object) -> None:
    found = list(differences(document, shape))
    assert not found, found[:5]


@pytest.mark.parametrize("policy", POLICIES)
def test_verdicts_about_drivers(corpus: Path, policy: str) -> None:
    ran = drvsign("verify", corpus / "drivers", "--policy", policy, "--json")
    conforms(ran.document, VERDICT)
    assert ran.document["accepted"] == (ran.code == 0)


@pytest.mark.parametrize("policy", POLICIES)
def test_verdicts_about_packages(corpus: Path, policy: str) -> None:
    packages = sorted((corpus_root() / "packages").iterdir())[::6]
    conforms(drvsign("verify", *packages, "--policy", policy, "--json").document, VERDICT)


def test_verdicts_about_catalogs_and_on_every_target(corpus: Path) -> None:
    conforms(drvsign("verify", *corpus_files("catalogs/*.cat")[::8], "--policy", "pnp", "--json").document, VERDICT)
    drivers = corpus_files("drivers/*.sys")[::12]
    conforms(drvsign("verify", *drivers, "--policy", "kernel", "--matrix", "--json").document, VERDICT)


def test_verdicts_about_unreadable_files(tmp_path: Path) -> None:
    for name in ("a.sys", "b.cat", "c.cab"):
        (tmp_path / name).write_bytes(b"MSCF" if name == "c.cab" else b"junk")
    ran = drvsign("verify", *sorted(tmp_path.iterdir()), tmp_path / "gone.sys", "--policy", "kernel", "--json")
    conforms(ran.document, VERDICT)
    assert (ran.code, ran.document["accepted"], ran.document["decided"]) == (3, False, False)


def test_catalogs(corpus: Path) -> None:
    for path in corpus_files("catalogs/*.cat")[::8]:
        conforms(drvsign("catalog", "show", path, "--json").document, CATALOG)


def test_results(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cut.sys").write_bytes(b"MZ")
    sources = [*corpus_files("drivers/*.sys")[::12], *corpus_files("catalogs/*.cat")[:3]]
    ran = drvsign("sign", *sources, "cut.sys", "--output-dir", "out", "--json")
    document = ran.document
    for entry in document["files"]:
        assert all(isinstance(name, str) for name in entry.pop("replaced", []))  # only where a signature was replaced
    conforms(document, RESULT)
    assert [entry["action"] for entry in document["files"]] == ["signed"] * len(sources) + ["failed"]
    conforms(drvsign("sign", "out", "--skip-signed", "--json").document, RESULT)
