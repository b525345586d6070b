"""Target names: every valid combination, and the hint about every other."""

from __future__ import annotations

import pytest

from signer.errors import UsageError
from signer.policy.targets import Target, all_targets, release_names, targets_for

NEWEST = [name for name in release_names() if name.startswith("win11-")][-1]


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
        ("win10-x64", "win10-1507, win10-1511"),
        ("windows11-23h2-x64", "Did you mean win11-23h2-x64"),
        ("win12-x64", "Releases: vista, win7"),
        ("win11-24h2", "Targets of Windows 11 version 24H2: win11-24h2-x64"),
        ("win8-x64-smode", "Windows 8 has no S mode."),
        ("win10-1809-x86-smode", "has S mode only on x64, arm64."),
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
