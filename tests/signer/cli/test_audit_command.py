"""`drvsign audit` on the command line: answers, tables, machines, reports and exit codes."""

from __future__ import annotations

import csv
import json
import os
import zipfile
from pathlib import Path

import pytest

from signer.audit.rows import ANSWERS, COLUMNS
from tests.signer.audit.test_logs import SHA256, fields, xml
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import drvsign


@pytest.fixture
def store(work: Path) -> Path:
    """A folder with an unsigned driver in a package, a copy of it, a user-mode image, and a damaged file."""
    folder = work / "store"
    (folder / "hello").mkdir(parents=True)
    (folder / "hello" / "hello.inf").write_text(HELLO)
    (folder / "hello" / "hello.sys").write_bytes(PeSpec().build())
    (folder / "copy.sys").write_bytes(PeSpec().build())
    (folder / "tool.dll").write_bytes(PeSpec(subsystem=2, fill=7).build())
    (folder / "broken.sys").write_bytes(b"MZ" + bytes(200))
    return folder


def test_the_document_has_a_row_for_each_distinct_driver(store: Path) -> None:
    ran = drvsign("audit", "store", "--json")
    document = json.loads(ran.stdout)
    rows = {Path(row["file"]).name: row for row in document["drivers"]}
    assert (ran.code, document["schema"]) == (0, "drvsign.audit/1")
    assert sum(document["counts"].values()) == len(rows) == 3
    assert {name: row["answer"] for name, row in rows.items()} == {
        "copy.sys": "already-refused",
        "broken.sys": "needs-file",
        "tool.dll": "not-a-driver",
    }
    driver = rows["copy.sys"]
    assert set(driver) == set(COLUMNS)
    assert driver["paths"] == [os.path.join("store", *parts) for parts in (("copy.sys",), ("hello", "hello.sys"))]  # noqa: PTH118
    assert driver["packages"][0]["inf"].endswith("hello.inf")
    assert driver["hardware_ids"]
    assert driver["rule"] and driver["source"] and driver["remedy"]


def test_a_test_signed_driver_loads_on_a_test_machine(work: Path) -> None:
    (work / "toaster.sys").write_bytes(PeSpec().build())
    assert drvsign("sign", "toaster.sys").code == 0
    (row,) = json.loads(drvsign("audit", "toaster.sys", "--test-machine", "--json").stdout)["drivers"]
    assert (row["answer"], row["class"]) == ("loads", "test")
    assert row["publisher"] and row["issued"]


def test_machines_are_merged(store: Path) -> None:
    named = ("--machine", "pc-1=store/hello", "--machine", "pc-2=store/copy.sys")
    (row,) = json.loads(drvsign("audit", *named, "--json").stdout)["drivers"]
    assert row["machines"] == ["pc-1", "pc-2"]


def test_a_csv_table_has_the_columns_and_no_formulas(store: Path, work: Path) -> None:
    (work / "=cmd.sys").write_bytes(PeSpec(fill=9).build())
    assert drvsign("audit", "store", "=cmd.sys", "--output", "fleet.csv").code == 0
    with (work / "fleet.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 5
    assert not any(cell.startswith("=") for row in rows for cell in row)
    assert {row[COLUMNS.index("answers")] for row in rows[1:]} <= set(ANSWERS)


def test_a_json_table_is_a_baseline(store: Path, work: Path) -> None:
    assert drvsign("audit", "store", "--output", "old.json").code == 0
    (store / "copy.sys").unlink()
    (store / "hello" / "hello.sys").write_bytes(PeSpec(fill=11).build())
    ran = drvsign("audit", "store", "--baseline", "old.json", "--json")
    changes = [(one["change"], one["was"], one["now"]) for one in json.loads(ran.stdout)["changes"]]
    assert changes == [("new", None, "already-refused"), ("gone", "already-refused", None)]
    text = drvsign("audit", "store", "--baseline", "old.json").stdout
    assert "\n\nSince the earlier audit: 1 new, 1 gone." in text
    assert "\n\n\n" not in text


def test_the_text_lists_what_matters_and_counts_the_rest(store: Path) -> None:
    ran = drvsign("audit", "store")
    assert "broken.sys" in ran.stdout and "copy.sys" not in ran.stdout
    assert "1 needs a readable file, 1 file is never loaded by the kernel" in ran.stdout
    assert "copy.sys" in drvsign("audit", "store", "-v").stdout


def test_a_report_names_each_driver_that_does_not_load(store: Path, work: Path) -> None:
    assert drvsign("audit", "store", "--report", "sarif=audit.sarif").code == 0
    results = json.loads((work / "audit.sarif").read_text())["runs"][0]["results"]
    assert any("broken.sys" in json.dumps(one) for one in results)


WRONG = {
    "nothing": ((), 2, "nothing to audit"),
    "a missing path": (("missing",), 3, "not found"),
    "an unnamed machine": (("--machine", "store"), 2, "NAME=PATH"),
    "an unknown table": (("store", "--output", "x.xls"), 2, ".csv"),
    "a table in a missing folder": (
        ("store", "--output", "missing/x.csv"),
        3,
        "the table can't be written: its folder",
    ),
    "a report in place of the table": (("store", "-o", "x.csv", "--report", "html=./x.csv"), 2, "two results"),
    "a policy in place of the table": (("store", "-o", "x.csv", "--policy-xml", "x.csv"), 2, "two results"),
    "a wrong target": (("store", "--target", "win12"), 2, "win12"),
    "a baseline of another kind": (("store", "--baseline", "store/hello/hello.inf"), 3, "not the JSON of an audit"),
}


@pytest.mark.parametrize(("arguments", "code", "text"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_call_says_what_to_do(store: Path, arguments: tuple[str, ...], code: int, text: str) -> None:
    ran = drvsign("audit", *arguments)
    assert ran.code == code
    assert text in ran.stderr and "hint:" in ran.stderr


def test_every_answer_has_a_place_in_the_document(store: Path) -> None:
    document = json.loads(drvsign("audit", "store", "--json").stdout)
    assert tuple(document["counts"]) == ANSWERS


def test_a_parquet_table_has_the_columns_with_lists(store: Path, work: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    assert drvsign("audit", "store", "--output", "fleet.parquet").code == 0
    table = parquet.read_table(work / "fleet.parquet").to_pylist()
    assert tuple(table[0]) == COLUMNS
    assert [len(row["paths"]) for row in table if row["answer"] == "already-refused"] == [2]


def test_a_log_overrules_the_file_and_names_files_that_are_not_here(store: Path, work: Path) -> None:
    digest = json.loads(drvsign("audit", "store/copy.sys", "--json").stdout)["drivers"][0]["authentihash"]
    own = fields() | {"SHA256 Hash": digest.upper(), "SHA1 Hash": ""}
    (work / "ci.xml").write_text(f"{xml(3077, own)}\n{xml(3077, fields())}")
    ran = drvsign("audit", "store/copy.sys", "--log", "ci.xml", "--json")
    rows = {row["authentihash"]: row for row in json.loads(ran.stdout)["drivers"]}
    assert ran.code == 1
    here, away = rows[digest], rows[SHA256.lower()]
    assert (here["answer"], here["origin"], here["present"], here["events"][0]["id"]) == ("stops", "log", True, 3077)
    assert (away["answer"], away["present"], away["machines"]) == ("stops", False, ["pc-17.corp.example"])
    text = drvsign("audit", "store/copy.sys", "--log", "ci.xml").stdout
    assert "the file is not here" in text and "event 3077" in text


def test_a_log_without_such_events_is_said(store: Path, work: Path) -> None:
    (work / "ci.xml").write_text(xml(3099, fields()))
    ran = drvsign("audit", "store/copy.sys", "--log", "ci.xml")
    assert (ran.code, "ci.xml: no event 3076 or 3077" in ran.stderr) == (0, True)


def test_an_inventory_adds_its_machine_to_the_drivers_of_its_packages(store: Path, work: Path) -> None:
    inf = (store / "hello" / "hello.inf").read_text()
    version = next(line for line in inf.splitlines() if line.startswith("DriverVer")).rpartition(",")[2].strip()
    lines = ("Microsoft PnP Utility", "", "Published Name: oem3.inf", "Original Name: HELLO.inf", "Provider Name: Us")
    text = "\n".join((*lines, "Class Name: System", f"Driver Version: 06/21/2009 {version}", "Signer Name: Us", ""))
    (work / "pc-9.txt").write_bytes(b"\xff\xfe" + text.encode("utf-16-le"))
    ran = drvsign("audit", "--machine", "pc-1=store", "--machine", "pc-9=pc-9.txt", "--json")
    (row,) = [one for one in json.loads(ran.stdout)["drivers"] if one["answer"] == "already-refused"]
    assert (row["machines"], row["present"]) == (["pc-1", "pc-9"], True)
    assert [one["machine"] for one in row["answers"]] == ["pc-1", "pc-9"]
    alone = drvsign("audit", "pc-9.txt")
    assert "HELLO.inf" in alone.stdout and "pnputil /export-driver" in alone.stdout


def test_a_text_that_is_no_inventory_is_an_error(store: Path, work: Path) -> None:
    (work / "notes.txt").write_text("nothing\n")
    ran = drvsign("audit", "store", "notes.txt")
    assert (ran.code, "not an inventory" in ran.stderr, "hint:" in ran.stderr) == (3, True, True)


def test_an_archive_is_examined_again_when_it_changes(store: Path, work: Path) -> None:
    def make(*names: str) -> None:
        with zipfile.ZipFile(work / "x.zip", "w") as archive:
            for name in names:
                archive.write(store / name, name)

    make("copy.sys")
    first = json.loads(drvsign("audit", "x.zip", "--json").stdout)["drivers"]
    assert [row["file"] for row in first] == [str(Path("x.zip", "copy.sys"))]
    assert json.loads(drvsign("audit", "x.zip", "--json").stdout)["drivers"] == first
    make("copy.sys", "tool.dll")
    assert len(json.loads(drvsign("audit", "x.zip", "--json").stdout)["drivers"]) == 2


def test_a_log_alone_is_audited(work: Path) -> None:
    (work / "ci.xml").write_text(xml(3077, fields()))
    ran = drvsign("audit", "--log", "ci.xml", "--json")
    assert (ran.code, [row["answer"] for row in json.loads(ran.stdout)["drivers"]]) == (1, ["stops"])


def test_a_log_is_read_from_the_standard_input(work: Path) -> None:
    ran = drvsign("audit", "--log", "-", "--json", stdin=xml(3077, fields()).encode())
    assert (ran.code, [row["answer"] for row in json.loads(ran.stdout)["drivers"]]) == (1, ["stops"])


@pytest.mark.parametrize("data", [b"PK\3\4", b"MSCF", b"Path,SHA256\r\n", b"[Version]\r\n"])
def test_a_standard_input_that_is_not_an_image_is_refused(work: Path, data: bytes) -> None:
    """Archives and inventories have suffixes, which the standard input lacks."""
    ran = drvsign("audit", "-", stdin=data)
    assert (ran.code, ran.errors) == (3, ["error: -: the standard input is not an image"])


def test_two_inputs_from_the_standard_input_are_refused(work: Path) -> None:
    assert drvsign("audit", "--log", "-", "--baseline", "-", stdin=b"{}").code == 2


def test_an_audit_that_left_out_each_driver_of_an_archive_fails(work: Path) -> None:
    with zipfile.ZipFile(work / "x.zip", "w") as archive:
        archive.writestr("CON\x1b.sys", b"MZ")
    ran = drvsign("audit", "x.zip")
    assert ran.code == 3
    assert "CON\\x1b.sys" in ran.stdout
    assert "Not examined: its path has the character" in " ".join(ran.stdout.split())


def test_a_log_of_a_machine_that_the_call_does_not_name_is_said(store: Path, work: Path) -> None:
    (work / "ci.xml").write_text(xml(3077, fields()))
    ran = drvsign("audit", "--machine", "pc-1=store", "--log", "ci.xml")
    assert "events of pc-17.corp.example, which no --machine names" in ran.stderr
    assert "no --machine" not in drvsign("audit", "--machine", "pc-17=store", "--log", "ci.xml").stderr


INVENTORY = '"DeviceName","InfName","DriverVersion"\n"Toaster","toaster.inf","{}"\n'
OFF = "secure-boot = true"
STATES = {
    "both are in the state of the call": ("", "", [["pc-1", "loads"], ["pc-2", "loads"]]),
    "the listed machine refuses it": ("", OFF, [["pc-2", "already-refused"], ["pc-1", "loads"]]),
    "the machine with the file refuses it": (OFF, "", [["pc-1", "already-refused"], ["pc-2", "loads"]]),
    "both refuse it": (OFF, OFF, [["pc-1", "already-refused"], ["pc-2", "already-refused"]]),
}


@pytest.mark.parametrize(("first", "second", "answers"), STATES.values(), ids=STATES.keys())
def test_a_machine_with_an_inventory_alone_judges_files_elsewhere_with_its_own_state(
    work: Path, first: str, second: str, answers: list[list[str]]
) -> None:
    (work / "pc-1").mkdir()
    inf = HELLO.replace("hello", "toaster")
    (work / "pc-1" / "toaster.inf").write_text(inf)
    (work / "pc-1" / "toaster.sys").write_bytes(PeSpec().build())
    assert drvsign("package", "pc-1", "--os", "10_X64").code == 0
    version = inf.partition("DriverVer")[2].partition(",")[2].split()[0]
    (work / "pc-2.csv").write_text(INVENTORY.format(version))
    named = ("--machine", "pc-1=pc-1", "--machine", "pc-2=pc-2.csv")
    for machine, state in (("pc-1", first), ("pc-2", second)):
        (work / f"{machine}.toml").write_text(state)
        named += ("--machine-state", f"{machine}={machine}.toml")
    document = json.loads(drvsign("audit", *named, "--test-machine", "--json").stdout)
    (row,) = document["drivers"]
    assert [[one["machine"], one["answer"]] for one in row["answers"]] == answers
    assert (row["answer"], row["machines"], row["origin"]) == (answers[0][1], ["pc-1", "pc-2"], "file")
    assert row["paths"] == [os.path.join("pc-1", "toaster.sys")]  # noqa: PTH118


def test_drivers_that_all_need_their_file_have_no_answer(work: Path) -> None:
    """Otherwise an archive that can't be read looks like one without drivers that stop."""
    (work / "x.cab").write_bytes(b"MSCF")
    (work / "pc.csv").write_text(INVENTORY.format("1.0"))
    ran = drvsign("audit", "x.cab", "--machine", "pc=pc.csv")
    assert (ran.code, ran.stdout.splitlines()[0]) == (3, "No answer: 2 drivers need a readable file.")


def test_written_files_are_named(store: Path) -> None:
    ran = drvsign("audit", "store", "--output", "a.csv", "--report", "html=a.html")
    assert [line for line in ran.stderr.splitlines() if "written" in line] == ["a.csv: written", "a.html: written"]
    assert "written" not in drvsign("audit", "store", "-q", "--output", "a.csv").stderr


def test_an_empty_standard_input_is_an_error() -> None:
    """The command that should have written an inventory failed."""
    ran = drvsign("audit", "-", stdin=b"")
    assert (ran.code, ran.errors) == (3, ["error: -: the standard input is empty"])
    assert "hint: Check the command that writes it" in ran.stderr
