"""Run the script of `make demo`, and verify its results with other tools."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from signer.certificates import load_all
from tests.support.files import ROOT
from tests.support.judges import run, tool


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, list[str]]:
    """A copy of the examples and the output of two runs: with new and with existing certificates."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(ROOT / "examples", folder / "examples")
    program = folder / "bin" / "drvsign"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m signer "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    outputs = []
    for _ in range(2):
        done = subprocess.run(
            ["sh", folder / "examples" / "demo.sh", "out"],
            cwd="/", env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        outputs.append(done.stdout)
    return folder, outputs


def test_the_demo_ends_accepted_and_the_example_stays_unsigned(demo):
    folder, outputs = demo
    for text in outputs:
        assert "2 accepted." in text
        assert "Done: a signed driver package" in text
    unsigned = (ROOT / "examples" / "hello" / "hello.sys").read_bytes()
    assert (folder / "examples" / "hello" / "hello.sys").read_bytes() == unsigned
    results = sorted(path.name for path in (folder / "out").rglob("*") if path.is_file())
    assert results == ["hello.cat", "hello.inf", "hello.sys", "trust-drvsign.cmd"]


def test_the_demo_keeps_existing_certificates(demo):
    folder, (first, second) = demo
    assert "drvsign certs create" in first
    assert "drvsign certs create" not in second.partition("2.")[0]
    (signer,) = load_all((folder / "testcerts/generated/code-signing.cer").read_bytes())
    assert signer.serial_number


def test_osslsigncode_accepts_the_results_of_the_demo(demo):
    folder, _ = demo
    program = tool("osslsigncode", "osslsigncode")
    root = folder / "testcerts" / "generated" / "root.pem"
    image, catalog = (folder / "out" / "hello" / f"hello.{suffix}" for suffix in ("sys", "cat"))
    for arguments in ([image], [catalog], [image, "-catalog", catalog]):
        result = run(program, "verify", "-CAfile", root, "-in", *arguments)
        assert (result.code, result.count("Signature verification: ok")) == (0, 1), result.text


def test_wine_accepts_the_results_of_the_demo(demo, wincheck):
    folder, _ = demo
    files = [folder / "out" / "hello" / f"hello.{suffix}" for suffix in ("sys", "cat")]
    assert wincheck(*(("verify", path) for path in files)) == ["00000000", "00000000"]
