"""`drvsign targets` and `drvsign os-names`: every name that they list is accepted."""

from __future__ import annotations

from catalogs.catalog import os_names
from signer.policy.targets import Target, all_targets
from tests.support.program import drvsign


def test_every_target_is_listed_and_can_be_named() -> None:
    names = [one["target"] for one in drvsign("targets", "--json").document["targets"]]
    assert [Target.parse(name) for name in names] == list(all_targets())
    text = drvsign("targets").stdout
    assert all(target.release.name in text and target.release.title in text for target in all_targets())


def test_every_os_name_is_listed_and_can_be_named() -> None:
    names = [one["name"] for one in drvsign("os-names", "--json").document["names"]]
    assert os_names.parse_names(names) == os_names.ALL
    text = drvsign("os-names").stdout
    assert all(name.option in text and name.token in text for name in os_names.ALL)
