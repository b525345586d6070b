"""docs/migrate.md: every line of Microsoft's tools and of drvsign runs, and the tables are those of the tools."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer.cli.front_ends.tools import TOOLS
from signer.cli.tsa_server import serving
from tests.support.front_ends import tool
from tests.support.images import PeSpec
from tests.support.inf_files import BASE
from tests.support.migrate_page import FIRST, PAGE, sections
from tests.support.program import drvsign
from tests.support.timestamping import tsa

LINES = PAGE.read_text(encoding="utf-8").partition("\nWhat these tools do to a machine")[0]
ROWS = re.findall(r"^\| `([\w-]+ [^|]*)` \| `(drvsign [^`]+)`", LINES, re.MULTILINE)
NEO = "SoftEtherVPN+SoftEtherVPN__src__bin__hamcore__DriverPackages__Neo6_Win10__x64__Neo6_x64_VPN101"


def test_the_tables_are_those_of_the_tools() -> None:
    """To write them: python -m tests.support.migrate_page."""
    _, heading, rest = PAGE.read_text(encoding="utf-8").partition(FIRST)
    assert heading.lstrip("\n") + rest == sections()


@pytest.fixture
def url() -> Iterator[str]:
    with serving(tsa()) as server:
        yield server.url


@pytest.fixture
def folder(work: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the lines name."""
    monkeypatch.setenv("PFX_PASSWORD", "secret")
    inf = BASE.replace("sample.cat", "toaster.cat").replace("sample.sys", "toaster.sys")
    for suffix in ("inf", "inx"):
        work.joinpath(f"toaster.{suffix}").write_text(inf.replace("NTamd64", "NT$ARCH$"), newline="\r\n")
    for name in ("toaster.sys", "other.sys"):
        work.joinpath(name).write_bytes(PeSpec().build())
    cdf = ["[CatalogHeader]", "Name=loose.cat", "[CatalogFiles]", "<HASH>other=other.sys", ""]
    work.joinpath("tools").mkdir()
    work.joinpath("tools", "x.txt").write_text("x")
    work.joinpath("loose.cdf").write_text("\n".join(cdf))
    work.joinpath("microsoft.sys").write_bytes((corpus / "drivers" / "Velocidex+WinPmem__winpmem_x64.sys").read_bytes())
    for name, target in (("sys", "listed.sys"), ("cat", "microsoft.cat")):
        work.joinpath(target).write_bytes((corpus / "packages" / NEO / f"Neo6_x64_VPN101.{name}").read_bytes())
    return work


@pytest.mark.usefixtures("folder")
def test_every_line_runs(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert len(ROWS) > 15
    for microsofts, _ in ROWS:
        if microsofts.split()[0] not in TOOLS:  # PowerShell's
            continue
        words = shlex.split(microsofts.replace("TSA", url))
        assert tool(*words) == 0, f"{microsofts}\n{capfd.readouterr().err}"
    for path in Path.cwd().glob("*.cat"):
        if path.name != "microsoft.cat":
            path.unlink()
    Path("toaster.sys").write_bytes(PeSpec().build())
    for _, ours in ROWS:
        ran = drvsign(*shlex.split(ours.replace("TSA", url))[1:])
        assert ran.code == 0, f"{ours}\n{ran.stderr}"


def test_what_a_machine_does_is_refused_with_the_script(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"`((?:certmgr /add|signtool catdb) [^`]+)`", text)
    assert len(lines) == 3
    for line in lines:
        assert f"`{line}`" in text
        assert tool(*line.split()) == 1
    assert "install-script" in capsys.readouterr().err
