"""Names of Windows releases, compared with the tokens in real catalogs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.catalog import os_names
from signer.errors import UsageError

FROM_REAL_CATALOGS = [
    ("XP_X64,Server2003_X64", "XPX64,Server2003X64", "2:5.1,2:5.2"),
    ("XP_X64,Vista_X64,7_X64", "XPX64,VistaX64,7X64", "2:5.1,2:5.2,2:6.0,2:6.1"),
    ("XP_X86,Vista_X86,Vista_X64", "XPX86,VistaX86,VistaX64", "2:5.1,2:6.0"),
    ("2000,XP_X86", "2000,XPX86", "2:5.00,2:5.1"),
    ("7_X64,Server2008R2_X64", "7X64,Server2008R2X64", "2:6.1"),
    ("8_X64,Server8_X64", "8X64,Server2012X64", "2:6.2"),
    ("6_3_X86", "_v63", "2:6.3"),
    ("6_3_ARM,10_RS3_ARM64", "_v63_ARM,_v100_ARM64_RS3", "2:6.3,2:10.0"),
    ("6_3_X64,Server6_3_X64,10_VB_X86", "_v63_X64,_v63_Server_X64,_v100_Vb", "2:6.3,2:10.0"),
    (
        "XP_X64,Server2003_IA64,Server2003_X64,Server2003_X86,Vista_X86,Server2008_X64,Server2008_IA64,Server2008R2_X64,"
        "Server2008R2_IA64",
        "XPX64,Server2003X86,Server2003IA64,Server2003X64,VistaX86,Server2008IA64,Server2008X64,Server2008R2IA64,"
        "Server2008R2X64",
        "2:5.1,2:5.2,2:6.0,2:6.1",
    ),
    ("10_GE_X64,10_25H2_X64,10_26H1_X64", "_v100_X64_24H2,_v100_X64_25H2,_v100_X64_26H1", "2:10.0"),
    ("10_X86,10_X64,Server10_X64", "_v100,_v100_X64,Server_v100_X64", "2:10.0"),
    (
        "10_AU_X64,10_19H1_X64,10_CO_X64,10_NI_X64",
        "_v100_X64_RS1,_v100_X64_19H1,_v100_X64_21H2,_v100_X64_22H2",
        "2:10.0",
    ),
]


@pytest.mark.parametrize(("option", "tokens", "attribute"), FROM_REAL_CATALOGS)
def test_names_give_the_tokens_and_versions_of_real_catalogs(option: str, tokens: str, attribute: str) -> None:
    names = os_names.parse_list(option)
    assert os_names.tokens(names) == tokens
    assert os_names.os_attribute(names) == attribute
    assert os_names.from_tokens(tokens) == names


def test_case_spaces_repetition_and_order_are_ignored() -> None:
    assert os_names.parse_list(" 10_vb_X64 , 7_x86,10_VB_x64") == os_names.parse_list("7_X86,10_VB_X64")


def test_an_unknown_name_is_rejected_with_similar_names() -> None:
    with pytest.raises(UsageError, match="10_GE_X46") as caught:
        os_names.parse_list("10_X64,10_GE_X46")
    assert "10_GE_X64" in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["", " , ,"])
def test_an_empty_list_is_rejected(text: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        os_names.parse_list(text)


def test_the_first_windows_10_kits_tokens_are_read_and_never_written() -> None:
    legacy = os_names.from_tokens("10X86,10X64")
    assert os_names.os_attribute(legacy) == "2:6.4"
    assert os_names.tokens(os_names.parse_list("10_X86,10_X64")) == "_v100,_v100_X64"


def test_the_windows_8_kits_second_server_2012_is_read_and_written() -> None:
    """As in zttap200.cat of 2014 and in another vendor's catalog for the same releases."""
    text = "8X64,Server2012X64,Server2012X64,_v63_X64"
    names = os_names.from_tokens(text)
    assert os_names.tokens(os_names.in_order(reversed(names))) == text
    assert os_names.os_attribute(names) == "2:6.2,2:6.3"
    with pytest.raises(UsageError):
        os_names.parse_list(os_names.SECOND_SERVER_2012.option)


def test_options_and_tokens_are_unique() -> None:
    assert len({name.option.lower() for name in os_names.ALL}) == len(os_names.ALL)
    assert len({name.token.lower() for name in os_names.ALL}) == len(os_names.ALL)


@given(st.lists(st.sampled_from(os_names.ALL), min_size=1))
def test_any_selection_round_trips_through_the_catalog(names: list[os_names.OsName]) -> None:
    ordered = os_names.in_order(names)
    assert os_names.from_tokens(os_names.tokens(ordered)) == ordered
    assert set(ordered) == set(names)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("win10", "10_X64"),
        ("Windows 11", "10_CO_X64"),
        ("win7-x86", "7_X86"),
        ("win10-22h2-x86", "10_X86"),
        ("server2025", "Server2025_X64"),
        ("10_X46", "10_X86"),
    ],
)
def test_a_wrong_name_has_the_likely_one_in_its_hint(wrong: str, meant: str) -> None:
    with pytest.raises(UsageError) as raised:
        os_names.parse_list(wrong)
    assert meant in (raised.value.hint or "")
    assert "drvsign os-names" in (raised.value.hint or "")
