"""A small valid driver package for tests that change one thing at a time."""

from __future__ import annotations

from pathlib import Path

from tests.support.images import PeSpec

BASE = """\
[Version]
Signature = "$Windows NT$"
Class = System
ClassGuid = {4d36e97d-e325-11ce-bfc1-08002be10318}
Provider = %Vendor%
DriverVer = 05/01/2024,1.2.3.4
CatalogFile = sample.cat
PnpLockdown = 1

[Manufacturer]
%Vendor% = Models,NTamd64

[Models.NTamd64]
%Device% = Sample,ROOT\\Sample,ROOT\\SampleCompatible

[Sample.NT]
CopyFiles = Drivers

[Sample.NT.Services]
AddService = Sample,2,Service

[Service]
ServiceType = 1
StartType = 3
ErrorControl = 1
ServiceBinary = %13%\\sample.sys

[Drivers]
sample.sys

[SourceDisksNames]
1 = %Disk%

[SourceDisksFiles]
sample.sys = 1

[DestinationDirs]
DefaultDestDir = 13

[Strings]
Vendor = "Sample Vendor"
Device = "Sample Device"
Disk = "Sample Disk"
"""

HELLO = """[Version]
Signature="$WINDOWS NT$"
Class=System
ClassGuid={4d36e97d-e325-11ce-bfc1-08002be10318}
Provider=%Us%
CatalogFile=hello.cat
DriverVer=01/02/2024,1.2.3.4
PnpLockdown=1
[DestinationDirs]
DefaultDestDir=13
[SourceDisksNames]
1=%Us%
[SourceDisksFiles]
hello.sys=1
[Manufacturer]
%Us%=Models,NTamd64.10.0...16299
[Models.NTamd64.10.0...16299]
%Us%=Install,Root\\Hello
[Install.NT]
CopyFiles=Files
[Files]
hello.sys
[Install.NT.Services]
AddService=hello,2,Service
[Service]
ServiceType=1
StartType=3
ErrorControl=1
ServiceBinary=%13%\\hello.sys
[Strings]
Us="Us"
"""
"""A minimal INF for Windows 10 1709 and later, without the blank lines and spaces of `BASE`."""


def with_change(*changes: tuple[str, str]) -> str:
    """Return BASE with each old text replaced; it must occur exactly once."""
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def write_package(folder: Path, inf: str = BASE, *files: str, name: str = "sample.inf") -> Path:
    """Write the INF and files next to it (`sample.sys` by default): .sys as x64 images, others as text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(inf.replace("\n", "\r\n").encode("cp1252"))
    for file in files or ("sample.sys",):
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(PeSpec().build() if target.suffix.lower() == ".sys" else file.encode())
    return path
