"""Containerfile: its instructions, and the steps that install drvsign, run outside of a container.

Building the image needs the base image from a registry. It was built with buildah on a base made by debootstrap.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.files import ROOT

TEXT = (ROOT / "Containerfile").read_text("utf-8")
STEPS = [
    (found[1], re.sub(r"\s*\\\n\s*", " ", found[2]))
    for found in re.finditer(r"^([A-Z]+) ((?:.*\\\n)*.*)$", TEXT, re.MULTILINE)
]
"""Instructions with their arguments."""


def last(instruction: str) -> str:
    return [argument for name, argument in STEPS if name == instruction][-1]


def test_it_is_debian_slim_and_the_user_has_no_privileges() -> None:
    images = [argument.split()[0] for name, argument in STEPS if name == "FROM"]
    assert {re.sub(r":\w+-", ":", image) for image in images} == {"docker.io/library/debian:slim"}
    assert last("USER") == "drvsign"
    assert "useradd --create-home --uid 1000 drvsign" in last("RUN")


@pytest.mark.skipif(os.name == "nt", reason="the steps run in a POSIX shell")
def test_the_steps_install_a_program_that_runs_without_pip(
    work: Path, offline: dict[str, str], checkout: Path, tmp_path: Path
) -> None:
    (install,) = [argument for name, argument in STEPS if name == "RUN" and "venv /opt" in argument]
    target = tmp_path / "opt" / "drvsign"
    script = install.replace("/opt/drvsign", str(target)).replace("/source", str(checkout))
    done = subprocess.run(["sh", "-ec", script], cwd=work, env=offline, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (target / "bin" / "pip").exists()
    path = re.match(r"PATH=(\S+)", last("ENV"))
    assert path is not None
    environment = {**offline, "PATH": path[1].replace("/opt/drvsign", str(target))}
    program = shlex.split(last("ENTRYPOINT").strip("[]"))
    done = subprocess.run([*program, "inspect", "my driver/hello.sys"], cwd=work, env=environment, capture_output=True)
    assert (done.returncode, b"no signatures" in done.stdout) == (0, True), done.stderr


def test_the_context_has_what_the_build_reads_and_nothing_else() -> None:
    lines = (ROOT / ".containerignore").read_text("utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    kept = {name for name in patterns if name.startswith("!")}
    assert kept == {"!pyproject.toml", "!README.md", "!LICENSE", "!signer", "!catalogs", "!testcerts"}
    assert any(fnmatch.fnmatch("testcerts/generated", pattern) for pattern in patterns if pattern not in ("*", *kept))
