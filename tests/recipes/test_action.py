"""action.yml: its steps run as GitHub runs them, with GitHub's environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import pytest
import yaml

from tests.support.files import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
INSTALL, CHECK = STEPS = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the steps run in bash")


class Runner:
    """Run the steps of the action, as a runner of GitHub does."""

    def __init__(self, folder: Path, environment: dict[str, str], action: Path) -> None:
        self.folder, self.action = folder, action
        self.files = {name: folder / name.lower() for name in ("GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        self.environment = {**environment, **{name: str(path) for name, path in self.files.items()}}
        self.environment |= {"GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(folder)}

    def run(self, step: dict[str, Any], work: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
        """Run one step in a workspace; return its exit code, what it prints, and its outputs."""
        assert step["shell"] == "bash"
        for path in self.files.values():
            path.write_text("")
        values = {f"inputs.{name}": one.get("default", "") for name, one in ACTION["inputs"].items()}
        values |= {f"inputs.{name}": value for name, value in inputs.items()} | {"github.action_path": str(self.action)}
        variables = {name: EXPRESSION.sub(lambda one: values[one[1]], text) for name, text in step["env"].items()}
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script], cwd=work,
            env={**self.environment, **variables, "GITHUB_WORKSPACE": str(work)}, stdout=PIPE, stderr=STDOUT, text=True,
        )  # fmt: skip
        added = self.files["GITHUB_PATH"].read_text().splitlines()
        self.environment["PATH"] = os.pathsep.join([*added, self.environment["PATH"]])
        outputs = dict(line.split("=", 1) for line in self.files["GITHUB_OUTPUT"].read_text().splitlines())
        return done.returncode, done.stdout, outputs


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, offline: dict[str, str], checkout: Path) -> Runner:
    """A runner on which the first step has installed drvsign."""
    folder = tmp_path_factory.mktemp("runner")
    found = Runner(folder, offline, checkout)
    code, said, _ = found.run(INSTALL, folder)
    assert code == 0, said
    return found


def test_an_unsigned_package_fails_the_job_and_leaves_its_findings(runner: Runner, work: Path) -> None:
    code, said, outputs = runner.run(CHECK, work, paths="\nmy driver\n", options="--target win11-24h2-x64")
    assert (code, outputs) == (1, {"exit-code": "1", "sarif": "drvsign.sarif"}), said
    (run,) = json.loads((work / "drvsign.sarif").read_text())["runs"]
    found = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]}
    assert "my%20driver/hello.sys" in found
    assert ",file=my driver/hello.inf,line=" in said
    assert runner.files["GITHUB_STEP_SUMMARY"].read_text().startswith("## drvsign verify")


def test_a_clean_inf_passes(runner: Runner, work: Path) -> None:
    code, said, outputs = runner.run(CHECK, work, paths="my driver/hello.inf", check="inf-lint", sarif="lint.sarif")
    assert (code, outputs) == (0, {"exit-code": "0", "sarif": "lint.sarif"}), said


def test_words_of_the_inputs_are_not_commands(runner: Runner, work: Path) -> None:
    code, _, _ = runner.run(CHECK, work, paths="$(touch made)", options="; `touch made` *")
    assert code in (2, 3)
    assert not (work / "made").exists()


def test_an_unknown_check_is_an_annotation(runner: Runner, work: Path) -> None:
    code, said, _ = runner.run(CHECK, work, paths="my driver", check="sign")
    assert (code, "::error::The input check is 'sign'" in said) == (2, True)


def test_scripts_take_inputs_from_variables_only() -> None:
    """An expression in a script would let the text of an input become code."""
    assert not [step["name"] for step in STEPS if "${{" in step["run"]]


def test_every_expression_names_an_input_or_an_output_that_exists() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    outputs = {f"steps.check.outputs.{name}" for name in ACTION["outputs"]}
    known = {f"inputs.{name}" for name in ACTION["inputs"]} | outputs | {"github.action_path"}
    assert set(EXPRESSION.findall(text)) == known
