"""The files of GitHub, GitLab and pre-commit follow their schemas, and the workflows do what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.recipes.test_gitlab import job
from tests.support.distributions import VERSIONS
from tests.support.files import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = [path for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]
ACTION = re.compile(r"[\w.-]+/[\w./-]+@(?:v\d+|release/v\d+|[0-9a-f]{40})")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def load(path: Path) -> dict[str, Any]:
    """Read a file of YAML; its key `on` is a word, not the truth value of YAML 1.1."""
    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for one in load(path)["jobs"].values():
        yield from one["steps"]


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", WORKFLOWS),
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.github-issue-forms", FORMS),
        ("vendor.github-issue-config", [GITHUB / "ISSUE_TEMPLATE" / "config.yml"]),
        ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
    ],
)
def test_the_files_follow_their_schema(schema: str, paths: list[Path]) -> None:
    assert paths
    check(schema, paths)


def test_the_job_of_gitlab_follows_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "gitlab-ci.yml"
    path.write_text(yaml.safe_dump(dict([job(paths="driver")])))
    check("vendor.gitlab-ci", [path])


def check(schema: str, paths: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_of_pre_commit_is_valid() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", ROOT / ".pre-commit-config.yaml"]
    assert subprocess.run(command).returncode == 0


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_read_only_and_name_a_version_of_each_action(path: Path) -> None:
    assert load(path)["permissions"] == {"contents": "read"}
    used = [one["uses"] for one in steps(path) if "uses" in one]
    assert [name for name in used if not ACTION.fullmatch(name)] == []
    assert [one for one in steps(path) if "actions/checkout" in one.get("uses", "")] == [
        one for one in steps(path) if one.get("with", {}).get("persist-credentials") == "false"
    ]
    assert [one["run"] for one in steps(path) if "${{" in one.get("run", "")] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_call_targets_of_make_that_exist(path: Path) -> None:
    called = re.findall(r"\bmake ([a-z]+)", "\n".join(one.get("run", "") for one in steps(path)))
    assert [target for target in called if not re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)] == []


def test_the_tests_run_on_three_systems_with_four_versions_of_python() -> None:
    matrix = load(GITHUB / "workflows" / "ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["system"]] == ["ubuntu", "windows", "macos"]
    assert tuple(matrix["python"]) == VERSIONS


def test_a_release_has_provenance_and_needs_no_token() -> None:
    text = (GITHUB / "workflows" / "release.yml").read_text("utf-8")
    jobs = load(GITHUB / "workflows" / "release.yml")["jobs"]
    assert any("attest-build-provenance" in one.get("uses", "") for one in jobs["build"]["steps"])
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in text


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_forms_ask_for_doctor_and_a_minimal_package(path: Path) -> None:
    asked = {one["id"]: one for one in load(path)["body"]}
    assert asked["doctor"]["validations"]["required"] == "true"
    assert "drvsign doctor" in asked["doctor"]["attributes"]["label"]
    assert "package" in asked
