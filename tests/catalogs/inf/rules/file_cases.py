"""Cases about files and the registry."""

from __future__ import annotations

from catalogs.inf.rules import Mode
from tests.support.inf_rule_cases import EXTENSION, Case, added, after, end, in_class, install, service

DESTINATION = "DefaultDestDir = 13"
LISTED = "[SourceDisksFiles]\nsample.sys = 1"
OTHER_DEVICE = (
    "%Device% = Sample,ROOT\\Sample,ROOT\\SampleCompatible",
    "%Device% = Sample,ROOT\\Sample\n%Device% = Second,ROOT\\Second",
)


def destination(value: str) -> tuple[tuple[str, str], ...]:
    """Change the destination of the files."""
    return ((DESTINATION, f"DefaultDestDir = {value}"),)


def second(*lines: str) -> tuple[tuple[str, str], ...]:
    """Add a device with its own install section."""
    return (OTHER_DEVICE, *end("[Second.NT]", *lines))


def of_service(*lines: str) -> tuple[tuple[str, str], ...]:
    """Add registry values of the service."""
    return (*service("AddReg = Values"), *end("[Values]", *lines))


FILES = [
    Case(
        "1008", ((LISTED, "[SourceDisksFiles]\nsample.sys = ;!"),), ((LISTED, "[SourceDisksFiles]\nsample.sys = 1,,"),)
    ),
    Case(
        "1016",
        ((LISTED, "[SourceDisksFiles]\nsample.sys = 1,..\\x64 ;!"),),
        ((LISTED, "[SourceDisksFiles]\nsample.sys = 1,a..b"),),
    ),
    Case(
        "1100",
        (("[Drivers]\nsample.sys", "[Drivers]\nrenamed.sys,sample.sys ;!"),),
        (("[Drivers]\nsample.sys", "[Drivers]\nSAMPLE.sys,sample.sys"),),
        "name",
    ),
    Case(
        "1100",
        (("[Drivers]\nsample.sys", "[Drivers]\nsample.sys ;!"), (LISTED, "[SourceDisksFiles]\nsample.sys = 1,x64")),
        (*destination("13,x64"), (LISTED, "[SourceDisksFiles]\nsample.sys = 1,X64")),
        "folder",
    ),
    Case(
        "1100",
        (
            ("[Drivers]\nsample.sys", "[Drivers]\nsample.sys ;!"),
            *destination("13,x64"),
            (LISTED, "[SourceDisksFiles.arm]\nsample.sys = 1,arm"),
        ),
        (*destination("13,arm"), (LISTED, "[SourceDisksFiles.arm]\nsample.sys = 1,arm")),
        "arm",
    ),
    Case(
        "1101",
        end("[Drivers.security] ;!", '"D:P(A;;GA;;;SY)"'),
        (*destination("12"), *end("[Drivers.security]", '"D:P(A;;GA;;;SY)"')),
    ),
    Case(
        "1102",
        (*install("DelFiles = Old ;!"), *end("[Old]", "old.sys")),
        (*destination("12"), *install("DelFiles = Old"), *end("[Old]", "old.sys")),
    ),
    Case(
        "1083",
        (("[Drivers]\nsample.sys", "[Drivers]\nsample.sys,,,0x80 ;!"),),
        (("[Drivers]\nsample.sys", "[Drivers]\nsample.sys,,,0x4000"),),
        "copy",
    ),
    Case("1110", install("CopyINF = other.sys ;!"), install("CopyINF = other.INF")),
    Case("1213", ((LISTED, f"{LISTED}\nSAMPLE.CAT = 1 ;!"),), ((LISTED, f"{LISTED}\nsample.catalog = 1"),)),
    Case("1229", after("[Drivers]", ",source.sys ;!"), after("[Drivers]", "a.sys,")),
    Case(
        "1229",
        (*install("RenFiles = Old"), *end("[Old]", "new.sys ;!")),
        (*install("RenFiles = Old"), *end("[Old]", "new.sys,old.sys")),
        "rename",
    ),
    Case("1230", after("[Drivers]", "other.sys ;!"), after("[Drivers]", "SAMPLE.SYS")),
    Case(
        "1230",
        ((LISTED, "[SourceDisksFiles.arm64]\nsample.sys = 1"), ("[Drivers]\nsample.sys", "[Drivers]\nsample.sys ;!")),
        ((LISTED, "[SourceDisksFiles.amd64]\nsample.sys = 1"),),
        "architecture",
    ),
    Case("1231", ((LISTED, f"{LISTED}\nsample.dl_ = 1 ;!"),), ((LISTED, f"{LISTED}\nsample.data_ = 1"),)),
    Case("1241", destination("40000 ;!"), destination("65535")),
    Case("1242", destination("99 ;!"), destination("16425")),
    Case("1243", destination("%13% ;!"), destination("-1")),
    Case(
        "1273",
        ((LISTED, "[SourceDisksFiles]\nsample.sys = 2 ;!"),),
        (("1 = %Disk%", "1 = %Disk%\n2 = %Disk%"), (LISTED, "[SourceDisksFiles]\nsample.sys = 2")),
    ),
    Case(
        "1275",
        (("[DestinationDirs]\nDefaultDestDir = 13\n", ""), ("[Drivers]\nsample.sys", "[Drivers]\nsample.sys ;!")),
        ((DESTINATION, "Drivers = 13"),),
    ),
    Case("1306", destination("16422 ;!"), destination("16425"), mode=Mode.U),
    Case(
        "1322",
        (*destination("12"), ("[Drivers]\nsample.sys", "[Drivers]\nsample.sys ;!")),
        (("DefaultDestDir", "DEFAULTDESTDIR"),),
    ),
    Case(
        "1322",
        (*destination("24"), ("[Drivers]\nsample.sys", "[Drivers]\nsample.sys ;!")),
        destination("12"),
        "exception",
        Mode.H,
    ),
    Case("1340", destination("24 ;!"), destination("11")),
    Case(
        "1341",
        (("ServiceBinary = %13%\\sample.sys", "ServiceBinary = %24%\\sample.sys ;!"),),
        (("ServiceBinary = %13%", "ServiceBinary = %12%"),),
    ),
    Case(
        "1330",
        (*second("CopyFiles = Others"), *end("[Others]", "sample.sys,other.sys ;!")),
        (*second("CopyFiles = Others"), *end("[Others]", "sample2.sys,other.sys")),
    ),
]

REGISTRY = [
    Case(
        "1222",
        added("HKLM,SYSTEM\\ControlSet001\\Control\\X,V,,1 ;!"),
        added("HKLM,System\\CurrentControlSet\\Control\\X,V,,1"),
    ),
    Case("1223", added("HKLM,HARDWARE\\X,V,,1 ;!"), added("HKLM,SOFTWARE\\X,V,,1")),
    Case("1224", added("HKEY,X,V,,1 ;!"), added("hkr,X,V,,1")),
    Case(
        "1226",
        (*added("HKR,,V,,1 ;!"), *end("[Values.security]", '"D:P(A;;GA;;;SY)"')),
        (*added("HKR,Sub,V,,1"), *end("[Values.security]", '"D:P(A;;GA;;;SY)"')),
    ),
    Case("1257", added('HKR,,V,,"%10%" ;!'), added('HKR,,V,,"%%SystemRoot%%"')),
    Case("1258", added('HKR,,V,0x20000,"%11%\\a.dll" ;!'), added('HKR,,V,0x20000,"%13%\\a.dll"')),
    Case("1260", added("HKR,,V,REG_SZ,1 ;!"), added("HKR,,V,0x00010001,1"), "registry"),
    Case(
        "1262",
        (*install("BitReg = Bits"), *end("[Bits]", "HKR,,V,0,0x100,1 ;!")),
        (*install("BitReg = Bits"), *end("[Bits]", "HKR,,V,0,0xFF,1")),
    ),
    Case("1263", added("HKR,,V,0x00070001,1 ;!"), added("HKR,,V,0x00380001,1")),
    Case("1264", added("HKR,,V,0x00380000,1 ;!"), added("HKR,,V,0x00010000,1")),
    Case("1265", added("HKR,,V,0x00000008,x ;!"), added("HKR,,V,0x00010008,x")),
    Case("1267", added("HKR,,V,1,100 ;!"), added("HKR,,V,1,FF,0x01")),
    Case("1268", added("HKR,,V,0x00010001,ten ;!"), added("HKR,,V,0x00010001,0x10")),
    Case("1268", added("HKR,,V,0x00010001,0x100000000 ;!"), added("HKR,,V,0x000B0001,0x100000000"), "too-large"),
    Case(
        "1266",
        (*install("DelReg = Old"), *end("[Old]", "HKR,,V,0x00018002 ;!")),
        (*install("DelReg = Old"), *end("[Old]", "HKR,,V,0x00018002,x")),
    ),
    Case("1303", added("HKR,,CoInstallers32,0x00010000,x.dll ;!"), added("HKR,,CoInstallers,0x00010000,x.dll")),
    Case("1304", added("HKLM,X,V,,1 ;!"), added("HKR,X,V,,1"), mode=Mode.K),
    Case("1305", added("HKR,,V,0x00010008,x ;!"), added("HKR,,V,0x00010000,x")),
    Case("1320", added("HKLM,SOFTWARE\\X,,0x10 ;!"), added("HKR,X,,0x10")),
    Case("1321", added("HKLM,SOFTWARE\\X,V,,1 ;!"), added("HKR,SOFTWARE\\X,V,,1")),
    Case(
        "1321",
        added("HKLM,SOFTWARE\\Khronosis,V,,1 ;!"),
        added("HKLM,SOFTWARE\\Khronos\\Vulkan,V,,1"),
        "exception",
        Mode.H,
    ),
    Case("1323", of_service("HKR,,V,,1 ;!"), of_service("HKR,Parameters\\X,V,,1")),
    Case("1325", added("HKR,CLSID\\{x}\\LocalServer32,,,a.exe ;!"), added("HKR,CLSID\\{x}\\InprocServer32,,,a.dll")),
    Case("1329", added("HKR,,UpperFilters,0x00010000,x ;!"), added("HKR,Filters,UpperFilters,0x00010000,x")),
    Case("1384", (*EXTENSION, *added("HKR,,LowerFilters,0x00010000,x ;!")), added("HKR,,LowerFilters,0x00010000,x")),
    Case(
        "1331",
        (*added("HKLM,SOFTWARE\\X,V,,1"), *second("AddReg = Others"), *end("[Others]", "HKLM,SOFTWARE\\X,V,,2 ;!")),
        (*added("HKR,SOFTWARE\\X,V,,1"), *second("AddReg = Others"), *end("[Others]", "HKR,SOFTWARE\\X,V,,2")),
    ),
    Case(
        "1332",
        (
            *service("AddReg = Values,Others"),
            *end("[Values]", "HKR,Parameters,V,,1", "[Others]", "HKR,Parameters,V,,2 ;!"),
        ),
        of_service("HKR,Parameters,V,,1", "HKR,Parameters,W,,2"),
    ),
    Case("2660", added("HKCR,CLSID\\X,V,,1 ;!"), added("HKR,CLSID\\X,V,,1")),
    Case(
        "2661",
        added("HKR,AudioEngine\\AudioProcessingObjects\\X,V,,1 ;!"),
        (*in_class("AudioProcessingObject"), *added("HKR,AudioEngine\\AudioProcessingObjects\\X,V,,1")),
    ),
]

LEGACY = [
    Case("1300", end("[Sample.NT.CoInstallers] ;!"), end("[CoInstallers]")),
    Case("1300", install("LogConfig = Drivers ;!"), install("; LogConfig = Drivers"), "log-config"),
    Case("1301", install("UpdateInis = Drivers ;!"), install("; UpdateInis = Drivers")),
    Case(
        "1302",
        (*install("RegisterDlls = Dlls"), *end("[Dlls]", "11,,a.dll,1 ;!")),
        (*install("AddReg = Dlls"), *end("[Dlls]", "HKR,,a,,b")),
    ),
    Case("1307", (*in_class("Sample"), *end("[ClassInstall32] ;!")), end("[ClassInstaller]")),
    Case(
        "1307",
        (("Models,NTamd64", "Models,NTamd64.10.0.1 ;!"),),
        (("Models,NTamd64", "Models,NTamd64.10.0"),),
        "product-type",
    ),
    Case(
        "1308",
        (*install("DelReg = Old ;!"), *end("[Old]", "HKR,,V")),
        (*install("AddReg = Old"), *end("[Old]", "HKR,,V")),
    ),
    Case(
        "1309",
        (*destination("12"), *install("DelFiles = Old"), *end("[Old]", "old.sys ;!")),
        install("CopyFiles = @sample.sys"),
    ),
]

CASES = [*FILES, *REGISTRY, *LEGACY]
