"""InfVerif's rules: a valid INF, and INFs with one problem each."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Severity
from catalogs.inf.rules import check
from tests.support.files import corpus_files, corpus_id
from tests.support.inf_files import BASE, with_change

E, W = Severity.ERROR, Severity.WARNING
END = 'Disk = "Sample Disk"\n'


def problems_of(text: str, name: str = "sample.inf") -> list[tuple[str, int | None, Severity]]:
    problems = check(DriverInf.parse(text.encode("cp1252"), Path(name)))
    assert all(problem.message and problem.hint for problem in problems)
    return [(problem.code, problem.line, problem.severity) for problem in problems]


def test_the_base_inf_has_no_problem() -> None:
    assert problems_of(BASE) == []


ONE_PROBLEM = [
    ("no-services", ("[Sample.NT.Services]\nAddService = Sample,2,Service\n", ""), ("1296", 14, E)),
    ("no-error-control", ("ErrorControl = 1\n", ""), ("1234", 22, E)),
    ("no-signature", ('Signature = "$Windows NT$"\n', ""), ("1001", 1, E)),
    ("signature-of-windows-95", ("$Windows NT$", "$Chicago$"), ("1001", 1, W)),
    ("provider-microsoft", ('"Sample Vendor"', '"Microsoft"'), ("1204", 5, E)),
    ("no-provider", ("Provider = %Vendor%\n", ""), ("missing-provider", 1, E)),
    ("no-pnp-lockdown", ("PnpLockdown = 1\n", ""), ("1324", 1, W)),
    ("version-of-three-parts", ("1.2.3.4", "1.2.3"), ("1217", 6, W)),
    ("class-with-another-guid", ("{4d36e97d", "{4d36e972"), ("1280", 4, E)),
    ("guid-with-another-class", ("Class = System", "Class = Sample"), ("1281", 4, E)),
    ("no-class", ("ClassGuid = {4d36e97d-e325-11ce-bfc1-08002be10318}\n", ""), ("missing-class", 1, E)),
    ("class-installer-of-a-known-class", (END, END + "[ClassInstall32]\n"), ("1285", 44, E)),
    ("no-such-decoration", ("Models,NTamd64", "Models,NTamd64,NTx64"), ("1287", 11, E)),
    ("decoration-with-a-product-type-of-9", ("Models,NTamd64", "Models,NTamd64,NTx86.10.0.9"), ("1287", 11, E)),
    ("no-models-section", ("Models,NTamd64", "Models,NTamd64,NTx86"), ("1203", 11, E)),
    ("no-devices", (",ROOT\\Sample,ROOT\\SampleCompatible", ""), ("1297", 10, E)),
    ("both-kinds-of-driver", (END, END + "[DefaultInstall.NTamd64]\n"), ("1212", 44, E)),
    ("missing-list", ("CopyFiles = Drivers", "CopyFiles = Drivers,sample.sys"), ("1203", 17, E)),
    ("missing-service-section", ("Sample,2,Service\n", "Sample,2,Services\n"), ("1203", 20, E)),
    ("list-for-two-directives", ("CopyFiles = Drivers", "CopyFiles = Drivers\nDelFiles = Drivers"), ("1205", 29, W)),
    ("section-of-an-included-inf", ("CopyFiles = ", "Include = a.inf\nCopyFiles = Other,"), ("1220", 18, W)),
    ("section-twice", (END, END + "[Service]\n"), ("1209", 44, W)),
    ("string-undefined", ("[Drivers]", "[Drivers]\n%Other%.sys"), ("1235", 29, E)),
    ("own-catalog-listed", ("sample.sys = 1", "sample.sys = 1\nSAMPLE.CAT = 1"), ("1213", 36, E)),
    ("other-catalog-listed", ("sample.sys = 1", "sample.sys = 1\nother.cat = 1"), ("1213", 36, W)),
    ("no-such-disk", ("sample.sys = 1", "sample.sys = 2"), ("1273", 35, E)),
    ("template-not-stamped", ("Models,NTamd64", "Models,NTamd64,NT$ARCH$"), ("1274", 11, E)),
    ("co-installers", (END, END + "[Sample.NT.CoInstallers]\n"), ("1300", 44, W)),
    ("log-config", ("CopyFiles = ", "LogConfig = Drivers\nCopyFiles = "), ("1300", 17, W)),
    (
        "co-installer-in-the-registry",
        ("CopyFiles = Drivers", "AddReg = R\n[R]\nHKR,,CoInstallers32,,x"),
        ("1303", 19, W),
    ),
    ("registry-of-the-machine", ("CopyFiles = Drivers", "AddReg = R\n[R]\nHKLM,x,y,,z"), ("1304", 19, W)),
    ("program-files", ("DefaultDestDir = 13", "DefaultDestDir = 16422"), ("1306", 38, W)),
    ("field-too-long", ("[Drivers]", "[Drivers]\n" + "x" * 4096), ("long-field", 29, W)),
]


@pytest.mark.parametrize(("change", "expected"), [pytest.param(*case[1:], id=case[0]) for case in ONE_PROBLEM])
def test_each_problem_is_reported_with_its_line(change: tuple[str, str], expected: tuple[str, int, Severity]) -> None:
    found = problems_of(with_change(change))
    assert expected in found
    assert {code for code, _, _ in found} <= {expected[0], "1205"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"\xef\xbb\xbf" + BASE.encode(), "1003", id="utf-8"),
        pytest.param(b"\xfe\xff" + BASE.encode("utf-16-be"), "1003", id="utf-16-be"),
        pytest.param(BASE.encode("utf-16-le"), "1003", id="utf-16-without-mark"),
        pytest.param(BASE.replace('Disk"', 'Disk ü"').encode(), "utf-8-without-mark", id="utf-8-without-mark"),
        pytest.param(b"\xff\xfe" + BASE.encode("utf-16-le"), None, id="utf-16"),
        pytest.param(BASE.replace('Disk"', 'Disk ü"').encode("cp1252"), None, id="ansi"),
    ],
)
def test_encodings_that_windows_does_not_read_are_reported(data: bytes, code: str | None) -> None:
    found = [problem.code for problem in check(DriverInf.parse(data, Path("sample.inf")))]
    assert found == ([] if code is None else [code])


HEAD = BASE[: BASE.index("[Manufacturer]")].replace("%Vendor%", "x").replace("PnpLockdown = 1\n", "")


def test_primitive_drivers_get_infverifs_messages() -> None:
    text = HEAD + "[DefaultInstall]\nCopyFiles = @a.sys\n[DefaultUninstall]\n"
    problems = check(DriverInf.parse(text.encode(), Path("cdo.inf")))
    assert [(problem.code, problem.message) for problem in problems] == [
        ("1420", "[DefaultInstall]-based INF cannot be processed as Primitive."),
        (
            "1324",
            "[Version] section should specify PnpLockdown=1 to prevent external apps from modifying installed driver"
            " files.",
        ),
        ("1421", "Section [DefaultInstall] should have an architecture decoration."),
        ("1421", "Section [DefaultUninstall] should have an architecture decoration."),
    ]


def test_a_template_may_contain_stampinf_variables() -> None:
    text = with_change(("Models,NTamd64\n", "Models,NT$ARCH$\n"), ("[Models.NTamd64]", "[Models.NT$ARCH$]"))
    assert problems_of(text, "sample.inx") == []


REAL = corpus_files("infs/*.[iI][nN][fFxX]")


@pytest.mark.parametrize("path", [path for path in REAL if "autorun" not in path.name], ids=corpus_id)
def test_microsofts_samples_have_only_known_problems(path: Path) -> None:
    """The known problems are real: Microsoft as the provider, legacy operations, and StampInf templates."""
    known = {"1001", "1204", "1209", "1217", "1274", "1300", "1303", "1304", "1306", "1324", "utf-8-without-mark"}
    assert {problem.code for problem in check(DriverInf.read(path))} <= known
