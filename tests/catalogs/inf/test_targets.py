"""TargetOS decorations, and what each release picks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.catalog import os_names
from catalogs.catalog.os_names import OsName
from catalogs.inf.targets import TargetOS, parse, pick


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
def test_other_texts_are_no_decorations(text: str) -> None:
    assert parse(text) is None


PICKS = [
    ("the-highest-not-above", "10_VB_X64", "NTamd64,NTamd64.6.1,NTamd64.10.0,NTamd64.10.0...22000", "NTamd64.10.0"),
    ("the-build-counts", "10_CO_X64", "NTamd64.10.0,NTamd64.10.0...22000", "NTamd64.10.0...22000"),
    ("the-build-is-the-least", "10_VB_X64", "NTamd64.10.0...22000", None),
    ("a-build-of-an-older-version", "10_X64", "NTamd64.6.3...99999", "NTamd64.6.3...99999"),
    ("too-old", "7_X64", "NTamd64.10.0", None),
    ("another-architecture", "10_X64", "NTx86,NTarm64", None),
    ("x86-needs-no-architecture", "10_X86", "NT,NT.6.0", "NT.6.0"),
    ("others-do", "10_X64", "NT,", None),
    ("no-decoration-is-the-last-choice", "7_X86", ",NT", "NT"),
    ("no-decoration", "7_X86", "", ""),
    ("a-server", "Server2008R2_X64", "NTamd64.6.1.1,NTamd64.6.1.3,NTamd64.6.1", "NTamd64.6.1.3"),
    ("a-workstation", "7_X64", "NTamd64.6.1.1,NTamd64.6.1.3", "NTamd64.6.1.1"),
    ("a-version-is-closer-than-a-type", "7_X64", "NTamd64.6.0.1,NTamd64.6.1", "NTamd64.6.1"),
    ("a-suite-is-not-told-by-the-name", "7_X86", "NTx86....0x80,NTx86", "NTx86"),
    ("arm-is-not-arm64", "10_RS3_ARM64", "NTarm,NTarm64", "NTarm64"),
]


@pytest.mark.parametrize(("option", "targets", "picked"), [pytest.param(*case[1:], id=case[0]) for case in PICKS])
def test_each_release_picks_the_closest(option: str, targets: str, picked: str | None) -> None:
    found = pick(map(target, targets.split(",")), os(option))
    assert (None if found is None else found.text) == picked


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["", "NT", "NTx86", "NTamd64.6.1", "NTamd64.10.0...16299", "NTarm64", "NTamd64.6.1.3"]))
)
def test_what_is_picked_admits_the_release(texts: list[str]) -> None:
    targets = [target(text) for text in texts]
    for name in os_names.ALL:
        found = pick(targets, name)
        assert (found is None) == (not any(each.admits(name) for each in targets))
        assert found is None or found.admits(name)
