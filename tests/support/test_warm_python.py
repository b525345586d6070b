"""The program of `warm_python` does what Python would: its arguments, folder, environment, streams and exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes")

TOLD = """
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ["TOLD"], sys.stdin.read(), __name__, flush=True)
print("ü", file=sys.stderr)
if sys.argv[1:] == ["kill"]:
    os.kill(os.getpid(), 9)
raise SystemExit(int(sys.argv[1]))
"""


@pytest.mark.parametrize("argument", ["0", "7", "kill", "word"])
def test_a_file_runs_as_python_runs_it(warm_python: Path, tmp_path: Path, argument: str) -> None:
    (tmp_path / "told.py").write_text(TOLD)
    found = []
    for python in (sys.executable, str(warm_python)):
        command = [python, "-P", str(tmp_path / "told.py"), argument]
        variables = {**os.environ, "TOLD": "x y"}
        done = subprocess.run(command, cwd=tmp_path, env=variables, input="in", capture_output=True, text=True)
        found.append((done.returncode, done.stdout, done.stderr.splitlines()[:1], done.stderr.splitlines()[-1:]))
    assert found[0] == found[1]
    assert found[0][0] == {"kill": -signal.SIGKILL, "word": 1}.get(argument, int(argument) if argument.isdigit() else 1)


def test_a_module_runs_and_programs_that_it_starts_are_warm_too(warm_python: Path, tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text("import sys\nprint(sys.executable, 'lief' in sys.modules)\n")
    done = subprocess.run([warm_python, "-P", tmp_path / "told.py"], capture_output=True, text=True)
    assert done.stdout.split() == [str(warm_python), "True"]
    done = subprocess.run([warm_python, "-m", "signer", "nothing"], capture_output=True, text=True)
    assert (done.returncode, "no such command" in done.stderr) == (2, True)


def test_code_on_the_command_line_runs_in_the_ordinary_python(warm_python: Path) -> None:
    code = "import sys; print(sys.executable, 'lief' in sys.modules)"
    done = subprocess.run([warm_python, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == [sys.executable, "False"]
