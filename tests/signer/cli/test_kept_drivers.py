"""`drvsign audit --policy-xml`: the App Control policy for the drivers to keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.images import PeSpec
from tests.support.program import drvsign
from tests.support.si_policy_schema import SPACE, require_policy

GUID = "{784C4414-79F4-4C32-A6A5-F0FB42A51D0D}"


@pytest.fixture
def toaster(work: Path) -> Path:
    """A test-signed driver."""
    (work / "toaster.sys").write_bytes(PeSpec().build())
    assert drvsign("sign", "toaster.sys").code == 0
    return work / "toaster.sys"


def test_the_policy_has_the_drivers_that_load(toaster: Path, work: Path) -> None:
    given = ("--policy-xml", "keep.xml", "--keep", "loading", "--base-policy", GUID.lower())
    ran = drvsign("audit", "toaster.sys", "--test-machine", *given)
    root = require_policy((work / "keep.xml").read_text("utf-8"))
    assert root.findtext(f"{SPACE}BasePolicyID") == GUID
    assert [one.get("FriendlyName") for one in root.iter(f"{SPACE}Allow")] == [
        f"toaster.sys {kind} {name}" for kind in ("Hash", "Hash Page") for name in ("Sha1", "Sha256")
    ]
    assert (ran.code, "allows 1 driver (1 by hash)" in ran.stderr) == (0, True)


def test_nothing_stops_and_the_policy_is_empty(toaster: Path, work: Path) -> None:
    ran = drvsign("audit", "toaster.sys", "--test-machine", "--policy-xml", "keep.xml")
    root = require_policy((work / "keep.xml").read_text("utf-8"))
    assert not list(root.iter(f"{SPACE}Allow"))
    assert (ran.code, "allows 0 drivers" in ran.stderr) == (0, True)


def test_equal_calls_write_equal_policies(toaster: Path, work: Path) -> None:
    given = ("audit", "toaster.sys", "--test-machine", "--keep", "loading", "--at", "2026-11-01")
    for name in ("a.xml", "b.xml"):
        assert drvsign(*given, "--policy-xml", name).code == 0
    assert (work / "a.xml").read_bytes() == (work / "b.xml").read_bytes()
    assert "<VersionEx>1.2026.1101.0</VersionEx>" in (work / "a.xml").read_text()


def test_the_guid_can_be_given(toaster: Path, work: Path) -> None:
    assert drvsign("audit", "toaster.sys", "--policy-xml", "a.xml", "--policy-id", GUID).code == 0
    assert f"<PolicyID>{GUID}</PolicyID>" in (work / "a.xml").read_text()


def test_the_policy_is_an_allow_list_without_a_warning(toaster: Path, work: Path) -> None:
    assert drvsign("audit", "toaster.sys", "--test-machine", "--policy-xml", "keep.xml").code == 0
    ran = drvsign("audit", "toaster.sys", "--test-machine", "--allow-list", "keep.xml")
    assert "keep.xml: a draft of drvsign audit" in ran.stderr
    assert "warning" not in ran.stderr


WRONG = {
    "a level without a policy": (("--rule-level", "hash"), "Add --policy-xml FILE."),
    "a choice without a policy": (("--keep", "loading"), "Add --policy-xml FILE."),
    "an unknown level": (("--policy-xml", "a.xml", "--rule-level", "publisher"), "file-publisher"),
    "no GUID": (("--policy-xml", "a.xml", "--base-policy", "base"), "not a GUID"),
    "a driver as the file": (("--policy-xml", "toaster.sys"), "Name another file."),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_options_are_refused(toaster: Path, name: str) -> None:
    given, words = WRONG[name]
    before = toaster.read_bytes()
    ran = drvsign("audit", "toaster.sys", *given)
    assert (ran.code, words in ran.stderr) == (2, True)
    assert toaster.read_bytes() == before


def test_a_missing_folder_is_found_before_the_audit(toaster: Path) -> None:
    ran = drvsign("audit", "toaster.sys", "--policy-xml", "missing/a.xml")
    assert (ran.code, "its folder does not exist" in ran.stderr, ran.stdout) == (3, True, "")
