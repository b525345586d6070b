"""`drvsign package` with a template (.inx): its INF is made in the same call, and the template stays unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.storage.files import read
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, write_package
from tests.support.program import drvsign, state

TEMPLATE = (
    BASE.replace("DriverVer = 05/01/2024,1.2.3.4\n", "")
    .replace("Models,NTamd64", "Models,NT$ARCH$.10.0...16299")
    .replace("[Models.NTamd64]", "[Models.NT$ARCH$.10.0...16299]")
)
VERSION = ("--driver-version", "1.2.3.4")
CREATED_INF = "DriverVer = 11/14/2023,1.2.3.4"


@pytest.fixture(autouse=True)
def environment(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Platform", "STAMPINF_DATE", "STAMPINF_VERSION", "PRIVATE_DRIVER_PACKAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture
def project(work: Path) -> Path:
    """A WDK project: a template and a driver."""
    return write_project(work / "driver", TEMPLATE)


def write_project(folder: Path, template: str, encoding: str = "ascii") -> Path:
    write_package(folder, BASE)
    (folder / "sample.inf").unlink()
    (folder / "sample.inx").write_bytes(template.encode(encoding))
    return folder


def test_a_project_becomes_a_signed_package(project: Path) -> None:
    template = read(project / "sample.inx")
    ran = drvsign("package", project, *VERSION, "--json")
    assert (ran.code, ran.document["verdict"]["accepted"]) == (0, True)
    rows = [(Path(row["path"]).name, row["action"], bool(row["signer"])) for row in ran.document["files"]]
    assert rows == [("sample.inf", "built", False), ("sample.sys", "signed", True), ("sample.cat", "built", True)]
    inf = (project / "sample.inf").read_text()
    assert CREATED_INF in inf
    assert "Models,NTamd64.10.0...16299" in inf, "$ARCH$ is the architecture of sample.sys"
    assert read(project / "sample.inx") == template
    assert drvsign("catalog", "check", project / "sample.cat", project).code == 0


def test_with_output_dir_the_project_stays_unchanged(project: Path) -> None:
    before = state(project)
    ran = drvsign("package", project, *VERSION, "--output-dir", "out", "--depfile", "out.d")
    assert (ran.code, state(project)) == (0, before)
    assert sorted(path.name for path in Path("out").iterdir()) == ["sample.cat", "sample.inf", "sample.sys"]
    depfile = Path("out.d").read_text()
    assert "driver/sample.inx" in depfile
    assert ".inf" not in depfile


def test_a_renamed_template_leaves_no_old_inf_in_the_output(project: Path) -> None:
    call = ("package", project, *VERSION, "--output-dir", "out", "--depfile", "out.d")
    assert drvsign(*call).code == 0
    (project / "sample.inx").rename(project / "other.inx")
    assert drvsign(*call).code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["other.inf", "sample.cat", "sample.sys"]


def test_a_rehearsal_writes_nothing(project: Path) -> None:
    before = state(project)
    ran = drvsign("package", project, *VERSION, "--dry-run", "--json")
    assert (ran.code, ran.document["verdict"]["accepted"], state(project)) == (0, True, before)
    assert [row["action"] for row in ran.document["files"]] == ["planned"] * 3


def test_an_existing_inf_is_used_and_stamp_replaces_it(project: Path) -> None:
    own = BASE.replace("05/01/2024", "05/01/2023").encode()
    (project / "sample.inf").write_bytes(own)
    ran = drvsign("package", project, *VERSION)
    assert (ran.code, read(project / "sample.inf")) == (0, own)
    assert "sample.inx: not stamped, because sample.inf exists (--stamp replaces it)" in ran.stderr
    assert drvsign("package", project, *VERSION, "--stamp").code == 0
    assert CREATED_INF in (project / "sample.inf").read_text()


def test_an_existing_inf_whose_name_has_another_case_is_replaced(project: Path) -> None:
    (project / "SAMPLE.INF").write_bytes(BASE.encode())
    assert drvsign("package", project, *VERSION, "--stamp").code == 0
    assert [path.name for path in project.iterdir() if path.suffix.lower() == ".inf"] == ["SAMPLE.INF"]
    assert CREATED_INF in (project / "SAMPLE.INF").read_text()


def test_a_profile_has_the_values(project: Path) -> None:
    keys = ('driver-date = "2023-05-06"', 'driver-version = "7.8"', 'arch = "x64"', 'kmdf = "1.15"', 'umdf = "2.1.0"')
    (project / "drvsign.toml").write_text("\n".join(("[profile.test]", 'trust = "test-signing"', *keys)))
    text = TEMPLATE.replace("[Drivers]", "[Wdf]\nKmdf = $KMDFVERSION$\nUmdf = $UMDFVERSION$\n\n[Drivers]")
    (project / "sample.inx").write_text(text)
    assert drvsign("package", project, "--profile", "test").code == 0
    inf = (project / "sample.inf").read_text()
    assert all(line in inf for line in ("DriverVer = 05/06/2023,7.8", "Kmdf = 1.15", "Umdf = 2.1.0", "Models,NTamd64"))
    assert drvsign("package", project, "--profile", "test", "--stamp", *VERSION).code == 0
    assert "DriverVer = 05/06/2023,1.2.3.4" in (project / "sample.inf").read_text(), "options override the profile"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_the_architecture_of_the_drivers_is_used_in_any_encoding(work: Path, encoding: str) -> None:
    project = write_project(
        work / "driver", ("\N{ZERO WIDTH NO-BREAK SPACE}" * (encoding != "utf-16")) + TEMPLATE, encoding
    )
    assert drvsign("package", project, *VERSION).code == 0
    assert "Models,NTamd64".encode("utf-16-le" if encoding == "utf-16" else encoding) in read(project / "sample.inf")


ERRORS = {
    "no version": (TEMPLATE, (), "sample.inx:1: DriverVer has no version to keep"),
    "no KMDF version": (
        TEMPLATE + "\n[Wdf]\nKmdf = $KMDFVERSION$\n",
        VERSION,
        "sample.inx:45: $KMDFVERSION$ has no value",
    ),
    "no section": ("[Strings]\nA = B\n", VERSION, "sample.inx: there is no section [Version]"),
    "a wrong value": (TEMPLATE, ("--driver-version", "1.x"), "not a version: '1.x'"),
    "an error of the INF": (
        TEMPLATE.replace("CatalogFile = sample.cat\n", ""),
        VERSION,
        "22.9.4: Missing AMD64 CatalogFile",
    ),
}


@pytest.mark.parametrize(("template", "options", "message"), ERRORS.values(), ids=ERRORS)
def test_an_error_names_the_line_of_the_template_and_changes_nothing(
    work: Path, template: str, options: tuple[str, ...], message: str
) -> None:
    project = write_project(work / "driver", template)
    before = state(work)
    ran = drvsign("package", project, *options)
    assert ran.code in (2, 3)
    assert message in ran.stderr
    assert state(work) == before


def test_warnings_name_the_line_of_the_template(project: Path) -> None:
    text = (project / "sample.inx").read_text().replace("sample.sys = 1", "sample.sys = 1,,$ARCH$")
    (project / "sample.inx").write_text(text.replace("StartType = 3", "StartType = 9"))
    number = 1 + next(n for n, line in enumerate(text.splitlines()) if line.startswith("StartType"))
    ran = drvsign("package", project, *VERSION)
    assert f"sample.inx:{number}: " in ran.stderr
    assert "$ARCH$ is replaced only in section names" in ran.stderr


def test_drivers_of_two_architectures_decide_no_value(project: Path) -> None:
    (project / "other.sys").write_bytes(PeSpec(machine="arm64").build())
    ran = drvsign("package", project, *VERSION)
    assert (ran.code, "sample.inx:10: $ARCH$ has no value" in ran.stderr) == (3, True)
    assert drvsign("package", project, *VERSION, "--arch", "x64").code == 0


def test_templates_of_the_same_inf_are_refused(project: Path) -> None:
    (project / "SAMPLE.inx").write_text(TEMPLATE)
    ran = drvsign("package", project, *VERSION)
    assert (ran.code, "are templates of the same INF" in ran.stderr) == (3, True)


def test_other_commands_name_the_call_that_makes_the_inf(project: Path) -> None:
    ran = drvsign("catalog", "build", project)
    assert ran.code == 3
    assert "only the template sample.inx" in ran.stderr
    assert f"drvsign inf stamp {project}/sample.inx --output {project}/sample.inf" in ran.stderr


def test_inf_files_lists_the_inf_and_its_template(project: Path) -> None:
    (project / "sample.sys").unlink()
    assert drvsign("inf", "files", project).stdout.split() == ["sample.cat", "sample.inf", "sample.sys"]
    assert drvsign("inf", "files", project, "--sources").stdout.split() == ["sample.inx", "sample.sys"]
    assert drvsign("inf", "files", project, "--json").document["sources"] == ["sample.inx", "sample.sys"]


def test_init_finds_a_package_with_a_template(project: Path) -> None:
    assert drvsign("init").code == 0
    assert "\nDRIVER := driver\n" in Path("Makefile").read_text()
