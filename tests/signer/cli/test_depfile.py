"""--depfile never contains a rule that a file name injects, and its sources are read back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signer.cli.options.depfile import recorded_sources, write_depfile
from signer.errors import UsageError
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import drvsign, state

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no line breaks in file names")
NAME = "x\nall: ; touch pwned\n"


@pytest.mark.parametrize("text", ["x\nall: ; run", "x\rall"], ids=["line-feed", "carriage-return"])
@pytest.mark.parametrize("place", ["target", "source"])
def test_a_path_with_a_line_break_is_refused(tmp_path: Path, text: str, place: str) -> None:
    odd, plain = Path(text), Path("plain.sys")
    with pytest.raises(UsageError, match="line break"):
        write_depfile(tmp_path / "d", odd if place == "target" else plain, [plain if place == "target" else odd])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "command",
    [
        ("sign", "{}/hello.sys", "--output", "out.sys"),
        ("sign", "driver/hello.sys", "--output", "{}/out.sys"),
        ("catalog", "build", "{}"),
        ("package", "{}", "--output-dir", "out"),
        ("submission", "build", "driver", "--unsigned", "--output", "{}/out.cab"),
    ],
    ids=["sign-input", "sign-output", "catalog-build", "package", "submission-build"],
)
def test_nothing_is_written_for_a_depfile_that_is_refused(work: Path, command: tuple[str, ...]) -> None:
    for name in (NAME, "driver"):
        (work / name).mkdir()
        (work / name / "hello.inf").write_bytes(HELLO.encode())
        (work / name / "hello.sys").write_bytes(PeSpec().build())
    assert "submission" not in command or drvsign("package", "driver").code == 0
    before = state(work)
    ran = drvsign(*(word.format(work / NAME) for word in command), "--depfile", "out.d")
    assert (ran.code, "line break" in ran.stderr) == (2, True)
    assert state(work) == before


def test_the_sources_of_an_earlier_call_are_read_back(tmp_path: Path) -> None:
    sources = [tmp_path / name for name in ("a b.inf", "c$d.sys", "e#f.dat", "g:h.dll", "plain.txt")]
    depfile, target = tmp_path / "x.d", tmp_path / "out dir" / "x.cat"
    write_depfile(depfile, target, sources)
    assert recorded_sources(depfile, target.parent) == sources
    assert recorded_sources(depfile, tmp_path / "elsewhere") == []
    assert recorded_sources(tmp_path / "missing.d", target.parent) == []
    depfile.write_bytes(b"")
    assert recorded_sources(depfile, target.parent) == []
