"""`drvsign doctor`: each check finds what it is for, and says what to mend."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signer.cli import environment as checks
from signer.cli.environment import Check, Environment, diagnose
from tests.support.program import drvsign

NOW = datetime.now(UTC)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    variables = {"DRVSIGN_CERTS": str(tmp_path / "certs"), "PATH": str(Path(sys.prefix, "bin"))}
    return Environment(variables, NOW, tmp_path, ())


def found(environment: Environment, name: str) -> Check:
    (one,) = [one for one in diagnose(environment) if one.name == name]
    return one


def test_a_working_installation_has_no_problem(environment: Environment) -> None:
    assert [one for one in diagnose(environment) if one.state == "problem"] == []


def test_every_dependency_is_checked(environment: Environment) -> None:
    names = {one.name for one in diagnose(environment)}
    assert {"dependency lief", "dependency cryptography", "dependency typer"} <= names


@pytest.mark.parametrize(
    ("version", "importable", "state", "part"),
    [
        (None, True, "problem", "not installed"),
        ("0.1", True, "problem", "is required"),
        ("9999.0", False, "problem", "can't be imported"),
    ],
)
def test_a_dependency_that_is_missing_old_or_broken_is_a_problem(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, version: str, importable: bool, state: str, part: str
) -> None:
    installed = checks.installed
    monkeypatch.setattr(checks, "installed", lambda name: version if name == "pefile" else installed(name))
    if not importable:
        monkeypatch.setitem(sys.modules, "pefile", None)
    one = found(environment, "dependency pefile")
    assert (one.state, part in one.detail) == (state, True)
    assert one.remedy is not None and one.remedy.startswith("Run: pip install 'pefile>=")


def test_an_extra_that_is_missing_is_a_note_with_the_command(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "installed", lambda name: None if name == "evtx" else "1.0")
    one = found(environment, "extra evtx")
    assert (one.state, one.remedy) == ("note", "Run: pip install 'drvsign[evtx]'")


@pytest.mark.parametrize(("has_extra", "state"), [(True, "ok"), (False, "warning")])
def test_token_modules_are_listed(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_extra: bool, state: str
) -> None:
    module = tmp_path / "lib" / "libsofthsm2.so"
    module.parent.mkdir()
    module.write_bytes(b"")
    monkeypatch.setattr(checks, "installed", lambda name: "99.0" if has_extra else None)
    results = diagnose(replace(environment, token_folders=(module.parent,)))
    modules = [one for one in results if one.name == "token modules"]
    assert modules[0].detail == str(module)
    assert modules[-1].state == state


def test_a_clock_before_the_program_is_a_problem(environment: Environment) -> None:
    assert found(environment, "clock").state == "ok"
    assert found(replace(environment, now=datetime(2001, 1, 1, tzinfo=UTC)), "clock").state == "problem"


@pytest.mark.parametrize(
    ("value", "state"),
    [("1700000000", "note"), ("yesterday", "problem"), ("999999999999", "problem"), ("-1", "problem")],
)
def test_source_date_epoch_is_named(environment: Environment, value: str, state: str) -> None:
    variables = {**environment.variables, "SOURCE_DATE_EPOCH": value}
    assert found(replace(environment, variables=variables), "SOURCE_DATE_EPOCH").state == state


def test_the_test_certificates_are_checked_at_their_dates(environment: Environment) -> None:
    assert found(environment, "test certificates").state == "note"
    folder = environment.variables["DRVSIGN_CERTS"]
    assert drvsign("certs", "create", folder).code == 0
    states = [
        found(replace(environment, now=NOW + timedelta(days=days)), "test certificates").state
        for days in (0, 20_000, -20_000)
    ]
    assert states == ["ok", "problem", "problem"]


def test_damaged_test_certificates_are_a_problem(environment: Environment) -> None:
    folder = Path(environment.variables["DRVSIGN_CERTS"])
    assert drvsign("certs", "create", str(folder)).code == 0
    for path in folder.glob("*.cer"):
        path.write_bytes(b"no certificate")
    for path in folder.glob("*.pem"):
        path.write_bytes(b"no certificate")
    assert found(environment, "test certificates").state == "problem"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_keys_that_others_can_read_are_a_warning(environment: Environment) -> None:
    folder = Path(environment.variables["DRVSIGN_CERTS"])
    assert drvsign("certs", "create", str(folder)).code == 0
    names = [one.name for one in diagnose(environment)]
    assert "private keys" not in names
    next(folder.glob("*.key.pem")).chmod(0o644)
    one = found(environment, "private keys")
    assert (one.state, (one.remedy or "").startswith("Run: chmod 600 ")) == ("warning", True)


def test_a_wrong_configuration_is_a_problem_with_its_line(environment: Environment) -> None:
    (environment.folder / "drvsign.toml").write_text("[profile.release]\ndigset = 'sha256'\n")
    one = found(environment, "drvsign.toml")
    assert (one.state, "digset" in one.detail) == ("problem", True)
    (environment.folder / "drvsign.toml").write_text("[profile.release]\ndigest = 'sha256'\n")
    assert found(environment, "drvsign.toml").state == "ok"


def test_path_names_another_installation_or_none(environment: Environment, tmp_path: Path) -> None:
    assert found(environment, "PATH").state == "ok"
    other = tmp_path / "other" / "drvsign"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    variables = {**environment.variables, "PATH": str(other.parent)}
    assert "another installation" in found(replace(environment, variables=variables), "PATH").detail
    variables["PATH"] = str(tmp_path)
    assert "not on PATH" in found(replace(environment, variables=variables), "PATH").detail


def test_the_command_prints_text_and_json(work: Path) -> None:
    ran = drvsign("doctor", "--json")
    assert (ran.code, ran.document["schema"], ran.document["ok"]) == (0, "drvsign.doctor/1", True)
    assert {"name", "state", "detail", "remedy"} == set(ran.document["checks"][0])
    text = drvsign("doctor")
    assert text.code == 0
    assert "ok       python: " in text.stdout


def test_the_command_ends_with_1_if_something_has_to_be_mended(work: Path) -> None:
    (work / "drvsign.toml").write_text("not toml")
    ran = drvsign("doctor")
    assert ran.code == 1
    assert "problem  drvsign.toml: " in ran.stdout
