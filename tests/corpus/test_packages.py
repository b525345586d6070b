"""Sign and verify every real driver package: `drvsign package` on a copy without its catalog, then `drvsign verify`.

`pytest -s` prints a table of all packages.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testcerts.store import ensure
from tests.support.files import corpus_root
from tests.support.program import drvsign

PACKAGES = sorted(path for path in corpus_root().glob("packages/*") if path.is_dir())

NOT_ACCEPTED = {"camcalibration": "inf-not-for-target"}
"""Rule that rejects a package, by the end of its name: no target is 32-bit ARM."""


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a test identity."""
    folder = tmp_path_factory.mktemp("packages")
    ensure(folder / "testcerts" / "generated", datetime.now(UTC))
    return folder


@pytest.fixture(scope="module")
def table() -> Iterator[list[tuple[str, str, str]]]:
    """Rows of package, target and outcome, printed at the end."""
    rows: list[tuple[str, str, str]] = []
    yield rows
    sys.stdout.write("\n")
    sys.stdout.writelines(f"{name[-70:]:<70}  {target:<20}  {outcome}\n" for name, target, outcome in sorted(rows))


def ending(source: Path, known: dict[str, str]) -> str | None:
    return next((value for end, value in known.items() if source.name.endswith(end)), None)


@pytest.mark.parametrize("source", PACKAGES, ids=lambda path: path.name[-60:])
def test_a_real_package_is_packaged_and_accepted(
    corpus: Path,
    source: Path,
    identity: Path,
    table: list[tuple[str, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(identity)
    folder = tmp_path / "package"
    shutil.copytree(source, folder)
    for catalog in folder.rglob("*.[cC][aA][tT]"):
        catalog.unlink()
    packaged = drvsign("package", folder, "--skip-signed", "--json", "-q")
    assert packaged.code == 0, packaged.stderr
    assert {entry["action"] for entry in packaged.document["files"]} <= {"signed", "skipped", "built"}
    ran = drvsign("verify", folder, "--policy", "kernel", "--roots", "test-signing", "--testsigning", "--json")
    verdicts = [(e["kind"], t["target"], t["verdict"], t["rule"]) for e in ran.document["files"] for t in e["targets"]]
    table += [(source.name, target, f"{kind} {verdict}: {rule}") for kind, target, verdict, rule in verdicts]
    expected_rule = ending(source, NOT_ACCEPTED)
    if expected_rule is not None:
        assert (ran.code, {rule for *_, rule in verdicts}) == (1, {expected_rule})
    else:
        assert ran.code == 0, verdicts


@pytest.mark.parametrize("source", PACKAGES[1::12], ids=lambda path: path.name[-60:])
def test_a_comment_added_to_the_inf_is_rejected(
    corpus: Path, source: Path, identity: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(identity)
    folder = tmp_path / "package"
    shutil.copytree(source, folder)
    assert drvsign("package", folder, "--replace", "-q").code == 0
    inf = next(path for path in folder.rglob("*") if path.suffix.lower() == ".inf")
    data = inf.read_bytes()
    comment = "\r\n; a comment"
    inf.write_bytes(data + comment.encode("utf-16-le" if data[:2] == b"\xff\xfe" else "ascii"))
    ran = drvsign("verify", folder, "--policy", "pnp", "--roots", "test-signing", "--json")
    assert ran.code == 1
    assert "not-catalogued" in {code for e in ran.document["files"] for t in e["targets"] for code in t["findings"]}
