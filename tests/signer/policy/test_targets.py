"""Target names: every valid combination, and the hint about every other."""

from __future__ import annotations

import pytest

from signer.errors import UsageError
from signer.policy.targets import Releases, Target, all_targets, default_target, parse_targets, targets_for

NEWEST = default_target("x64").release.name


def test_every_target_is_found_by_its_name() -> None:
    assert len(all_targets()) == len({target.name for target in all_targets()})
    for target in all_targets():
        assert Target.parse(target.name.upper()) == target


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("win11-24h2-x86", "win11-24h2-x64, win11-24h2-arm64"),
        ("win10-1607-arm64", "win10-1607-x86, win10-1607-x64"),
        ("wn10-22h2-x64", "Did you mean win10-22h2-x64"),
        ("win11", f"Add the release, such as {NEWEST}-x64. Releases: win11-21h2"),
        ("win10-2h2-x64", "Did you mean win10-22h2-x64 or win10-21h2-x64 or win10-20h2-x64?"),
        ("win10-x64", "Releases: win10-1507, win10-1511"),
        ("windows11-23h2-x64", "Did you mean win11-23h2-x64"),
        ("win12-x64", "Releases: vista, win7"),
        ("win11-24h2", "Targets of Windows 11 version 24H2: win11-24h2-x64"),
        ("win8-x64-smode", "Windows 8 has no S mode."),
        ("win10-1809-x86-smode", "has S mode only on x64, arm64."),
        ("win11-24h2-x86-smode", "Targets of Windows 11 version 24H2: win11-24h2-x64"),
        ("server2025-ia64", "server2025-x64"),
        ("foo", "Releases: vista, win7"),
        ("", "Releases: vista, win7"),
    ],
)
def test_unknown_names_are_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Target.parse(name)
    assert hint in (caught.value.hint or "")


def test_the_targets_of_an_image_have_its_architecture() -> None:
    assert {target.architecture for target in targets_for("ia64")} == {"ia64"}
    assert targets_for("arm") == all_targets()
    assert targets_for(None) == all_targets()


def test_a_target_has_the_properties_of_its_release() -> None:
    target = Target.parse("win10-1903-arm64-smode")
    assert (target.title, target.build, target.server) == ("Windows 10 version 1903 arm64 in S mode", 18362, False)
    assert Target.parse("server2016-x64").server


@pytest.mark.parametrize(
    ("architecture", "target"),
    [
        ("x64", "win11-26h2-x64"),
        ("arm64", "win11-26h2-arm64"),
        ("x86", "win10-22h2-x86"),
        ("ia64", "server2008r2-ia64"),
        ("arm", "win11-26h2-x64"),
        (None, "win11-26h2-x64"),
    ],
)
def test_the_default_target_is_the_newest_available_client(architecture: str | None, target: str) -> None:
    """26H2 has a smaller build number than 26H1, and became available after it, on 2026-09-29."""
    assert default_target(architecture).name == target


def test_a_release_without_a_date_is_never_the_default() -> None:
    """An empty date, before general availability, sorts before every other."""
    assert all(target.release.available > "" for target in all_targets())


@pytest.mark.parametrize(
    ("name", "build", "title"),
    [
        ("win10-1909-x86", 18363, "Windows 10 version 1909 x86"),
        ("win10-20h2-arm64-smode", 19042, "Windows 10 version 20H2 arm64 in S mode"),
        ("win10-21h1-x64", 19043, "Windows 10 version 21H1 x64"),
        ("win10-iot-x86", 19044, "Windows 10 IoT Enterprise x86"),
        ("win11-iot-arm64", 26100, "Windows 11 IoT Enterprise arm64"),
        ("win11-26h2-x64", 26300, "Windows 11 version 26H2 x64"),
        ("server23h2-x64", 25398, "Windows Server version 23H2 x64"),
    ],
)
def test_a_release_has_its_build_and_title(name: str, build: int, title: str) -> None:
    target = Target.parse(name)
    assert (target.build, target.title) == (build, title)


def test_a_rule_can_be_limited_to_editions() -> None:
    servers = Releases(since="server2016", editions=("server",))
    inside = [Target.parse(name) in servers for name in ("server23h2-x64", "server2012-x64", "win11-26h2-x64")]
    assert inside == [True, False, False]
    assert Target.parse("win11-iot-x64") not in Releases(editions=("client",))
    assert str(servers) == "Windows Server 2016 and later; servers"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param(["win11-24h2-x64"], ["win11-24h2-x64"], id="one"),
        pytest.param(
            ["win11-24h2-x64,win7-x86", "vista-x64"], ["win11-24h2-x64", "win7-x86", "vista-x64"], id="a list"
        ),
        pytest.param(["win7-x86", " win7-x86 ,"], ["win7-x86"], id="one twice"),
    ],
)
def test_targets_are_given_by_name_and_in_lists(names: list[str], expected: list[str]) -> None:
    assert [target.name for target in parse_targets(names)] == expected


def test_a_list_without_a_target_is_refused() -> None:
    with pytest.raises(UsageError, match="no target is named"):
        parse_targets([","])
