"""Windows' lookup: what one machine uses of an INF."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.catalog import os_names
from catalogs.inf.driver import DriverInf
from catalogs.inf.lookup import MachineInstall

HEAD = """[Version]
[SourceDisksNames]
1=d
[SourceDisksFiles]
32.sys=1
64.sys=1
[SourceDisksFiles.amd64]
both.sys=1,x64
[SourceDisksFiles.x86]
both.sys=1,x86
"""


def machine(text: str, name: str) -> MachineInstall:
    (os,) = os_names.parse_list(name)
    return DriverInf.parse((HEAD + text).encode(), Path("a.inf")).lookup.on(os)


def files_on(text: str, name: str) -> set[str]:
    return {"/".join(file.location) for file in machine(text, name).files}


NAMED_WITH_DECORATION = """
[Manufacturer]
x=M,NT,NTamd64
[M]
d=I32.NT,id
[M.NT]
d=I32.NT,id
[M.NTamd64]
d=I64.NTamd64,id
[I32.NT]
CopyFiles=@32.sys
[I64.NTamd64]
CopyFiles=@64.sys
"""
ONE_NAME = """
[Manufacturer]
x=M,NTx86,NTamd64,NTarm64
[M.NTx86]
d=I,id
[M.NTamd64]
d=I,id
[M.NTarm64]
d=I,id
{sections}
"""
DEFAULT = "{sections}"
MODELS_OF_RELEASES = """
[Manufacturer]
x=M,NTamd64.6.1,NTamd64.10.0...19041,NTamd64.10.0.3
[M.NTamd64.6.1]
d=Old,id
[M.NTamd64.10.0...19041]
d=New,id
[M.NTamd64.10.0.3]
[Old]
CopyFiles=@32.sys
[New]
CopyFiles=@64.sys
"""
DOMAIN_CONTROLLERS = """
[Manufacturer]
x=M,{decorations}
[M.NTamd64.10.0.2]
d=Controller,id
[M.NTamd64.10.0.3]
d=Member,id
[M.NTamd64.10.0]
d=Any,id
[Controller]
CopyFiles=@32.sys
[Member]
CopyFiles=@64.sys
[Any]
CopyFiles=@both.sys
"""
_ALL_SERVERS = "NTamd64.10.0.2,NTamd64.10.0.3,NTamd64.10.0"
CASES = [
    ("a member server", DOMAIN_CONTROLLERS.format(decorations=_ALL_SERVERS), "ServerRS5_X64", {"64.sys"}),
    (
        "a member server does not use the models of domain controllers",
        DOMAIN_CONTROLLERS.format(decorations="NTamd64.10.0.2,NTamd64.10.0"),
        "ServerRS5_X64",
        {"x64/both.sys"},
    ),
    (
        "an INF for domain controllers only",
        DOMAIN_CONTROLLERS.format(decorations="NTamd64.10.0.2"),
        "ServerRS5_X64",
        {"32.sys"},
    ),
    (
        "a client is no domain controller",
        DOMAIN_CONTROLLERS.format(decorations="NTamd64.10.0.2"),
        "10_RS5_X64",
        set(),
    ),
    ("models name the decorated section: x64", NAMED_WITH_DECORATION, "10_X64", {"64.sys"}),
    ("models name the decorated section: x86", NAMED_WITH_DECORATION, "10_X86", {"32.sys"}),
    ("a model of a release", MODELS_OF_RELEASES, "7_X64", {"32.sys"}),
    ("a model of a later build", MODELS_OF_RELEASES, "10_CO_X64", {"64.sys"}),
    ("an earlier build takes the older models", MODELS_OF_RELEASES, "10_RS5_X64", {"32.sys"}),
    ("an empty section excludes servers of an earlier build", MODELS_OF_RELEASES, "ServerRS5_X64", set()),
    ("no models for the architecture", MODELS_OF_RELEASES, "10_X86", set()),
    (
        "the section of the architecture, the source of the architecture",
        ONE_NAME.format(sections="[I.NTamd64]\nCopyFiles=@both.sys\n[I]\nCopyFiles=@32.sys"),
        "10_X64",
        {"x64/both.sys"},
    ),
    (
        "NT before the undecorated section",
        ONE_NAME.format(sections="[I.NT]\nCopyFiles=@both.sys\n[I]\nCopyFiles=@32.sys"),
        "10_X86",
        {"x86/both.sys"},
    ),
    (
        "the undecorated section for the rest",
        ONE_NAME.format(sections="[I.NTamd64]\nCopyFiles=@both.sys\n[I]\nCopyFiles=@32.sys"),
        "10_RS3_ARM64",
        {"32.sys"},
    ),
    (
        "co-installers belong to the section that was found",
        ONE_NAME.format(sections="[I.NTamd64]\n[I.NT.CoInstallers]\nCopyFiles=@64.sys"),
        "10_X64",
        set(),
    ),
    (
        "co-installers of the section that was found",
        ONE_NAME.format(sections="[I.NTamd64]\n[I.NTamd64.CoInstallers]\nCopyFiles=@64.sys"),
        "10_X64",
        {"64.sys"},
    ),
    (
        "the class installer has its own lookup",
        ONE_NAME.format(
            sections="[I]\n[ClassInstall32.NTamd64]\nCopyFiles=@64.sys\n[ClassInstall32]\nCopyFiles=@32.sys"
        ),
        "10_X64",
        {"64.sys"},
    ),
    ("DefaultInstall on any platform", "[DefaultInstall]\nCopyFiles=@both.sys", "10_X64", {"x64/both.sys"}),
    ("DefaultInstall.NT on any platform", "[DefaultInstall.NT]\nCopyFiles=@64.sys", "10_RS3_ARM64", {"64.sys"}),
    (
        "DefaultInstall of the architecture first",
        "[DefaultInstall]\nCopyFiles=@32.sys\n[DefaultInstall.NTamd64]\nCopyFiles=@64.sys",
        "10_X64",
        {"64.sys"},
    ),
    ("DefaultInstall of another architecture", "[DefaultInstall.NTx86]\nCopyFiles=@32.sys", "10_X64", set()),
    (
        "DefaultInstall of a later build",
        "[DefaultInstall.NTamd64]\nCopyFiles=@32.sys\n[DefaultInstall.NTamd64.10.0...25952]\nCopyFiles=@64.sys",
        "10_GE_X64",
        {"64.sys"},
    ),
    (
        "DefaultInstall is not used beside models",
        "[DefaultInstall]\nCopyFiles=@32.sys" + NAMED_WITH_DECORATION,
        "10_X64",
        {"64.sys"},
    ),
]


@pytest.mark.parametrize(("text", "name", "files"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_machine_installs(text: str, name: str, files: set[str]) -> None:
    assert files_on(text, name) == files


def test_manufacturers_select_their_sections_separately() -> None:
    text = (
        "[Manufacturer]\nx=M,NTamd64,NTamd64.10.0\ny=N,NTamd64\n[M.NTamd64]\nd=A,id\n[M.NTamd64.10.0]\nd=B,id\n"
        "[N.NTamd64]\nd=C,id\n"
    )
    assert [one.name for one in machine(text, "10_X64").installs] == ["B", "C"]
    assert [one.name for one in machine(text, "7_X64").installs] == ["A", "C"]


def test_a_missing_models_section_is_passed_over() -> None:
    text = "[Manufacturer]\nx=M,NTamd64,NTamd64.10.0\n[M.NTamd64]\nd=A,id\n"
    assert [one.name for one in machine(text, "10_X64").installs] == ["A"]


def test_related_sections_have_the_name_that_was_found() -> None:
    found = machine(ONE_NAME.format(sections="[I.NT]\n[I.NT.Services]\n[I.Services]\n[I.HW]"), "10_X64")
    (install,) = found.installs
    services = found.related(install, ".Services")
    assert services is not None
    assert services.name == "I.NT.Services"
    assert found.related(install, ".HW") is None


def test_manufacturers_may_share_a_section() -> None:
    text = "[Manufacturer]\nx=M,NTamd64\ny=M,NTamd64\n[M.NTamd64]\nd=A,id\n"
    assert [one.name for one in machine(text, "10_X64").installs] == ["A"]


@pytest.mark.parametrize(
    "decorations",
    [
        pytest.param(["NTamd64"], id="no version"),
        pytest.param(["NTamd64.6.1", "NTamd64.10.0"], id="versions"),
        pytest.param(["NTamd64", "NTamd64.10.0...14310", "NTamd64.10.0...22000"], id="builds"),
        pytest.param(["NTamd64.5.2..3", "NTamd64.6.0.1", "NTx86.5.1", "NT.6.3"], id="servers and clients"),
        pytest.param(["NTamd64.5.0...1"], id="a build before releases parse builds"),
    ],
)
def test_a_release_gets_the_same_answer_whatever_was_asked_before(decorations: list[str]) -> None:
    """Answers are kept for all releases between two that decorations name."""
    sections = "".join(f"[M.{one}]\nd=I{number},id\n" for number, one in enumerate(decorations))
    text = HEAD + f"[Manufacturer]\nx=M,{','.join(decorations)}\n{sections}"

    def names_on(os: os_names.OsName, driver: DriverInf) -> list[str]:
        return [section.target.text for section in driver.lookup.on(os).models]

    shared = DriverInf.parse(text.encode(), Path("shared.inf"))
    asked = {os: names_on(os, shared) for os in os_names.ALL}
    alone = {
        os: names_on(os, DriverInf.parse(text.encode(), Path(f"{number}.inf")))
        for number, os in enumerate(os_names.ALL)
    }
    assert asked == alone
    assert any(asked.values())
