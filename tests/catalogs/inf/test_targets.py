"""TargetOS decorations, and the section that each release selects."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.catalog import os_names
from catalogs.catalog.os_names import OsName
from catalogs.inf.targets import TargetOS, parse, select


def os(option: str) -> OsName:
    (found,) = os_names.parse_list(option)
    return found


def target(text: str) -> TargetOS:
    found = parse(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("NT", (None, None, None, None, None, None)),
        ("ntAMD64", ("amd64", None, None, None, None, None)),
        ("NTx86.6.1", ("x86", 6, 1, None, None, None)),
        ("NT.5.1", (None, 5, 1, None, None, None)),
        ("NTarm64.10.0...16299", ("arm64", 10, 0, None, None, 16299)),
        ("NTamd64.10.0.0x3", ("amd64", 10, 0, 3, None, None)),
        ("NTx86....0x80", ("x86", None, None, None, 128, None)),
        ("NTarm", ("arm", None, None, None, None, None)),
    ],
)
def test_decorations_are_read_field_by_field(text: str, fields: tuple[object, ...]) -> None:
    found = target(text)
    assert (
        found.architecture, found.major, found.minor, found.product_type, found.suite_mask, found.build
    ) == fields  # fmt: skip


@pytest.mark.parametrize(
    "text", ["amd64", "NTx64", "NTamd64.x", "NTamd64.10.0...16299.1", "NTamd64.10.0.4", "NT$ARCH$", "N", "NTamd64 10"]
)
def test_invalid_decorations_are_rejected(text: str) -> None:
    assert parse(text) is None


PICKS = [
    (
        "highest-version-not-above-the-release",
        "10_VB_X64",
        "NTamd64,NTamd64.6.1,NTamd64.10.0,NTamd64.10.0...22000",
        "NTamd64.10.0",
    ),
    ("build-is-compared", "10_CO_X64", "NTamd64.10.0,NTamd64.10.0...22000", "NTamd64.10.0...22000"),
    ("build-is-a-minimum", "10_VB_X64", "NTamd64.10.0...22000", None),
    ("build-of-an-older-version", "10_RS2_X64", "NTamd64.6.3...99999", "NTamd64.6.3...99999"),
    ("builds-are-unknown-before-14310", "10_X64", "NTamd64.6.3...9600,NTamd64", "NTamd64"),
    ("too-old", "7_X64", "NTamd64.10.0", None),
    ("another-architecture", "10_X64", "NTx86,NTarm64", None),
    ("x86-without-architecture", "10_X86", "NT,NT.6.0", "NT.6.0"),
    ("x64-requires-an-architecture", "10_X64", "NT,", None),
    ("no-decoration-ranks-last", "7_X86", ",NT", "NT"),
    ("no-decoration", "7_X86", "", ""),
    ("a-server", "Server2008R2_X64", "NTamd64.6.1.1,NTamd64.6.1.3,NTamd64.6.1", "NTamd64.6.1.3"),
    ("a-workstation", "7_X64", "NTamd64.6.1.1,NTamd64.6.1.3", "NTamd64.6.1.1"),
    ("a-member-server-is-no-domain-controller", "Server2008R2_X64", "NTamd64.6.1.2,NTamd64", "NTamd64"),
    ("version-ranks-above-product-type", "7_X64", "NTamd64.6.0.1,NTamd64.6.1", "NTamd64.6.1"),
    ("suite-of-an-edition", "7_X86", "NTx86....0x80,NTx86", "NTx86"),
    ("suite-of-every-machine", "7_X86", "NTx86....0x100,NTx86", "NTx86....0x100"),
    ("suite-of-an-edition-and-of-every-machine", "7_X86", "NTx86....0x180,NTx86", "NTx86"),
    ("version-ranks-above-suite", "7_X86", "NTx86....0x10,NTx86.5.1", "NTx86.5.1"),
    ("product-type-ranks-above-suite", "7_X86", "NTx86....0x10,NTx86...1", "NTx86...1"),
    ("arm-is-not-arm64", "10_RS3_ARM64", "NTarm,NTarm64", "NTarm64"),
]


@pytest.mark.parametrize(("option", "targets", "selected"), [pytest.param(*case[1:], id=case[0]) for case in PICKS])
def test_each_release_selects_the_best_match(option: str, targets: str, selected: str | None) -> None:
    found = select(map(target, targets.split(",")), os(option))
    assert (None if found is None else found.text) == selected


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["", "NT", "NTx86", "NTamd64.6.1", "NTamd64.10.0...16299", "NTarm64", "NTamd64.6.1.3"]))
)
def test_the_selected_decoration_applies_to_the_release(texts: list[str]) -> None:
    targets = [target(text) for text in texts]
    for name in os_names.ALL:
        found = select(targets, name)
        assert (found is None) == (not any(each.applies_to(name) for each in targets))
        assert found is None or found.applies_to(name)
