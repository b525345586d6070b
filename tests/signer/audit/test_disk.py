"""Disks of Windows: their folders are found in any case, and their catalogs list drivers without a signature."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.catalog.file import Catalog
from catalogs.verification.query import VerifyQuery
from signer.audit.catroot import CatRoot
from signer.audit.disk import Disk, disk_above, disk_at
from signer.audit.examine import Question
from signer.audit.ledger import Ledger
from signer.audit.rows import Row
from signer.audit.run import audit
from signer.audit.units import Place, units
from signer.cli.audit_questions import asked
from signer.cli.options.verify import MachineOptions
from signer.policy.machine_state import MachineState
from signer.policy.targets import parse_targets
from signer.policy.trust import Trust
from tests.support.images import PeSpec
from tests.support.program import drvsign
from tests.support.version_resources import resource

POLICY = """<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><VersionEx>10.0.0.0</VersionEx>
<PlatformID>{2E07F7E4-194C-4D20-B7C9-6F44A6C5A234}</PlatformID><FileRules/><Signers/><SigningScenarios/></SiPolicy>"""
GUID = "{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"
QUESTION = Question(VerifyQuery("kernel", Trust.release(), MachineState(at=datetime(2026, 11, 1, tzinfo=UTC))))


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


FORMS = {
    "as Windows writes it": ("Windows/System32", "drivers", f"CatRoot/{GUID}"),
    "in lower case": ("windows/system32", "drivers", f"catroot/{GUID.lower()}"),
    "in upper case": ("WINDOWS/SYSTEM32", "DRIVERS", f"CATROOT/{GUID}"),
}


@pytest.mark.parametrize(("system", "drivers", "catalogs"), FORMS.values(), ids=FORMS.keys())
def test_the_folders_of_a_disk_are_found_whatever_their_case(
    tmp_path: Path, system: str, drivers: str, catalogs: str
) -> None:
    make(tmp_path, f"{system}/{drivers}/a.sys", f"{system}/{catalogs}/a.cat", "Users/me/b.sys")
    make(tmp_path, f"{system}/driverstore/FileRepository/x.inf_amd64_1/x.sys", f"{system}/other/c.sys")
    root = tmp_path / system
    for path in (tmp_path, root.parent, root):
        disk = disk_at(path)
        assert disk is not None and disk.catalogs is not None
        assert (disk.system, disk.catalogs.name.upper()) == (root, GUID)
    found = list(units([Place(tmp_path, "pc")]))
    assert [path.name for one in found for path in one.files] == ["a.sys", "x.sys"]
    assert {one.disk for one in found} == {Disk(root)}


def test_a_folder_inside_of_system32_uses_the_catalogs_of_its_disk(tmp_path: Path) -> None:
    make(tmp_path, "System32/drivers/a.sys", f"System32/CatRoot/{GUID}/a.cat")
    assert disk_above(tmp_path / "System32" / "drivers") == Disk(tmp_path / "System32")
    (one,) = units([Place(tmp_path / "System32" / "drivers" / "a.sys")])
    assert one.disk == Disk(tmp_path / "System32")


@pytest.mark.parametrize("names", [("a.sys",), ("System32/a.sys",), ("drivers/a.sys",), ("x/drivers/a.sys",)])
def test_other_folders_are_no_disks(tmp_path: Path, names: tuple[str, ...]) -> None:
    make(tmp_path, *names)
    assert disk_at(tmp_path) is None
    assert [len(one.files) for one in units([Place(tmp_path)])] == [1]


def test_the_disk_has_its_lists_and_the_phase_of_the_policy(tmp_path: Path) -> None:
    integrity = "Windows/System32/CodeIntegrity"
    make(tmp_path, "Windows/System32/drivers/a.sys", f"{integrity}/driversipolicy.p7b")
    disk = disk_at(tmp_path)
    assert disk is not None and disk.block_list is not None
    assert (disk.block_list.name, disk.allow_list, disk.driver_policy) == ("driversipolicy.p7b", None, None)
    make(tmp_path, f"{integrity}/CiPolicies/Active/{{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}}.cip")
    assert disk.driver_policy == "evaluation"
    make(tmp_path, f"{integrity}/CiPolicies/Active/{{8F9CB695-5D48-48D6-A329-7202B44607E3}}.cip")
    assert disk.allow_list is not None
    assert (disk.driver_policy, disk.allow_list.name[:9]) == ("enforced", "{8F9CB695")


def test_the_release_is_that_of_the_kernel(tmp_path: Path) -> None:
    make(tmp_path, "Windows/System32/drivers/a.sys", "Windows/System32/NTOSKRNL.EXE")
    disk = disk_at(tmp_path)
    assert disk is not None
    assert disk.kernel() is None
    (disk.system / "NTOSKRNL.EXE").write_bytes(PeSpec(overlay=resource((10, 0, 19041, 5000))).build())
    assert disk.kernel() == (19041, "x64")


def test_the_state_of_a_machine_goes_file_first_then_call_then_disk(tmp_path: Path) -> None:
    make(tmp_path, "Windows/System32/drivers/a.sys")
    (tmp_path / "Windows/System32/ntoskrnl.exe").write_bytes(PeSpec(overlay=resource((10, 0, 19041, 1))).build())
    make(tmp_path, "Windows/System32/CodeIntegrity/CiPolicies/Active/{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}.CIP")
    list_ = tmp_path / "Windows/System32/CodeIntegrity/CiPolicies/Active"
    (list_ / "{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}.CIP").write_text(POLICY)
    (tmp_path / "pc.toml").write_text('driver-policy = "off"\n')
    disk = disk_at(tmp_path)
    assert disk is not None

    def state(states: dict[str, Path], target: str | None = None) -> tuple[str | None, str]:
        found = asked(Trust.release(), MachineOptions(), target, states, {"pc": disk}, test_machine=False)
        query = found.question.of("pc").query
        assert found.lists["pc"] == [list_ / "{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}.CIP"]
        assert found.question.query.targets == parse_targets([target] if target else [])
        return query.machine.driver_policy, query.targets[0].name

    assert state({}) == ("evaluation", "win10-2004-x64")
    assert state({}, "win11-24h2-x64") == ("evaluation", "win11-24h2-x64")
    assert state({"pc": tmp_path / "pc.toml"}) == ("off", "win10-2004-x64")


def rows(*places: Place) -> list[Row]:
    with Ledger() as ledger:
        audit(places, QUESTION, ledger)
        return list(ledger.rows())


PACKAGE = "packages/ArduPilot+MissionPlanner__Drivers__ubloxusb"
DRIVER = "ubloxusb64.sys"


@pytest.fixture
def disk(tmp_path: Path, corpus: Path) -> Path:
    """A disk with a driver whose only signature is in a catalog of CatRoot, beside a damaged catalog."""
    package = corpus / PACKAGE
    system = tmp_path / "Windows" / "System32"
    catalogs = system / "CatRoot" / GUID
    for folder in (system / "drivers", catalogs, tmp_path / "Windows" / "INF"):
        folder.mkdir(parents=True)
    (system / "drivers" / DRIVER).write_bytes((package / DRIVER).read_bytes())
    data = next(package.glob("*.cat")).read_bytes()
    (catalogs / "oem7.CAT").write_bytes(data)
    (catalogs / "a.cat").write_bytes(data[:-500])
    return tmp_path


def test_a_driver_without_a_signature_of_its_own_loads_by_a_catalog_of_the_disk(disk: Path) -> None:
    drivers = disk / "Windows" / "System32" / "drivers"
    for place in (disk, drivers, drivers / DRIVER):
        assert [row.reason.answer for row in rows(Place(place))] == ["loads"]


def test_without_its_catalog_the_same_driver_is_refused(disk: Path) -> None:
    (disk / "Windows" / "System32" / "CatRoot" / GUID / "oem7.CAT").unlink()
    assert [row.reason.answer for row in rows(Place(disk))] == ["already-refused"]


def test_a_package_whose_catalog_is_only_in_catroot_is_found(disk: Path, corpus: Path) -> None:
    store = disk / "Windows" / "System32" / "DriverStore" / "FileRepository" / "ubloxusb.inf_amd64_1"
    store.mkdir(parents=True)
    for path in (corpus / PACKAGE).iterdir():
        if path.suffix.lower() != ".cat":
            (store / path.name).write_bytes(path.read_bytes())
    inf = next(store.glob("*.inf"))
    (disk / "Windows" / "INF" / "OEM12.inf").write_bytes(inf.read_bytes())
    row = next(one for one in rows(Place(disk)) if one.file.endswith(DRIVER))
    assert row.reason.answer == "loads"
    assert [(Path(one.inf).name, one.published) for one in row.packages] == [(inf.name, "oem12.inf")]


def test_the_catalogs_of_all_packages_are_found_by_the_digest_of_each_driver(corpus: Path, tmp_path: Path) -> None:
    catalogs = [path for path in sorted((corpus / "packages").rglob("*")) if path.suffix.lower() == ".cat"]
    for number, path in enumerate(catalogs):
        (tmp_path / f"oem{number}.cat").write_bytes(path.read_bytes())
    root, found = CatRoot(tmp_path), 0
    for path in catalogs[::6]:
        for member in Catalog.parse(path.read_bytes()).members:
            assert member.digest is None or any(one.contains(member.digest) for one in root.find([member.digest]))
            found += 1
    assert found > 20
    assert root.find([bytes(32)]) == ()


def test_a_disk_gives_its_state_to_its_machine(disk: Path) -> None:
    policies = disk / "Windows" / "System32" / "CodeIntegrity"
    policies.mkdir()
    (policies / "driversipolicy.p7b").write_bytes(b"not a policy")
    ran = drvsign("audit", "--machine", f"pc={disk}")
    assert (ran.code, "driversipolicy.p7b" in ran.stderr) == (3, True)
