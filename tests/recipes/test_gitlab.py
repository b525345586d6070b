"""templates/drvsign.yml: the script of its job runs as GitLab runs it, line by line in one shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.files import ROOT
from tests.support.reports import require_code_quality, require_junit

TEMPLATE = (ROOT / "templates" / "drvsign.yml").read_text("utf-8")
INPUT = re.compile(r"\$\[\[ *inputs\.(\w+) *\]\]")
INPUTS: dict[str, dict[str, Any]] = next(yaml.safe_load_all(TEMPLATE))["spec"]["inputs"]


def job(**inputs: str) -> tuple[str, dict[str, Any]]:
    """Return the name of the job and the job itself, for some inputs."""
    values = {name: one.get("default") for name, one in INPUTS.items()} | inputs
    _, rendered = yaml.safe_load_all(INPUT.sub(lambda found: str(values[found[1]]), TEMPLATE))
    ((name, found),) = rendered.items()
    return name, found


@pytest.mark.skipif(os.name == "nt", reason="the script runs in a POSIX shell")
def test_the_script_checks_a_package_and_leaves_its_findings(
    work: Path, offline: dict[str, str], checkout: Path
) -> None:
    (work / "my driver").rename(work / "driver")
    name, one = job(paths="driver", package=str(checkout))
    assert name == "drvsign verify"
    assert ran(one["script"], work, {**offline, **one["variables"]}) == 1
    (artifact,) = one["artifacts"]["paths"]
    reports = one["artifacts"]["reports"]
    require_code_quality((work / reports["codequality"]).read_text())
    require_junit((work / reports["junit"]).read_text())
    assert json.loads((work / artifact).read_text())["runs"][0]["results"]
    name, one = job(paths="driver/hello.inf", check="inf lint", options="--mode u")
    assert name == "drvsign inf lint"
    assert ran(one["script"][-1:], work, offline) == 0
    assert not json.loads((work / artifact).read_text())["runs"][0]["results"]


def ran(script: list[str], work: Path, environment: dict[str, str]) -> int:
    """Run a script in one shell, as a job of GitLab; return its exit code."""
    variables = {**environment, "CI": "true", "CI_PROJECT_DIR": str(work)}
    return subprocess.run(["bash", "-eo", "pipefail", "-c", "\n".join(script)], cwd=work, env=variables).returncode


def test_every_input_is_used_and_every_used_input_exists() -> None:
    assert set(INPUT.findall(TEMPLATE)) == set(INPUTS)
