"""`drvsign inf stamp`: StampInf's environment variables, and where the INF goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.inf_files import BASE
from tests.support.program import drvsign

TEMPLATE = BASE.replace("Models,NTamd64", "Models,NT$ARCH$").replace("[Models.NTamd64]", "[Models.NT$ARCH$]")


@pytest.fixture
def template(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("Platform", "STAMPINF_DATE", "STAMPINF_VERSION", "PRIVATE_DRIVER_PACKAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764201600")  # 2025-11-27 00:00 UTC
    path = work / "sample.inx"
    path.write_text(TEMPLATE, newline="")
    return path


CASES = {
    "options": (["--arch", "x64", "--date", "11/24/2026", "--version", "5.6"], {}, "11/24/2026,5.6"),
    "the ISO form of a date": (["--arch", "x64", "--date", "2026-11-24"], {}, "11/24/2026,1.2.3.4"),
    "today is the day of SOURCE_DATE_EPOCH": (["--arch", "x64"], {}, "11/27/2025,1.2.3.4"),
    "the time as a version": (["--arch", "x64", "--version", "*"], {}, "11/27/2025,0.0.0.0"),
    "environment variables": (
        [],
        {"Platform": "x64", "STAMPINF_DATE": "01/02/2025", "STAMPINF_VERSION": "9.9"},
        "01/02/2025,9.9",
    ),
    "options win over the environment": (
        ["--arch", "x64", "--date", "*", "--version", "1.1"],
        {"Platform": "ARM64", "STAMPINF_DATE": "01/02/2025", "STAMPINF_VERSION": "9.9"},
        "11/27/2025,1.1",
    ),
}


@pytest.mark.parametrize(("options", "environment", "expected"), CASES.values(), ids=CASES)
def test_driver_ver(
    template: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], environment: dict[str, str], expected: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = drvsign("inf", "stamp", template, "-o", template.with_suffix(".inf"), *options, "--json")
    assert ran.code == 0
    assert ran.document["driver_ver"] == expected
    text = template.with_suffix(".inf").read_text()
    assert f"DriverVer = {expected}" in text
    assert "Models,NTamd64" in text


def test_a_private_package_has_the_present_time_and_a_catalog(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVATE_DRIVER_PACKAGE", "1")
    target = template.with_suffix(".inf")
    assert drvsign("inf", "stamp", template, "-o", target, "--arch", "x64", "--version", "5.6").code == 0
    assert "DriverVer = 11/27/2025,0.0.0.0" in target.read_text()
    assert "CatalogFile = delta.cat" in target.read_text()


NTVERP = """\
/* VER_PRODUCTBUILD is the build:
#define VER_PRODUCTBUILD 1
*/
#define VER_PRODUCTMAJORVERSION     10 // of Windows
#define VER_PRODUCTMINORVERSION     0
#define VER_PRODUCTBUILD            /* NT */   26100
#define VER_QFE 0x0007
#define VER_PRODUCTBUILD_QFE VER_QFE
#define VER_PRODUCTVERSION_STRING(x,y) #x "." #y
"""


@pytest.mark.parametrize("name", ["ntverp.h", "Ntverp.h"])
def test_the_version_of_ntverp_is_the_default(template: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (template.parent / name).write_text(NTVERP)
    call = ("inf", "stamp", template, "-o", "x.inf", "--arch", "x64", "--json", "-i")
    assert drvsign(*call, ".").document["driver_ver"] == "11/27/2025,10.0.26100.7"
    assert drvsign(*call, name).document["driver_ver"] == "11/27/2025,10.0.26100.7", "the file itself"
    assert drvsign(*call, ".", "--version", "5.6").document["driver_ver"] == "11/27/2025,5.6"
    monkeypatch.setenv("STAMPINF_VERSION", "9.9")
    assert drvsign(*call, ".").document["driver_ver"] == "11/27/2025,9.9"


NTVERP_ERRORS = {
    "a macro that is missing": (NTVERP.replace("MINOR", "NO"), "ntverp.h: the header does not define VER_PRODUCTMIN"),
    "two values": (NTVERP + "#define VER_PRODUCTBUILD 3\n", "ntverp.h:10: the header defines VER_PRODUCTBUILD more"),
    "a value that is too large": (NTVERP.replace("26100", "70000"), "ntverp.h:6: VER_PRODUCTBUILD is 70000, not"),
    "a value that is no number": (NTVERP.replace("26100", "BUILD"), "ntverp.h:6: VER_PRODUCTBUILD is BUILD, not"),
    "bytes that are no text": ("\0\xff", "ntverp.h: the header does not define VER_PRODUCTMAJORVERSION"),
}


@pytest.mark.parametrize(("header", "message"), NTVERP_ERRORS.values(), ids=NTVERP_ERRORS)
def test_a_header_without_a_version_is_an_error(template: Path, header: str, message: str) -> None:
    (template.parent / "ntverp.h").write_text(header, encoding="latin-1")
    ran = drvsign("inf", "stamp", template, "-o", "x.inf", "--arch", "x64", "--ntverp", ".")
    assert (ran.code, message in ran.stderr, Path("x.inf").exists()) == (3, True, False)


def test_a_missing_header_is_an_error(template: Path) -> None:
    ran = drvsign("inf", "stamp", template, "-o", "x.inf", "--arch", "x64", "--ntverp", "nowhere")
    assert (ran.code, "nowhere" in ran.stderr) == (3, True)


def test_a_missing_value_writes_nothing(template: Path) -> None:
    ran = drvsign("inf", "stamp", template, "-o", template.with_suffix(".inf"))
    assert ran.code == 3
    assert "$ARCH$ has no value" in ran.stderr
    assert not template.with_suffix(".inf").exists()


@pytest.mark.parametrize(("option", "value"), [("--date", "soon"), ("--version", "1.x"), ("--arch", "sparc")])
def test_a_wrong_value_is_a_usage_error(template: Path, option: str, value: str) -> None:
    ran = drvsign("inf", "stamp", template, "-o", template.with_suffix(".inf"), option, value)
    assert (ran.code, ran.stdout) == (2, "")
    assert value in ran.stderr


def test_a_folder_is_not_a_target(template: Path) -> None:
    ran = drvsign("inf", "stamp", template, "-o", template.parent, "--arch", "x64")
    assert ran.code == 3
    assert "sample.inf" in ran.stderr
