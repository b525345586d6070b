"""Build the wheel, the sdist and the single file, install each as users do, and run the demo from it: `make dist`.

Everything happens in build/dist, with the tools of build/tools; results are in dist/. Each row of `installations` is
one way to install, in an empty environment, with a home folder of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from signer.version import VERSION
from tests.support.files import ROOT

DIST = ROOT / "dist"
SCRATCH = ROOT / "build" / "dist"
TOOLS = ROOT / "build" / "tools" / "bin"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@dataclass(frozen=True, slots=True)
class Built:
    """The files of one release."""

    wheel: Path
    sdist: Path
    single: Path


@dataclass(frozen=True, slots=True)
class Installation:
    """One way to install: `install` gets an empty folder and returns the folder that has `drvsign`."""

    name: str
    install: Callable[[Path], Path]


def main() -> int:
    """Build, install in every way, and print a table of the results."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    shutil.rmtree(DIST, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    built = build(VERSION)
    examples = examples_of(built.sdist)
    failed = 0
    for one in installations(built):
        problem = tried(one, examples)
        failed += problem is not None
        say(f"{'FAILED' if problem else 'passed '} {one.name}{f': {problem}' if problem else ''}")
    for version in VERSIONS:
        if python(version) is None:
            say(f"not run Python {version}: it is not installed")
    for path in (built.wheel, built.sdist, built.single):
        say(f"{path.stat().st_size / 1e6:7.1f} MB {path.relative_to(ROOT)}")
    return 1 if failed else 0


def build(version: str) -> Built:
    """Build the sdist, the wheel from the sdist, and the single file from the wheel."""
    run([TOOLS / "uv", "build", "--quiet", "--out-dir", DIST, ROOT])
    wheel, sdist = DIST / f"drvsign-{version}-py3-none-any.whl", DIST / f"drvsign-{version}.tar.gz"
    single = DIST / f"drvsign-{version}.pyz"
    # --extend-pythonpath: the process that runs lief is another Python, which must find it too
    options = ["--console-script", "drvsign", "--compressed", "--extend-pythonpath", "--python", "/usr/bin/env python3"]
    run([TOOLS / "shiv", *options, "--output-file", single, wheel])
    return Built(wheel, sdist, single)


def installations(built: Built) -> Iterator[Installation]:
    """Yield the ways to install: pip with every Python, the sdist, pipx, uv, and the single file."""
    for version in VERSIONS:
        if (found := python(version)) is not None:
            yield Installation(f"pip, wheel, Python {version}", pip(found, built.wheel))
    yield Installation("pip, sdist", pip(Path(sys.executable), built.sdist))
    yield Installation("pipx, wheel", lambda folder: pipx(folder, built.wheel))
    yield Installation("uv tool, wheel", lambda folder: uv_tool(folder, built.wheel))
    yield Installation("single file", lambda folder: single_file(folder, built.single))


def tried(one: Installation, examples: Path) -> str | None:
    """Install it and run the demo; return what went wrong, or None."""
    folder = SCRATCH / one.name.replace(", ", "-").replace(" ", "-")
    folder.mkdir()
    try:
        programs = one.install(folder)
        shutil.copytree(examples, folder / "work" / "examples")
        environment = private(folder, f"{programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin")
        said = run(["drvsign", "--version"], environment, folder)
        if said.split() != ["drvsign", VERSION]:
            return f"drvsign --version prints {said!r}"
        run(["sh", folder / "work" / "examples" / "demo.sh"], environment, folder)
    except subprocess.CalledProcessError as error:
        return f"{error.cmd} ended with {error.returncode}:\n{error.stdout}"
    return None


def python(version: str) -> Path | None:
    """Return an interpreter of a version that runs on this machine, from PATH or from pyenv, or None."""
    on_path = [Path(found)] if (found := shutil.which(f"python{version}")) else []
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return next(filter(runs, [*on_path, *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))]), None)


def runs(interpreter: Path) -> bool:
    """Return whether the interpreter starts: a shim of pyenv ends with an error where its version is not selected."""
    return subprocess.run([interpreter, "-c", ""], capture_output=True, check=False).returncode == 0


def pip(interpreter: Path, artifact: Path) -> Callable[[Path], Path]:
    """Return an installation with pip into a new virtual environment."""

    def install(folder: Path) -> Path:
        run([interpreter, "-m", "venv", folder / "venv"])
        programs = folder / "venv" / SCRIPTS
        run([programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", artifact])
        run([programs / "python", "-m", "pip", "check"])
        return programs

    return install


def pipx(folder: Path, wheel: Path) -> Path:
    """Install with pipx."""
    places = {"PIPX_HOME": folder / "pipx", "PIPX_BIN_DIR": folder / "bin", "PIPX_MAN_DIR": folder / "man"}
    environment = {**os.environ, **{name: str(path) for name, path in places.items()}}
    run([TOOLS / "pipx", "install", "--quiet", "--python", sys.executable, wheel], environment)
    return folder / "bin"


def uv_tool(folder: Path, wheel: Path) -> Path:
    """Install with `uv tool install`."""
    environment = {**os.environ, "UV_TOOL_DIR": str(folder / "uv"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    run([TOOLS / "uv", "tool", "install", "--quiet", "--python", sys.executable, wheel], environment)
    return folder / "bin"


def single_file(folder: Path, single: Path) -> Path:
    """Put the single file on PATH, as the program `drvsign`."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "drvsign"
    shutil.copy(single, program)
    program.chmod(0o755)
    return program.parent


def examples_of(sdist: Path) -> Path:
    """Unpack the sdist and return its folder of examples."""
    with tarfile.open(sdist) as archive:
        archive.extractall(SCRATCH, filter="data")
    return SCRATCH / sdist.name.removesuffix(".tar.gz") / "examples"


def private(folder: Path, path: str) -> dict[str, str]:
    """Return an environment with a home folder of its own, in which only the programs of `path` are found."""
    home = folder / "home"
    home.mkdir()
    return {"HOME": str(home), "SHIV_ROOT": str(home / "shiv"), "PATH": path, "LANG": "C.UTF-8"}


def say(line: str) -> None:
    """Print a line at once: installing takes long."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(command: list[str | Path], environment: dict[str, str] | None = None, folder: Path = ROOT) -> str:
    """Run a command and return what it prints. Raises subprocess.CalledProcessError."""
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, check=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failure:
        sys.exit(f"{failure.cmd} ended with {failure.returncode}:\n{failure.stdout}")
