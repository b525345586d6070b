"""Faults of an INF that stop SetupAPI, each with the case beside it that installs."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.catalog.target_os import os_of
from catalogs.inf.driver import DriverInf
from catalogs.verification.inf_faults import infverif_faults, stopping_faults
from signer.policy.inf_faults import InfFault
from signer.policy.targets import Target
from tests.support.inf_files import BASE, with_change

X64 = "win11-24h2-x64"
SERVICES = "[Sample.NT.Services]\nAddService = Sample,2,Service\n"
SYSTEM = "Class = System\nClassGuid = {4d36e97d-e325-11ce-bfc1-08002be10318}"
MONITOR = "Class = Monitor\nClassGuid = {4d36e96e-e325-11ce-bfc1-08002be10318}"
VENDOR = "Class = Ours\nClassGuid = {12345678-e325-11ce-bfc1-08002be10318}"
ADD = "AddService = Sample,2,Service"
X86_ONLY = (
    ("%Vendor% = Models,NTamd64", "%Vendor% = Models,NTamd64,NTx86"),
    (
        "[Sample.NT]\n",
        "[Models.NTx86]\n%Device% = Missing,ROOT\\Sample\n\n[Sample.NT]\n",
    ),
)
UNDECORATED = (
    ("[Manufacturer]\n%Vendor% = Models,NTamd64\n\n[Models.NTamd64]\n", ""),
    ("%Device% = Sample,ROOT\\Sample,ROOT\\SampleCompatible\n\n[Sample.NT]\n", "[{name}]\n"),
    ("[Sample.NT.Services]", "[{name}.Services]"),
)

CASES = [
    ("a package in order", (), []),
    ("no Signature", (('Signature = "$Windows NT$"\n', ""),), ["inf-signature"]),
    ("another Signature", (("$Windows NT$", "$Linux$"),), ["inf-signature"]),
    ("Signature of Windows 95", (("$Windows NT$", "$CHICAGO$"),), []),
    ("the install section does not exist", (("[Sample.NT]\n", "[Simple.NT]\n"),), ["inf-install-section"]),
    (
        "the install section is for another architecture",
        (("[Sample.NT]\n", "[Sample.NTx86]\n"),),
        ["inf-install-section"],
    ),
    ("only another architecture lacks its install section", X86_ONLY, []),
    ("no .Services section", ((SERVICES, ""),), ["inf-services"]),
    (".Services without the decoration", (("[Sample.NT.Services]", "[Sample.Services]"),), ["inf-services"]),
    ("no .Services section for a monitor", ((SERVICES, ""), (SYSTEM, MONITOR)), []),
    ("no .Services section in a vendor's class", ((SERVICES, ""), (SYSTEM, VENDOR)), []),
    (
        "no .Services section, and another INF is used",
        ((SERVICES, ""), ("CopyFiles = Drivers\n", "CopyFiles = Drivers\nInclude = usb.inf\nNeeds = Usb.NT\n")),
        [],
    ),
    ("AddService names a missing section", ((ADD, "AddService = Sample,2,Typo"),), ["inf-service-section"]),
    ("AddService names no section", ((ADD, "AddService = Sample,2"),), ["inf-service-section"]),
    ("a null driver", ((ADD, "AddService = ,2"),), []),
    ("the service section is in an included INF", ((ADD, "Include = usb.inf\nAddService = Sample,2,Typo"),), []),
    ("no ServiceBinary", (("ServiceBinary = %13%\\sample.sys\n", ""),), ["inf-service-section"]),
    ("no StartType", (("StartType = 3\n", ""),), ["inf-service-section"]),
    ("an undecorated DefaultInstall", UNDECORATED, ["primitive-driver"]),
]


def faults_on_x64(found: DriverInf) -> list[InfFault]:
    return list(stopping_faults(found, found.lookup.on(os_of(Target.parse(X64)))))


def driver(text: str) -> DriverInf:
    return DriverInf.parse(text.encode(), Path("sample.inf"))


@pytest.mark.parametrize(("changes", "rules"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_fault_stops_the_installation(changes: tuple[tuple[str, str], ...], rules: list[str]) -> None:
    text = with_change(*((old, new.replace("{name}", "DefaultInstall")) for old, new in changes))
    assert [one.rule for one in faults_on_x64(driver(text))] == rules


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        pytest.param(CASES[2][1], "[Version]", id="Signature: the section"),
        pytest.param(CASES[4][1], "%Device% =", id="a missing install section: the model that names it"),
        pytest.param(CASES[7][1], "[Sample.NT]", id="missing services: the install section"),
        pytest.param(CASES[12][1], "AddService", id="a missing service section: the directive"),
        pytest.param(CASES[-1][1], "[DefaultInstall]", id="not a primitive driver: the section"),
    ],
)
def test_a_fault_points_to_its_line(changes: tuple[tuple[str, str], ...], line: str) -> None:
    text = with_change(*((old, new.replace("{name}", "DefaultInstall")) for old, new in changes))
    (fault,) = faults_on_x64(driver(text))
    assert fault.place is not None
    assert (fault.place.path, text.splitlines()[fault.place.line - 1][: len(line)]) == (Path("sample.inf"), line)


def test_a_decorated_default_install_is_a_primitive_driver() -> None:
    text = with_change(*((old, new.replace("{name}", "DefaultInstall.NTamd64")) for old, new in UNDECORATED))
    assert list(faults_on_x64(driver(text))) == []


@pytest.mark.parametrize(
    ("encoding", "rules"),
    [("utf-16-be", ["inf-encoding"]), ("utf-16-le", [])],
)
def test_windows_does_not_read_utf_16_be(encoding: str, rules: list[str]) -> None:
    data = ("\ufeff" + BASE).encode(encoding)
    found = DriverInf.parse(data, Path("sample.inf"))
    assert [one.rule for one in faults_on_x64(found)] == rules


def test_infverif_errors_are_counted_once() -> None:
    text = with_change(("Provider = %Vendor%", "Provider = Microsoft"), ("%Disk%", "%Undefined%"))
    (fault,) = infverif_faults(driver(text))
    assert "1204, 1235" in fault.message
    assert list(infverif_faults(driver(BASE))) == []


def test_many_faults_of_a_kind_are_counted() -> None:
    models = "\n".join(f"%Device% = Missing{number},ROOT\\Sample{number}" for number in range(1000))
    text = with_change(("%Device% = Sample,ROOT\\Sample,ROOT\\SampleCompatible", models))
    *named, last = faults_on_x64(driver(text))
    assert [one.rule for one in named] == ["inf-install-section"] * 5
    assert "995 more" in last.message
