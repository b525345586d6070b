"""Measure what an installation of drvsign costs, and write the tables of docs/install.md.

    python -m tests.support.install_size

It installs drvsign, and drvsign with each extra, in empty folders in build/sizes, with uv from build/tools. Sizes are
without bytecode. A command uses a package if it imports one of its modules, or opens one of its files.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.distributions import TOOLS, run
from tests.support.files import ROOT

PAGE = ROOT / "docs" / "install.md"
SCRATCH = ROOT / "build" / "sizes"
BEGIN, END = "<!-- sizes: made by tests/support/install_size.py -->", "<!-- end of sizes -->"
COMMANDS = {
    "certs": "certs create certs",
    "package": "package hello --os 10_X64 --certs certs",
    "sign": "sign hello/hello.sys --certs certs --output signed.sys",
    "verify": "verify hello --matrix --test-machine --certs certs",
    "inspect": "inspect hello/hello.sys",
    "catalog": "catalog show hello/hello.cat",
    "inf": "inf lint hello/hello.inf",
}
"""The common commands, by the name that the table shows."""
PROGRAM = """
import pathlib, sys
opened = set()
sys.addaudithook(lambda event, values: opened.add(values[0]) if event == "open" else None)
from signer.cli.app import main
try:
    main()
except SystemExit as end:
    status = end.code
folder = pathlib.Path(sys.path[0])
files = [pathlib.Path(one) for one in opened if isinstance(one, str)]
names = {one.relative_to(folder).parts[0] for one in files if one.is_relative_to(folder)}
print("modules:", *sorted(names | {name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(status)
"""
IN_A_PROCESS_OF_ITS_OWN = {"lief": ("package", "sign")}
"""Packages that a child process imports, and the commands that start it (`signer.pe.lief_process`)."""


@dataclass(frozen=True, slots=True)
class Package:
    """One installed distribution."""

    name: str
    size: int
    """Bytes of its files, without bytecode."""
    modules: frozenset[str]
    requires: frozenset[str]
    """Names of the distributions that it requires on this machine."""

    @classmethod
    def of(cls, found: Distribution) -> Package:
        """Read what is installed."""
        files = [Path(str(one.locate())) for one in found.files or () if one.suffix != ".pyc"]
        tops = {re.split(r"[/.]", str(one))[0] for one in found.files or () if one.suffix in (".py", ".so", ".pyd")}
        wanted = [Requirement(one) for one in found.requires or ()]
        needed = {one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}
        size = sum(path.stat().st_size for path in files if path.exists())
        return cls(canonicalize_name(found.name), size, frozenset(tops), frozenset(map(canonicalize_name, needed)))


def main() -> int:
    """Install, measure, and write the tables between the two comments of the page."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    plain = installed("")
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    tables = [BEGIN, "", *plain_table(plain), "", *extras_table(plain), "", END]
    PAGE.write_text(before + "\n".join(tables) + rest.partition(END)[2], "utf-8")
    return 0


def installed(extra: str) -> dict[str, Package]:
    """Install drvsign with an extra into an empty folder, and return what is there."""
    folder = folder_of(extra)
    wanted = f"{ROOT}[{extra}]" if extra else str(ROOT)
    run([TOOLS / "uv", "pip", "install", "--quiet", "--python", sys.executable, "--target", folder, wanted])
    packages = map(Package.of, distributions(path=[str(folder)]))
    return {one.name: one for one in packages}


def folder_of(extra: str) -> Path:
    """Return the folder of an installation."""
    return SCRATCH / (extra or "plain")


def plain_table(packages: Mapping[str, Package]) -> Iterator[str]:
    """Yield the table of what every installation has, the largest first."""
    used = commands_by_package(packages)
    yield "| package | MB | required by | used by |"
    yield "|---|---|---|---|"
    for one in sorted(packages.values(), key=lambda one: -one.size):
        above = sorted(other.name for other in packages.values() if one.name in other.requires)
        commands = used[one.name]
        shown = "all commands" if len(commands) == len(COMMANDS) else ", ".join(commands) or "no common command"
        yield f"| {one.name} | {megabytes(one.size)} | {', '.join(above)} | {shown} |"
    yield f"| together | {megabytes(sum(one.size for one in packages.values()))} | | |"


def extras_table(plain: Mapping[str, Package]) -> Iterator[str]:
    """Yield the table of what each extra adds."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    yield "| extra | MB more | packages more | largest |"
    yield "|---|---|---|---|"
    for extra in sorted(extras.keys() - {"dev", "docs"}):
        more = [one for name, one in installed(extra).items() if name not in plain]
        largest = max(more, key=lambda one: one.size)
        size = megabytes(sum(one.size for one in more))
        yield f"| `{extra}` | {size} | {len(more)} | {largest.name} {megabytes(largest.size)} |"


def commands_by_package(packages: Mapping[str, Package]) -> dict[str, list[str]]:
    """Run the common commands, and return those that use each package."""
    shutil.copytree(ROOT / "examples" / "hello", SCRATCH / "hello")
    used: dict[str, list[str]] = {name: [] for name in packages}
    for command, line in COMMANDS.items():
        modules = used_by(line)
        for one in packages.values():
            if one.modules & modules or command in IN_A_PROCESS_OF_ITS_OWN.get(one.name, ()):
                used[one.name].append(command)
    return used


def used_by(line: str) -> set[str]:
    """Run one command and return the top-level modules that it imports or whose files it opens.

    Raises subprocess.CalledProcessError.
    """
    environment = {"PYTHONPATH": str(folder_of("")), "PATH": "/usr/bin:/bin", "HOME": str(SCRATCH)}
    command = [sys.executable, "-P", "-S", "-c", PROGRAM, *line.split()]
    done = subprocess.run(command, cwd=SCRATCH, env=environment, capture_output=True, text=True, check=True)
    return set(done.stderr.rpartition("modules:")[2].split())


def megabytes(size: int) -> str:
    """Return the size in MB, with one decimal."""
    return f"{size / 1e6:.1f}"


if __name__ == "__main__":
    sys.exit(main())
