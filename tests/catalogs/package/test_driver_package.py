"""Finding driver packages in folders, and the problems that prevent a catalog."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from catalogs.catalog import os_names
from catalogs.inf.problems import Severity
from catalogs.package.driver_package import read_packages, survey_packages
from signer.errors import FileError, PackageError
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, with_change, write_package

X64 = os_names.parse_list("10_X64")


def codes(folder: Path, names: str | None = "10_X64", today: datetime.date | None = None) -> list[str]:
    survey = survey_packages(folder, os_names.parse_list(names) if names else None, today=today)
    assert all(problem.message and problem.hint for problem in survey.problems)
    return [problem.code for problem in survey.problems]


def test_a_folder_with_an_inf_is_a_package(tmp_path: Path) -> None:
    inf = write_package(tmp_path)
    (package,) = read_packages(tmp_path, X64)
    assert package.infs == (inf,)
    assert package.catalog == tmp_path / "sample.cat"
    assert package.architecture == "any"
    assert [(file.name, file.relative.as_posix()) for file in package.files] == [
        ("sample.inf", "sample.inf"),
        ("sample.sys", "sample.sys"),
    ]
    assert package.hardware_ids == ("root\\sample", "root\\samplecompatible")
    assert package.os == X64
    assert not package.os_chosen


@pytest.mark.parametrize(
    ("present", "replaced"),
    [([], "sample.cat"), (["SAMPLE.Cat"], "SAMPLE.Cat"), (["SAMPLE.Cat", "sample.cat"], "sample.cat")],
    ids=["none", "other-case", "both"],
)
def test_an_existing_catalog_is_replaced_ignoring_the_case_of_its_name(
    tmp_path: Path, present: list[str], replaced: str
) -> None:
    write_package(tmp_path)
    for name in present:
        (tmp_path / name).write_bytes(b"old")
    (package,) = read_packages(tmp_path, X64)
    assert package.catalog == tmp_path / replaced


@pytest.mark.parametrize(
    ("sections", "lines"),
    [
        ("[A]\nNeeds = A\n", [2]),
        ("[A]\nNeeds = B, C\n[B]\nNeeds = C\n[C]\nNeeds = a\n", [6]),
        ("[A]\nInclude = sample.inf\nNeeds = A\n", [3]),
        ("[A]\nNeeds = B, C\n[B]\nNeeds = C\n[C]\n", []),
        ("[A]\nInclude = usb.inf\nNeeds = A\n", []),
        ("[A]\nNeeds = Gone\n", []),
        ("".join(f"[S{n}]\nNeeds = S{n + 1}\n" for n in range(5000)), []),
    ],
    ids=["itself", "three", "its-own-inf", "none", "another-inf", "missing", "long-chain"],
)
def test_circular_needs_are_an_error(tmp_path: Path, sections: str, lines: list[int]) -> None:
    before = write_package(tmp_path, BASE).read_bytes().count(b"\n")
    write_package(tmp_path, BASE + sections)
    found = [one for one in survey_packages(tmp_path, X64).errors if one.code == "circular-needs"]
    assert [(one.line or 0) - before for one in found] == lines


def test_a_package_can_be_given_as_its_inf(tmp_path: Path) -> None:
    inf = write_package(tmp_path)
    write_package(tmp_path, BASE.replace("ROOT\\Sample,", "ROOT\\Other,"), "other.sys", name="other.inf")
    (package,) = read_packages(inf, X64)
    assert package.hardware_ids == ("root\\sample", "root\\samplecompatible")


def test_the_default_releases_come_from_the_decorations(tmp_path: Path) -> None:
    write_package(tmp_path, BASE.replace("NTamd64", "NTamd64.10.0...19041"))
    (package,) = read_packages(tmp_path)
    assert package.os_chosen
    options = [name.option for name in package.os]
    assert options[:6] == ["10_VB_X64", "ServerFE_X64", "10_CO_X64", "10_NI_X64", "10_GE_X64", "Server2025_X64"]
    assert options[6:] == ["10_25H2_X64", "10_26H1_X64"]
    assert all(name.confirmed for name in package.os)


@pytest.mark.parametrize(
    ("decoration", "first", "last"),
    [
        ("NTamd64", "10_X64", "10_26H1_X64"),
        ("NTamd64.6.1", "7_X64", "10_26H1_X64"),
        ("NTamd64.6.1.3", "Server2008R2_X64", "Server2025_X64"),
        ("NTarm", "8_ARM", "6_3_ARM"),
        ("NTia64", "Server2003_IA64", "Server2008R2_IA64"),
        ("NTx86", "10_X86", "10_VB_X86"),
    ],
)
def test_old_releases_need_a_decoration_with_a_version(tmp_path: Path, decoration: str, first: str, last: str) -> None:
    write_package(tmp_path, BASE.replace("NTamd64", decoration))
    (package,) = survey_packages(tmp_path).packages
    assert (package.os[0].option, package.os[-1].option) == (first, last)


def test_case_on_disk_does_not_matter(tmp_path: Path) -> None:
    write_package(tmp_path, BASE.replace("sample.sys = 1", "SAMPLE.SYS = 1,X64"), "x64/Sample.Sys")
    (tmp_path / "x64").rename(tmp_path / "X64")
    (package,) = read_packages(tmp_path, X64)
    assert package.files[1].path == tmp_path / "X64" / "Sample.Sys"
    assert package.files[1].name == "sample.sys"


def test_infs_share_a_catalog_or_not(tmp_path: Path) -> None:
    write_package(tmp_path, name="a.inf")
    write_package(tmp_path, BASE.replace("ROOT\\Sample,", "ROOT\\B,"), name="B.inf")
    write_package(tmp_path, BASE.replace("sample.cat", "c.cat").replace("ROOT\\Sample,", "ROOT\\C,"), name="c.inf")
    shared, own = read_packages(tmp_path, X64)
    assert [path.name for path in shared.infs] == ["a.inf", "B.inf"]
    assert [file.name for file in shared.files] == ["a.inf", "b.inf", "sample.sys"]
    assert (own.catalog_name, [file.name for file in own.files]) == ("c.cat", ["c.inf", "sample.sys"])
    ids = ("root\\sample", "root\\samplecompatible", "root\\b", "root\\c")
    assert shared.hardware_ids == own.hardware_ids == ids, "each catalog has the IDs of the whole run"


def test_infs_are_in_the_order_in_which_windows_lists_them(tmp_path: Path) -> None:
    names = ["a_b.inf", "aB.inf", "b.inf", "sub/a.inf"]
    for number, name in enumerate(names):
        folder = tmp_path / Path(name).parent
        text = BASE.replace("ROOT\\Sample,", f"ROOT\\{number},").replace("sample.cat", f"{number}.cat")
        write_package(folder, text, name=Path(name).name)
    packages = read_packages(tmp_path, X64)
    assert [package.inf.relative_to(tmp_path).as_posix() for package in packages] == [
        "aB.inf",
        "a_b.inf",
        "b.inf",
        "sub/a.inf",
    ]
    assert [id_ for id_ in packages[0].hardware_ids if id_[-1].isdigit()] == [f"root\\{n}" for n in (1, 0, 2, 3)]
    assert packages[3].catalog == tmp_path / "sub" / "3.cat"


def test_hardware_ids_are_in_line_order_not_in_the_order_of_manufacturer(tmp_path: Path) -> None:
    """As in the catalog of a WLAN driver whose [Manufacturer] lists sections in another order than the INF."""
    text = with_change(
        ("%Vendor% = Models,NTamd64\n", "%Vendor% = Models,NTamd64\nOther = Early,NTamd64\n"),
        ("[Models.NTamd64]\n", "[Early.NTamd64]\nEarly = Device,ROOT\\Early\n[Models.NTamd64]\n"),
    )
    write_package(tmp_path, text)
    (package,) = read_packages(tmp_path, X64)
    assert package.hardware_ids == ("root\\early", "root\\sample", "root\\samplecompatible")


def test_the_leading_asterisk_is_not_in_the_catalog(tmp_path: Path) -> None:
    """As in the catalogs of a touch pad whose INF has *ETD0001 beside ACPI\\ETD0001."""
    write_package(tmp_path, with_change(("ROOT\\Sample,ROOT\\SampleCompatible", "*PNP0501,ACPI\\PNP0501,PNP0501")))
    (package,) = read_packages(tmp_path, X64)
    assert package.hardware_ids == ("pnp0501", "acpi\\pnp0501"), "without duplicates"


def test_a_file_listed_on_two_lines_is_two_members(tmp_path: Path) -> None:
    """As in two catalogs of a serial port driver with files for Windows XP and Windows 7. Windows uses the first."""
    text = with_change(("sample.sys = 1", "sample.sys = 1,old\nsample.sys = 1,new"))
    write_package(tmp_path, text, "old/sample.sys", "new/sample.sys")
    (tmp_path / "new/sample.sys").write_bytes(PeSpec(fill=0x90).build())
    (package,) = read_packages(tmp_path, X64)
    assert [file.relative.as_posix() for file in package.files] == ["sample.inf", "old/sample.sys", "new/sample.sys"]


def test_a_file_for_models_of_another_architecture_may_be_missing(tmp_path: Path) -> None:
    text = with_change(
        ("Models,NTamd64", "Models,NTamd64,NTx86"),
        ("[Sample.NT]\n", "[Models.NTx86]\n%Device% = Other,ROOT\\Other\n[Other]\n[Sample.NT]\n"),
        ("1 = %Disk%", "1 = %Disk%,,,x64\n[SourceDisksNames.x86]\n1 = %Disk%,,,x86"),
    )
    write_package(tmp_path, text, "x64/sample.sys")
    (package,) = read_packages(tmp_path, X64)
    assert [file.relative.as_posix() for file in package.files] == ["sample.inf", "x64/sample.sys"]
    (tmp_path / "x86").mkdir()
    (tmp_path / "x86/sample.sys").write_bytes(PeSpec("x86").build())
    (package,) = read_packages(tmp_path, X64)
    assert [file.relative.as_posix() for file in package.files][2:] == ["x86/sample.sys"]


def test_a_missing_file_on_an_undefined_disk_is_skipped_with_a_warning(tmp_path: Path) -> None:
    """As in three catalogs whose INF has a typing error in [SourceDisksNames.x86]."""
    write_package(tmp_path, with_change(("sample.sys = 1", "sample.sys = 2,sub")))
    survey = survey_packages(tmp_path, X64)
    assert [problem.code for problem in survey.problems] == ["unknown-disk"]
    assert not survey.errors
    assert [file.name for file in survey.packages[0].files] == ["sample.inf"]


def test_catalogs_by_architecture(tmp_path: Path) -> None:
    text = with_change(
        ("CatalogFile = sample.cat", "CatalogFile.NTamd64 = x64.cat\nCatalogFile.NTarm64 = arm64.cat"),
        ("Models,NTamd64", "Models,NTamd64,NTarm64"),
        ("[Models.NTamd64]", "[Models.NTarm64]\n%Device% = Sample,ROOT\\Sample\n[Models.NTamd64]"),
        ("[Sample.NT]\n", "[Sample.NTarm64]\nCopyFiles = Drivers\n[Sample.NT.X]\n[Sample.NTamd64]\n"),
        ("sample.sys = 1", "[SourceDisksFiles.amd64]\nsample.sys = 1\n[SourceDisksFiles.arm64]\nsample.sys = 1,arm64"),
    )
    write_package(tmp_path, text, "sample.sys")
    (tmp_path / "arm64").mkdir()
    (tmp_path / "arm64" / "sample.sys").write_bytes(PeSpec("arm64").build())
    x64, arm64 = read_packages(tmp_path, os_names.parse_list("10_VB_X64,10_VB_ARM64"))
    assert (x64.architecture, x64.catalog_name, os_names.tokens(x64.os)) == ("amd64", "x64.cat", "_v100_X64_Vb")
    assert (arm64.architecture, arm64.catalog_name) == ("arm64", "arm64.cat")
    assert [file.relative.as_posix() for file in arm64.files] == ["sample.inf", "arm64/sample.sys"]


ATTRIBUTES = """\
[SignatureAttributes]
Sample.sys = Attributes
[Attributes]
petrust = true
DRMLevel = 1300
[DestinationDirs]"""


def test_signature_attributes_belong_to_their_file(tmp_path: Path) -> None:
    text = with_change(("[DestinationDirs]", ATTRIBUTES))
    write_package(tmp_path, text)
    (package,) = read_packages(tmp_path, X64)
    inf, driver = package.files
    assert inf.attributes == ()
    assert [(each.name, each.value) for each in driver.attributes] == [("PETrust", "true"), ("DRMLevel", "1300")]


PROBLEMS = [
    ("no-catalog-file", ("CatalogFile = sample.cat\n", ""), ["22.9.4"]),
    ("catalog-of-another-architecture", ("CatalogFile = ", "CatalogFile.NTx86 = "), ["22.9.4"]),
    ("catalog-elsewhere", ("= sample.cat", "= ..\\sample.cat"), ["catalog-name"]),
    ("catalog-with-a-slash", ("= sample.cat", "= a/sample.cat"), ["catalog-name"]),
    ("catalog-without-a-name", ("= sample.cat", "= .cat"), ["catalog-name"]),
    ("catalog-without-its-suffix", ("= sample.cat", "= sample.sig"), ["catalog-name"]),
    ("no-date", ("DriverVer = 05/01/2024,1.2.3.4\n", ""), ["22.9.6"]),
    ("date-in-another-format", ("05/01/2024", "01.05.2024"), ["22.9.6"]),
    ("month-13", ("05/01/2024", "13/01/2024"), ["22.9.6"]),
    ("february-30", ("05/01/2024", "02/30/2024"), ["22.9.6"]),
    ("version-of-five-parts", ("1.2.3.4", "1.2.3.4.5"), ["22.9.6"]),
    ("version-too-large", ("1.2.3.4", "1.2.3.65536"), ["22.9.6"]),
    ("version-of-letters", ("1.2.3.4", "1.2.a.4"), ["22.9.6"]),
    ("date-in-the-future", ("05/01/2024", "05/03/2024"), ["22.9.7"]),
    ("date-of-today", ("05/01/2024", "05/02/2024"), []),
    ("date-too-old", ("05/01/2024", "04/20/2009"), ["22.9.7"]),
    ("not-in-source-disks-files", ("sample.sys = 1\n", ""), ["22.9.10"]),
    ("missing-file", ("sample.sys = 1", "sample.sys = 1,x64"), ["22.9.1"]),
    ("up-and-out", ("sample.sys = 1", "sample.sys = 1,..\\..\\etc"), ["outside-package"]),
    ("a-drive", ("sample.sys = 1", "sample.sys = 1,C:\\Windows"), ["outside-package"]),
    ("a-path-as-name", ("[Drivers]\nsample.sys", "[Drivers]\nsample.sys,..\\sample.sys"), ["22.9.10"]),
    ("missing-list", ("CopyFiles = Drivers", "CopyFiles = Drivers,Gone"), ["missing-section"]),
    ("missing-install", (" = Sample,ROOT", " = Gone,ROOT"), ["missing-section"]),
]


@pytest.mark.parametrize(("change", "expected"), [pytest.param(*case[1:], id=case[0]) for case in PROBLEMS])
def test_each_problem_is_reported_once(tmp_path: Path, change: tuple[str, str], expected: list[str]) -> None:
    write_package(tmp_path / "deep" / "folder", with_change(change))
    assert codes(tmp_path / "deep" / "folder", today=datetime.date(2024, 5, 2)) == expected


def test_the_earliest_date_for_windows_7(tmp_path: Path) -> None:
    """Windows 7's Inf2Cat rejects older dates; in 2016 a later one built com0com.cat for 7X64 and 10X64."""
    write_package(tmp_path, with_change(("05/01/2024", "04/20/2009")))
    assert codes(tmp_path, "Vista_X64") == []
    assert codes(tmp_path, "7_X64") == ["22.9.7"]
    (problem,) = survey_packages(tmp_path, os_names.parse_list("Vista_X64,7_X64,Server2008R2_X64")).errors
    assert "postdated to 4/21/2009 for newest OS" in problem.message
    survey = survey_packages(tmp_path, os_names.parse_list("7_X64,10_X64"))
    assert [problem.code for problem in survey.problems] == ["22.9.7"]
    assert not survey.errors
    write_package(tmp_path, with_change(("05/01/2024", "4-21-2009")))
    assert codes(tmp_path, "7_X64") == []


def test_inf2cats_messages(tmp_path: Path) -> None:
    write_package(tmp_path / "pkg", with_change(("CatalogFile = sample.cat\n", "")))
    (problem,) = survey_packages(tmp_path / "pkg", X64).problems
    assert problem.message == (
        "Missing AMD64 CatalogFile entry (CatalogFile.ntamd64, CatalogFile.nt, CatalogFile) from [Version] section in "
        "\\sample.inf"
    )
    write_package(tmp_path / "pkg", with_change(("sample.sys = 1", "sample.sys = 1,x")))
    (problem,) = survey_packages(tmp_path / "pkg", X64).problems
    assert problem.message == (
        "sample.sys in [Drivers] of pkg\\sample.inf is missing or cannot be decompressed from source media.  Please "
        "verify all path values specified in SourceDisksNames, SouceDisksFiles, and CopyFiles sections resolve to the "
        "actual location of the file, and are expressed in terms relative to the location of the inf."
    )
    assert problem.line == 29


def test_one_error_has_all_problems(tmp_path: Path) -> None:
    write_package(tmp_path, with_change(("05/01/2024", "2024"), ("sample.sys = 1\n", ""), ("= sample.cat", "= x")))
    (tmp_path / "broken.inf").write_bytes(b"\0\0")
    with pytest.raises(PackageError) as caught:
        read_packages(tmp_path, X64)
    assert [problem.code for problem in caught.value.problems] == ["inf", "22.9.6", "catalog-name"]


def test_a_single_problem_has_its_hint(tmp_path: Path) -> None:
    write_package(tmp_path, with_change(("CatalogFile = sample.cat\n", "")))
    with pytest.raises(PackageError, match=r"the catalog can't be built: 1 error: .*22\.9\.4") as caught:
        read_packages(tmp_path, X64)
    (problem,) = caught.value.problems
    assert problem.code == "22.9.4"
    assert "CatalogFile = sample.cat" in (problem.hint or "")


INBOX = [
    ("[Sample.NT]\n", "[Sample.NT]\nInclude = usb.inf\nNeeds = X\n"),
    ("Class =", "LayoutFile = x.inf\nClass ="),
]


@pytest.mark.parametrize("change", INBOX)
def test_files_of_windows_may_be_missing(tmp_path: Path, change: tuple[str, str]) -> None:
    write_package(tmp_path, with_change(change, ("sample.sys = 1\n", "")))
    assert codes(tmp_path) == []


def test_a_driver_must_be_for_the_target_architecture(tmp_path: Path) -> None:
    write_package(tmp_path)
    (tmp_path / "sample.sys").write_bytes(PeSpec("arm64").build())
    (problem,) = survey_packages(tmp_path, X64).problems
    assert (problem.code, problem.severity, problem.line) == ("wrong-architecture", Severity.ERROR, 29)
    assert problem.message == "sample.sys is built for arm64, but the INF installs it on amd64"


def test_an_image_that_is_not_a_service_may_be_for_another_architecture(tmp_path: Path) -> None:
    write_package(tmp_path, with_change(("ServiceBinary = %13%\\sample.sys", "ServiceBinary = %13%\\other.sys")))
    (tmp_path / "sample.sys").write_bytes(PeSpec("arm64").build())
    (problem,) = survey_packages(tmp_path, X64).problems
    assert (problem.code, problem.severity) == ("wrong-architecture", Severity.WARNING)


@pytest.mark.parametrize(
    ("service", "severity"), [("sample", Severity.ERROR), ("other", Severity.WARNING)], ids=["service", "other-file"]
)
def test_a_sys_file_that_is_not_an_image_is_reported(service: str, severity: Severity, tmp_path: Path) -> None:
    """An error for the binary of a service; a warning for another file named .sys."""
    change = ("ServiceBinary = %13%\\sample.sys", f"ServiceBinary = %13%\\{service}.sys")
    write_package(tmp_path, with_change(change) if service != "sample" else with_change())
    (tmp_path / "sample.sys").write_bytes(b"not yet built")
    (problem,) = survey_packages(tmp_path, X64).problems
    assert (problem.code, problem.severity) == ("no-image", severity)


def test_a_driver_that_cannot_be_hashed_is_reported(tmp_path: Path) -> None:
    write_package(tmp_path)
    (tmp_path / "sample.sys").write_bytes(PeSpec().build()[:0x90])
    assert codes(tmp_path) == ["image"]


def test_a_boot_start_driver_without_a_signature_is_reported(tmp_path: Path) -> None:
    write_package(tmp_path, with_change(("StartType = 3", "StartType = 0x0")))
    assert codes(tmp_path) == ["unsigned-image"]


def test_files_that_overwrite_each_other_are_reported(tmp_path: Path) -> None:
    text = with_change(
        ("[Drivers]\n", "[Drivers]\nsample.dll,one.dll\nsample.dll,two.dll\n"),
        ("sample.sys = 1", "sample.sys = 1\none.dll = 1\ntwo.dll = 1"),
    )
    write_package(tmp_path, text, "sample.sys", "one.dll", "two.dll")
    assert codes(tmp_path) == ["file-collision"]


def test_a_file_with_two_destinations_is_reported(tmp_path: Path) -> None:
    text = with_change(
        ("CopyFiles = Drivers", "CopyFiles = Drivers,More\n[More]\nsample.sys"),
        ("DefaultDestDir = 13", "DefaultDestDir = 13\nMore = 12"),
    )
    write_package(tmp_path, text)
    assert codes(tmp_path) == ["two-destinations"]


def test_files_of_windows_are_reported(tmp_path: Path) -> None:
    write_package(tmp_path, BASE, "sample.sys", "sub/D3D8.dll")
    survey = survey_packages(tmp_path, os_names.parse_list("XP_X64,Vista_X64"))
    assert [problem.message for problem in survey.problems] == [
        "Possible Windows XP/Windows Server 2003 file redistribution violation (\\sub\\D3D8.dll --> d3d8.dll). File not"
        " copied by installation inf so this is a warning only.",
        "Possible Windows Vista/Windows Server 2008 file redistribution violation (\\sub\\D3D8.dll --> d3d8.dll). File"
        " not copied by installation inf so this is a warning only.",
    ]
    assert {problem.severity for problem in survey.problems} == {Severity.WARNING}


def test_names_that_differ_only_in_case_are_rejected(tmp_path: Path) -> None:
    write_package(tmp_path, BASE, "sample.sys", "SAMPLE.sys")
    assert codes(tmp_path) == ["ambiguous-name"]


def test_a_link_that_leaves_the_package_is_rejected(tmp_path: Path) -> None:
    write_package(tmp_path / "package", BASE)
    (tmp_path / "package" / "sample.sys").rename(tmp_path / "sample.sys")
    (tmp_path / "package" / "sample.sys").symlink_to(tmp_path / "sample.sys")
    assert codes(tmp_path / "package") == ["outside-package"]


def test_a_folder_without_an_inf_is_reported(tmp_path: Path) -> None:
    assert codes(tmp_path) == ["no-inf"]
    (tmp_path / "autorun.inf").write_text("[AutoRun]\nopen=setup.exe\n")
    assert codes(tmp_path) == ["no-inf"]


def test_an_inf_without_version_is_reported(tmp_path: Path) -> None:
    write_package(tmp_path, BASE.replace("[Version]", "[Versions]"))
    assert codes(tmp_path) == ["missing-version", "22.9.4"]


def test_an_inf_for_no_release_is_reported(tmp_path: Path) -> None:
    write_package(tmp_path, BASE.replace("NTamd64", "NTamd64.11.0"))
    assert codes(tmp_path, None) == ["no-releases"]


def test_a_missing_path_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        read_packages(tmp_path / "gone.inf", X64)


def test_a_package_of_many_files_is_read_in_linear_time(tmp_path: Path) -> None:
    names = [f"file{number}.bin" for number in range(3000)]
    text = with_change(
        ("[Drivers]\n", "[Drivers]\n" + "\n".join(names) + "\n"),
        ("sample.sys = 1", "sample.sys = 1\n" + "\n".join(f"{name} = 1" for name in names)),
    )
    write_package(tmp_path, text, "sample.sys", *names)
    (package,) = read_packages(tmp_path, X64)
    assert len(package.files) == 3002


TAGS = [
    ("a tag file that does not exist", "1 = %Disk%,my.tag", "", True),
    ("a tag file beside the INF", "1 = %Disk%,my.tag", "my.tag", False),
    ("a tag file in the folder of the disk", "1 = %Disk%,my.tag,,\\x64", "x64/my.tag", False),
    ("a tag file in another folder", "1 = %Disk%,my.tag,,\\x64", "arm/my.tag", True),
    ("no tag file", "1 = %Disk%,,,", "", False),
    ("the catalog that is yet to be built", "1 = %Disk%,sample.cat", "", False),
    ("the tag file beside a cabinet", "1 = %Disk%,my.cab,,,0x10,my.tag", "", True),
    ("a sixth field without the flag", "1 = %Disk%,,,,,my.tag", "", False),
    ("a disk that no file uses", "1 = %Disk%\n2 = %Disk%,my.tag", "", False),
]


@pytest.mark.parametrize(("disk", "file", "warned"), [pytest.param(*case[1:], id=case[0]) for case in TAGS])
def test_a_missing_tag_file_is_a_warning(tmp_path: Path, disk: str, file: str, warned: bool) -> None:
    write_package(
        tmp_path, with_change(("1 = %Disk%", disk)), "sample.sys", "x64/sample.sys", *([file] if file else ())
    )
    found = [one.severity for one in survey_packages(tmp_path, X64).problems if one.code == "tag-file-missing"]
    assert found == ([Severity.WARNING] if warned else [])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\u200e05/\u200e01/\u200e2024,1.2.3.4", "'?05/?01/?2024,1.2.3.4' contains U+200E LEFT-TO-RIGHT MARK"),
        ("05/01/2024,1.2.3.\u0664", "'05/01/2024,1.2.3.?' contains U+0664 ARABIC-INDIC DIGIT FOUR"),
        ("\u0660\u0665/01/2024,1.2.3.4", "'??/01/2024,1.2.3.4' contains U+0660 ARABIC-INDIC DIGIT ZERO, U+0665"),
    ],
    ids=["marks in the date", "a digit of the version", "digits of the date"],
)
def test_characters_that_do_not_belong_into_driver_ver_are_named(tmp_path: Path, value: str, shown: str) -> None:
    path = write_package(tmp_path)
    path.write_bytes(b"\xff\xfe" + with_change(("05/01/2024,1.2.3.4", value)).encode("utf-16-le"))
    (error,) = survey_packages(tmp_path, X64).errors
    assert error.code == "22.9.6"
    assert shown in error.message


def test_an_inf_in_utf_8_garbles_the_names_of_files(tmp_path: Path) -> None:
    text = with_change(("[Drivers]\nsample.sys", "[Drivers]\nprüf.sys"), ("sample.sys = 1", "prüf.sys = 1"))
    path = write_package(tmp_path, text, "prüf.sys")
    assert not survey_packages(tmp_path, X64).problems
    path.write_bytes(text.encode())
    warning, error = survey_packages(tmp_path, X64).problems
    assert (warning.code, error.code) == ("utf-8-without-mark", "22.9.1")
    assert "'prüf.sys' as 'prÃ¼f.sys'" in warning.message
    assert error.hint is not None
    assert "save the INF as UTF-16 LE" in error.hint


def test_a_comment_in_utf_8_garbles_nothing(tmp_path: Path) -> None:
    path = write_package(tmp_path)
    path.write_bytes(b"; M\xc3\xbcller\n" + path.read_bytes())
    assert not survey_packages(tmp_path, X64).problems


def test_a_survey_to_verify_does_not_read_the_drivers(tmp_path: Path) -> None:
    """Verification gathers their evidence anyway, and judges it."""
    write_package(tmp_path)
    (tmp_path / "sample.sys").write_bytes(b"no image")
    assert [one.code for one in survey_packages(tmp_path, X64).problems] == ["no-image"]
    assert not survey_packages(tmp_path, X64, to_verify=True).problems
