"""`drvsign init`, and `drvsign inf files`, which build systems call."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.config import parse_profiles
from tests.support.inf_files import BASE, write_package
from tests.support.program import drvsign, state


def test_init_writes_both_files_for_the_package_below(work: Path) -> None:
    write_package(work / "src" / "driver", BASE)
    ran = drvsign("init")
    assert (ran.code, ran.stdout) == (0, "built Makefile\nbuilt drvsign.toml\n")
    assert "\nDRIVER := src/driver\n" in (work / "Makefile").read_text()
    assert "make" in ran.stderr


def test_the_profiles_that_init_writes_can_be_used(work: Path) -> None:
    write_package(work / "driver", BASE)
    drvsign("init")
    profiles = parse_profiles((work / "drvsign.toml").read_bytes(), work / "drvsign.toml")
    assert (profiles["test"].is_release, profiles["release"].is_release) == (False, True)
    assert drvsign("package", "driver", "--profile", "test").code == 0
    uncommented = (work / "drvsign.toml").read_text().replace("\n# ", "\n").replace("\nFor ", "\n# For ")
    keys = "\n".join(line for line in uncommented.splitlines() if "=" in line or line.startswith("["))
    assert parse_profiles(keys.encode(), work / "drvsign.toml")["release"].settings.identity


@pytest.mark.parametrize("name", ["Makefile", "GNUmakefile", "makefile", "drvsign.toml"])
def test_an_existing_file_is_replaced_only_with_force(work: Path, name: str) -> None:
    write_package(work / "driver", BASE)
    (work / name).write_text("mine")
    ran = drvsign("init")
    assert (ran.code, f"skipped {name}  (exists)" in ran.stdout, name in ran.stderr) == (0, True, False)
    assert ran.stderr.count("Existing files stay unchanged (--force replaces them).") == 1
    assert (work / name).read_text() == "mine"
    assert drvsign("init", "--force").code == 0
    assert (work / name).read_text() != "mine"


def test_results_do_not_count_as_packages(work: Path) -> None:
    for folder in ("driver", "build/signed/test", "out/x", "driver-signed/test", "driver/sub"):
        write_package(work / folder, BASE)
    drvsign("init")
    assert "\nDRIVER := driver\n" in (work / "Makefile").read_text()


@pytest.mark.parametrize(
    ("folders", "code", "complaint"),
    [
        ((), 3, "no INF found"),
        (("one", "two"), 3, "2 driver packages found: one, two"),
        (("my driver",), 2, "make can't handle the folder name 'my driver'"),
    ],
    ids=["none", "several", "blank"],
)
def test_what_init_can_t_decide_is_an_error_and_writes_nothing(work: Path, folders, code, complaint) -> None:
    for folder in folders:
        write_package(work / folder, BASE)
    before = state(work)
    ran = drvsign("init")
    assert (ran.code, complaint in ran.stderr) == (code, True)
    assert state(work) == before


def test_a_folder_that_does_not_exist_is_named(work: Path) -> None:
    assert "missing: folder not found" in drvsign("init", "missing").stderr


def test_inf_files_lists_also_what_does_not_exist_yet(work: Path) -> None:
    write_package(work / "driver", BASE.replace("sample.sys = 1", "sample.sys = 1,bin"))
    ran = drvsign("inf", "files", "driver")
    assert ran.stdout.split() == ["sample.cat", "sample.inf", "bin/sample.sys"]
    (work / "driver" / "bin").mkdir()
    (work / "driver" / "sample.sys").rename(work / "driver" / "bin" / "SAMPLE.SYS")
    document = drvsign("inf", "files", "driver", "--json").document
    assert document == {
        "schema": "drvsign.inf-files/1", "catalogs": ["sample.cat"], "files": ["sample.inf", "bin/SAMPLE.SYS"],
        "sources": ["sample.inf", "bin/SAMPLE.SYS"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("inf", "complaint"),
    [(BASE.replace("CatalogFile = sample.cat\n", ""), "no INF names a catalog"), ("garbage[", "driver/sample.inf")],
    ids=["no-catalog", "garbage"],
)
def test_inf_files_of_a_broken_package_is_an_error(work: Path, inf: str, complaint: str) -> None:
    write_package(work / "driver", inf)
    ran = drvsign("inf", "files", "driver")
    assert (ran.code, ran.stdout) == (3, "")
    assert complaint in ran.stderr
