"""Inventories without files: each documented form is read, joined by hash or by INF and version, and judged."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalogs.verification.query import VerifyQuery
from signer.audit.examine import Question
from signer.audit.inventories import InfNames, inventory_sightings
from signer.audit.inventory_entries import is_inventory, read_inventory
from signer.audit.inventory_values import Entry, iso_date, split_version
from signer.audit.ledger import Ledger
from signer.audit.rows import Row
from signer.errors import ConfigError
from signer.limits import LIMITS
from signer.policy.machine_state import MachineState
from signer.policy.si_policy.read import read_policy
from signer.policy.trust import Trust

NIC = Entry("oem12.inf", "oldnic.inf", "6.1.7600.0", "2009-06-21", "Old NIC Ltd.", "Old NIC", "Net")
FROM_WMI = Entry(
    "oem12.inf",
    "",
    "6.1.7600.0",
    "2009-06-21",
    "Old NIC Ltd.",
    "Old NIC",
    "NET",
    "pci\\ven_1111&dev_2222",
    ("Old NIC Adapter",),
    machine="PC-17",
)
CSV = """#TYPE Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_PnPSignedDriver
"PSComputerName","DeviceClass","DeviceName","DriverDate","DriverProviderName","DriverVersion","HardWareID","InfName",\
"IsSigned","Signer"
"PC-17","NET","Old NIC Adapter","6/21/2009 2:00:00 AM","Old NIC","6.1.7600.0","PCI\\VEN_1111&DEV_2222","oem12.inf",\
"True","Old NIC Ltd."
"PC-17","LEGACYDRIVER","A driver without an INF",,,,,,"False",
"""
WMI = {
    "PSComputerName": "PC-17",
    "DeviceClass": "NET",
    "DeviceName": "Old NIC Adapter",
    "DriverProviderName": "Old NIC",
    "DriverVersion": "6.1.7600.0",
    "HardWareID": "PCI\\VEN_1111&DEV_2222",
    "InfName": "oem12.inf",
    "IsSigned": True,
    "Signer": "Old NIC Ltd.",
    "CimClass": {"CimClassName": "Win32_PnPSignedDriver", "CimClassProperties": ["Caption = null"]},
}
PNPUTIL = """Microsoft PnP Utility

Published Name:     oem12.inf
Original Name:      oldnic.inf
Provider Name:      Old NIC
Class Name:         Net
Class GUID:         {4d36e972-e325-11ce-bfc1-08002be10318}
Driver Version:     06/21/2009 6.1.7600.0
Signer Name:        Old NIC Ltd.

"""
PNPUTIL_FILES = (
    PNPUTIL.rstrip()
    + """
Catalog File:       oldnic.cat
Driver Files:       oldnic.sys
                    oldnicui.dll

"""
)
GERMAN = """Microsoft-PnP-Dienstprogramm

Veröffentlichter Name:     oem12.inf
Originalname:      oldnic.inf
Anbietername:      Old NIC
Klassenname:         Net
Klassen-GUID:         {4d36e972-e325-11ce-bfc1-08002be10318}
Treiberversion:     21.06.2009 6.1.7600.0
Signaturgebername:      Old NIC Ltd.

"""
WINDOWS_7 = """Published name :            oem12.inf
Driver package provider :   Old NIC
Class :                     Net
Driver date and version :   06/21/2009 6.1.7600.0
Signer name :               Old NIC Ltd.

"""
XML = """<?xml version="1.0" encoding="utf-8"?>
<PnpUtil Version="10.0.26100" Command="/enum-drivers /devices /files /format xml">
    <Driver DriverName="oem12.inf">
        <OriginalName>oldnic.inf</OriginalName>
        <ProviderName>Old NIC</ProviderName>
        <ClassName>Net</ClassName>
        <DriverVersion>06/21/2009 6.1.7600.0</DriverVersion>
        <SignerName>Old NIC Ltd.</SignerName>
        <Files><File Name="oldnic.sys"></File></Files>
        <Devices><Device InstanceId="PCI\\1"><DeviceDescription>Old NIC Adapter</DeviceDescription></Device></Devices>
    </Driver>
</PnpUtil>"""
TABLE = """
DeviceName                     InfName       IsSigned Manufacturer
============================== ============= ======== =========================
Old NIC Adapter                oem12.inf     TRUE     Old NIC
Volume Manager
"""
LIST = """
DeviceName:   Old NIC Adapter
InfName:      oem12.inf
IsSigned:     TRUE
Manufacturer: Old NIC

"""
FROM_DRIVERQUERY = Entry("oem12.inf", provider="Old NIC", devices=("Old NIC Adapter",))
HASH = "ab" * 32

CASES: dict[str, tuple[str, Entry]] = {
    "Win32_PnPSignedDriver as CSV": (CSV, FROM_WMI),
    "CSV with semicolons, as -UseCulture writes it": (
        CSV.replace('","', '";"').replace('",,,,,,"', '";;;;;;"'),
        FROM_WMI,
    ),
    "Win32_PnPSignedDriver as JSON of Windows PowerShell": (
        json.dumps([WMI | {"DriverDate": "/Date(1245542400000)/"}]),
        FROM_WMI,
    ),
    "one object as JSON of PowerShell 7": (json.dumps(WMI | {"DriverDate": "2009-06-21T00:00:00Z"}), FROM_WMI),
    "a date of WMI": (json.dumps(WMI | {"DriverDate": "20090621000000.******+***"}), FROM_WMI),
    "pnputil as text": (PNPUTIL, NIC),
    "pnputil with files": (PNPUTIL_FILES, NIC),
    "pnputil in German": (GERMAN, NIC),
    "pnputil of Windows 7": (
        WINDOWS_7,
        Entry("oem12.inf", "", "6.1.7600.0", "2009-06-21", "Old NIC Ltd.", "Old NIC", "Net"),
    ),
    "pnputil as XML": (XML, replace(NIC, devices=("Old NIC Adapter",))),
    "driverquery as a table": (TABLE, FROM_DRIVERQUERY),
    "driverquery as a table in another language": (
        TABLE.replace("DeviceName  ", "Gerätename  ").replace("IsSigned", "Signiert").replace("InfName ", "INF-Name"),
        FROM_DRIVERQUERY,
    ),
    "driverquery as a list": (LIST, FROM_DRIVERQUERY),
    "driverquery as a list in another language": (
        LIST.replace("DeviceName:", "Gerätename:").replace("IsSigned:", "Signiert:").replace("InfName:", "INF-Name:"),
        FROM_DRIVERQUERY,
    ),
    "driverquery as CSV": (
        '"DeviceName","InfName","IsSigned","Manufacturer"\n"Old NIC Adapter","oem12.inf","TRUE","Old NIC"\n',
        FROM_DRIVERQUERY,
    ),
    "driverquery as CSV in another language": (
        '"Gerätename","INF-Name","Signiert","Hersteller"\n"Old NIC Adapter","oem12.inf","TRUE","Old NIC"\n',
        FROM_DRIVERQUERY,
    ),
    "Get-WindowsDriver": (
        '"Driver","OriginalFileName","Inbox","ClassName","ProviderName","Date","Version"\n"oem12.inf",'
        '"C:\\Windows\\System32\\DriverStore\\FileRepository\\oldnic.inf_amd64_1\\oldnic.inf","False","Net","Old NIC",'
        '"6/21/2009 12:00:00 AM","6.1.7600.0"\n',
        Entry("oem12.inf", "oldnic.inf", "6.1.7600.0", "2009-06-21", "", "Old NIC", "Net"),
    ),
    "Get-FileHash": (
        f'"Algorithm","Hash","Path"\n"SHA256","{HASH.upper()}","C:\\oldnic.sys"\n',
        Entry(path="C:\\oldnic.sys", hashes=(HASH,)),
    ),
    "an INF of Windows itself has its name on every machine": (
        '"DeviceName","InfName","DriverVersion"\n"CPU","cpu.inf","10.0.1.2"\n',
        Entry("cpu.inf", "cpu.inf", "10.0.1.2", devices=("CPU",)),
    ),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("text", "entry"), CASES.values(), ids=CASES.keys())
def test_each_form_is_read_in_each_encoding_of_powershell(text: str, entry: Entry, encoding: str) -> None:
    for newline in ("\n", "\r\n"):
        assert list(read_inventory(Path("x.csv"), [text.replace("\n", newline).encode(encoding)])) == [entry]


WRONG = {
    "empty": b"",
    "prose": b"What drivers do we have?\nMany.\n",
    "a table of other things": b'"Name","Size"\n"a","1"\n',
    "JSON of other things": b'{"a": {"b": 1}}',
    "damaged JSON": b'{"InfName": "oem1.inf", }',
    "damaged XML": b"<PnpUtil><Driver>",
    "XML with a document type": b'<!DOCTYPE x [<!ENTITY a "b">]><PnpUtil/>',
    "a binary file": bytes(range(256)),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG.keys())
def test_anything_else_is_an_error_with_a_hint(data: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        list(read_inventory(Path("x.csv"), [data]))
    assert "Win32_PnPSignedDriver" in (caught.value.hint or "")


DATES = {
    "6/21/2006 2:00:00 AM": "2006-06-21",
    "21/06/2006 02:00": "2006-06-21",
    "21.06.2006": "2006-06-21",
    "2006-06-21T00:00:00Z": "2006-06-21",
    "20060621000000.000000-000": "2006-06-21",
    "/Date(1150848000000)/": "2006-06-21",
    "13/13/2006": "",
    "2006-02-31": "",
    "yesterday": "",
}


@pytest.mark.parametrize(("text", "date"), DATES.items())
def test_dates_of_all_forms(text: str, date: str) -> None:
    assert iso_date(text) == date


def test_versions_have_four_numbers() -> None:
    assert split_version("06/21/2006 10.0.1") == ("2006-06-21", "10.0.1.0")
    assert split_version("1.02.3.4") == ("", "1.2.3.4")
    assert split_version("Old NIC 1.2") == ("", "")


def question(policy: str = "", **state: Any) -> Question:
    machine = MachineState(at=datetime(2026, 11, 1, tzinfo=UTC), **state)
    if policy:
        machine = MachineState(at=machine.at, block_list=read_policy(policy.encode()), **state)
    return Question(VerifyQuery("kernel", Trust.release(), machine))


def rows(*inventories: tuple[str, str], asked: Question | None = None) -> list[Row]:
    """Audit inventories, each a machine and a text."""
    names = InfNames()
    with Ledger() as ledger:
        for machine, text in inventories:
            for one in read_inventory(Path("x.csv"), [text.encode()]):
                names.learn(machine or one.machine, one)
        for machine, text in inventories:
            entries = read_inventory(Path("x.csv"), [text.encode()])
            ledger.add(inventory_sightings(Path("x.csv"), entries, machine, names, asked or question()))
        return list(ledger.rows())


def test_a_package_without_files_needs_them_and_says_how_to_get_them() -> None:
    (row,) = rows(("pc-17", PNPUTIL))
    assert (row.file, row.reason.answer, row.reason.origin, row.present) == (
        "oldnic.inf",
        "needs-file",
        "inventory",
        False,
    )
    assert "pnputil /export-driver" in row.reason.remedy
    assert (row.identity.version, row.identity.publisher, row.packages[0].date) == (
        "6.1.7600.0",
        "Old NIC Ltd.",
        "2009-06-21",
    )


def test_the_signer_that_windows_prints_proves_nothing() -> None:
    text = PNPUTIL.replace("Old NIC Ltd.", "Microsoft Windows Hardware Compatibility Publisher")
    assert [row.reason.answer for row in rows(("pc-17", text))] == ["needs-file"]


def test_inventories_of_one_machine_are_joined_by_the_original_name_of_the_inf() -> None:
    (row,) = rows(("pc-17", CSV), ("pc-17", PNPUTIL), ("pc-17", LIST))
    assert (row.file, row.devices, row.machines) == ("oldnic.inf", ("Old NIC Adapter",), ("pc-17",))


def test_equal_packages_of_machines_are_one_row_whatever_number_they_have_there() -> None:
    (row,) = rows(("pc-17", PNPUTIL), ("pc-18", PNPUTIL.replace("oem12.inf", "oem3.inf")))
    assert row.machines == ("pc-17", "pc-18")


def test_the_number_of_a_package_means_nothing_on_another_machine() -> None:
    assert len(rows(("pc-17", LIST), ("pc-18", LIST))) == 2


def test_another_version_is_another_driver() -> None:
    assert len(rows(("pc-17", PNPUTIL), ("pc-18", PNPUTIL.replace("6.1.7600.0", "7.0.0.0")))) == 2


DENIES = f"""<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><VersionEx>10.0.0.0</VersionEx>
<PlatformID>{{2E07F7E4-194C-4D20-B7C9-6F44A6C5A234}}</PlatformID><FileRules>
<Deny ID="ID_DENY_A" FriendlyName="x Hash Sha256" Hash="{HASH.upper()}"/></FileRules><Signers/>
<SigningScenarios><SigningScenario Value="131" ID="ID_SIGNINGSCENARIO_DRIVERS_1"><ProductSigners><FileRulesRef>
<FileRuleRef RuleID="ID_DENY_A"/></FileRulesRef></ProductSigners></SigningScenario></SigningScenarios></SiPolicy>"""
HASHES = f'"Authentihash","Path"\n"{HASH}","C:\\oldnic.sys"\n'


def test_a_hash_on_the_block_list_decides() -> None:
    (row,) = rows(("pc-17", HASHES), asked=question(DENIES, block_list_on=True))
    assert (row.reason.answer, row.reason.policy, row.reason.rule) == (
        "stops",
        "Microsoft's driver block list",
        "block-listed",
    )
    (row,) = rows(("pc-17", HASHES), asked=question(DENIES, block_list_on=False))
    assert row.reason.answer == "needs-file"
    (row,) = rows(("pc-17", HASHES.replace(HASH, "cd" * 32)), asked=question(DENIES, block_list_on=True))
    assert row.reason.answer == "needs-file"


def test_only_named_files_are_inventories(tmp_path: Path) -> None:
    (tmp_path / "a.CSV").write_text("x")
    (tmp_path / "b.json").mkdir()
    assert is_inventory(tmp_path / "a.CSV")
    assert not is_inventory(tmp_path / "b.json")
    assert not is_inventory(tmp_path / "c.sys")


HEADER = "DeviceName,InfName,DriverVersion\n"


def read_text(text: str) -> list[Entry]:
    return list(read_inventory(Path("x.csv"), [text.encode()]))


def short_rows(count: int) -> str:
    return "".join(f"d{number},oem{number}.inf,1.0\n" for number in range(count))


def test_an_inventory_of_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """10 MB of short rows took 24 seconds."""
    monkeypatch.setitem(LIMITS, "inventory-entries", 3)
    assert len(read_text(HEADER + short_rows(3))) == 3
    with pytest.raises(ConfigError, match="more than 3 entries") as caught:
        read_text(HEADER + short_rows(4))
    assert "DRVSIGN_LIMITS=inventory-entries=off" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "x\n" * 100,
        "x: y\n\n" * 100,
        "[" + '{"a": 1},' * 100 + "{}]",
        "<PnpUtil>" + '<Driver a="1"/>' * 100 + "</PnpUtil>",
    ],
    ids=["rows", "blocks", "objects", "elements"],
)
def test_an_inventory_beyond_its_budget_is_refused_and_not_cut(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of a text behind the first 220,000 were left out without a word."""
    monkeypatch.setitem(LIMITS, "log-work", 50)
    with pytest.raises(ConfigError, match="more lines and objects than real ones") as caught:
        read_text(text)
    assert "DRVSIGN_LIMITS=log-work=off" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<PnpUtil>" + "<a>" * 32 + "</a>" * 32 + "</PnpUtil>", "more than 32 levels"),
        ('[{"DeviceName": "d", "InfName": "oem1.inf"}, {"a": ', "a JSON object has no end"),
        (f'<PnpUtil a="{"x" * 70_000}"/>', "more lines and objects"),
    ],
    ids=["levels", "truncated", "long-tag"],
)
def test_a_damaged_inventory_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_text(text)


@pytest.mark.parametrize(("columns", "devices"), [(99, ("Device",)), (100, ())], ids=["read", "too many"])
def test_a_ruler_has_a_limit_of_columns(columns: int, devices: tuple[str, ...]) -> None:
    """Each line of a table takes as long as its ruler has columns."""
    first, last = ("InfName", "=======", "a.inf  "), ("DeviceName", "==========", "Device")
    rows = [(one,) * columns + (other,) for one, other in zip(first, last, strict=True)]
    (found,) = read_inventory(Path("a.txt"), ["\n".join(map(" ".join, rows)).encode()])
    assert (found.published, found.devices) == ("a.inf", devices)
