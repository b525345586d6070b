""".pre-commit-hooks.yaml: pre-commit installs the hooks from a clone of this repository, and runs them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from signer.cli.app import COMMANDS
from tests.support.files import ROOT

HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
PRE_COMMIT = [sys.executable, "-m", "pre_commit"]


def test_the_manifest_is_valid() -> None:
    done = subprocess.run([*PRE_COMMIT, "validate-manifest", ROOT / ".pre-commit-hooks.yaml"], capture_output=True)
    assert done.returncode == 0, done.stdout
    assert [one["entry"].split()[1] in COMMANDS for one in HOOKS] == [True, True]


@pytest.mark.parametrize(
    ("hook", "taken", "left"),
    [
        ("drvsign-inf-lint", ["a.inf", "x/HELLO.INF"], ["a.inf.md", "a.info"]),
        ("drvsign-verify", ["a.sys", "x/HELLO.CAT"], ["a.system", "cat.c"]),
    ],
)
def test_the_hooks_take_their_files_only(hook: str, taken: list[str], left: list[str]) -> None:
    (pattern,) = [re.compile(one["files"]) for one in HOOKS if one["id"] == hook]
    assert [name for name in [*taken, *left] if pattern.search(name)] == taken


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_hooks_run(work: Path, offline: dict[str, str], checkout: Path, tmp_path: Path) -> None:
    """INFs pass; an unsigned driver fails."""
    hooks = tmp_path / "hooks"
    shutil.copytree(checkout, hooks)
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    identity = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**offline, **identity, "PRE_COMMIT_HOME": str(tmp_path / "cache"), "GIT_CONFIG_GLOBAL": "/dev/null"}

    def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )  # fmt: skip

    for folder in (hooks, work):
        for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "x"]):
            assert run(folder, "git", *command).returncode == 0
    done = run(work, *PRE_COMMIT, "try-repo", hooks, "--all-files", "--verbose")
    lint, verify = re.findall(r"^- hook id: drvsign-[\w-]+$(?:\n(?!- hook id).*)*", done.stdout, re.MULTILINE)
    assert (done.returncode, lint.startswith("- hook id: drvsign-inf-lint")) == (1, True), done.stdout
    assert "exit code" not in lint and "- exit code: 1" in verify, done.stdout
    assert "'hello.sys' is not signed" in verify, done.stdout
