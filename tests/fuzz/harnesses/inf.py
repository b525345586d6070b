"""INF: syntax, strings, models and sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from catalogs.inf import strings
from catalogs.inf.driver import DriverInf
from catalogs.inf.lookup import default_installs
from catalogs.inf.models import models_sections
from signer.errors import InfError
from tests.fuzz.harness import Harness
from tests.fuzz.mutation import text_mutator
from tests.support.files import corpus_files
from tests.support.inf_files import BASE, HELLO

INSTRUMENTED = (
    "catalogs.inf.driver",
    "catalogs.inf.models",
    "catalogs.inf.sources",
    "catalogs.inf.strings",
    "catalogs.inf.syntax",
    "catalogs.inf.targets",
    "catalogs.inf.text",
)

SMALL = """[Version]
Signature="$Windows NT$"
Class=System
Provider=%V%
DriverVer=01/02/2024,1.2.3.4
[Manufacturer]
%V%=M,NTamd64.10.0...16299,NTx86.6.1
[M.NTamd64.10.0...16299]
%V%=I,Root\\A
[M.NTx86.6.1]
%V%=I,Root\\B
[I.NT]
CopyFiles=F,@b.sys
AddReg=R
Include=usb.inf
Needs=J
[J]
CopyFiles=F
[I.NT.Services]
AddService=a,2,S
[S]
ServiceType=1
StartType=3
ErrorControl=1
ServiceBinary=%13%\\a.sys
[F]
a.sys,a2.sys,,0x2
[R]
HKR,,"a",0x10001,1
[SourceDisksNames.amd64]
1=%V%,a.cab,,\\x
[SourceDisksFiles]
a.sys=1,sub
b.sys=1
[DestinationDirs]
DefaultDestDir=13
F=12,b
[Strings]
V="V"
[Strings.0409]
V="W"
"""
PRIMITIVE = """[Version]
Signature=$CHICAGO$
Class=Sample
CatalogFile.NTamd64=c.cat
[DefaultInstall.NTamd64]
CopyFiles=F
[DefaultInstall.NTamd64.Services]
AddService=a,,S
[ClassInstall32]
AddReg=R
[F]
"a b.sys",a\\
.sys
"""
PIECES = ("[", "]", "=", ",", "%", "%%", '"', '""', "\\", "\\\r\n", ";", "@", "|", "$", "..", "0x", "65536", "-1",
          "NT", "NTamd64", ".10.0...16299", ".Services", "Needs=", "Include=", "CopyFiles=", "AddService=", "I.NT",
          "DefaultInstall", "SourceDisksNames", "LayoutFile=", "\r", "\u0130", "\xdf", "\xb2", "\u0660")  # fmt: skip


def seeds() -> Iterator[bytes]:
    for text in (SMALL, PRIMITIVE, HELLO, BASE):
        yield text.replace("\n", "\r\n").encode("cp1252")
    yield "\ufeff".encode("utf-16-le") + SMALL.encode("utf-16-le")
    yield "\ufeff".encode() + PRIMITIVE.encode()


def extra() -> Iterator[bytes]:
    files = (path for path in corpus_files("infs/*") if path.stat().st_size <= HARNESS.max_size)
    yield from (path.read_bytes() for path in files)


def run(data: bytes) -> bool:
    try:
        driver = DriverInf.parse(data, Path("fuzz.inf"))
    except InfError:
        return False
    assert driver.text.to_bytes() == data
    assert len(set(driver.hardware_ids)) == len(driver.hardware_ids)
    assert driver.architectures is not None
    return True


MUTATE = text_mutator(PIECES, ("utf-8", "utf-16-le"))

HARNESS = Harness(
    "inf",
    run,
    seeds,
    (strings.expand_strings, models_sections, default_installs),
    mutate=MUTATE,
    extra=extra,
    max_size=1536,
)
