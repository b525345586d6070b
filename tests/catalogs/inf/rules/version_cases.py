"""Cases about the text of the INF, [Version], devices and primitive drivers."""

from __future__ import annotations

from tests.support.inf_rule_cases import EXTENSION, OWN_GUID, Case, after, end, in_class, version

GUID = "ClassGuid = {4d36e97d-e325-11ce-bfc1-08002be10318}"
NO_MODELS = (
    ("[Manufacturer]\n%Vendor% = Models,NTamd64\n\n", ""),
    ("[Models.NTamd64]\n%Device% = Sample,ROOT\\Sample,ROOT\\SampleCompatible\n\n", ""),
)


def primitive(install: str) -> tuple[tuple[str, str], ...]:
    """Turn the sample into an INF without models."""
    return (*NO_MODELS, ("[Sample.NT]\n", f"[{install}] ;!\n"), ("[Sample.NT.Services]", f"[{install}.Services]"))


CASES = [
    Case(
        "1001", ((('[Version]\nSignature = "$Windows NT$"\n'), "[Version] ;!\n"),), (("$Windows NT$", "$WINDOWS NT$"),)
    ),
    Case(
        "1001",
        (('[Version]\nSignature = "$Windows NT$"', '[Version] ;!\nSignature = "$Other$"'),),
        (('"$Windows NT$"', "$Windows NT$"),),
        "unknown",
    ),
    Case("1010", ((GUID, "ClassGuid = 4d36e97d-e325-11ce-bfc1-08002be10318 ;!"),), ((GUID, GUID.upper()),)),
    Case("1088", version("PnpLockdown = 1 ;!"), version("; PnpLockdown = 1")),
    Case(
        "1204",
        (("Provider = %Vendor%", "Provider = Microsoft Corporation ;!"),),
        (('"Sample Vendor"', '"Contoso Microsoft"'),),
    ),
    Case("1214", (("CatalogFile = sample.cat", "CatalogFile = sample.catalog ;!"),), (("sample.cat", "SAMPLE.CAT"),)),
    Case("1217", (("1.2.3.4", "1.2.3 ;!"),), (("1.2.3.4", "65535.0.0.0"),), "three-parts"),
    Case("1217", (("1.2.3.4", "1.2.3.65536 ;!"),), (("1.2.3.4", "1.2.3.65535"),), "too-large"),
    Case("1218", (("05/01/2024,1.2.3.4", "13/01/2024,1.2.3.4 ;!"),), (("05/01/2024", "12/31/2024"),)),
    Case(
        "1233",
        (("[Version]", "[Version] ;!"), ("CatalogFile = sample.cat\n", "")),
        (("CatalogFile =", "CatalogFile.NTamd64 ="),),
    ),
    Case("1280", (("Class = System", "Class = Sample"), (GUID, f"{GUID} ;!")), in_class("Sample")),
    Case("1281", ((GUID, "ClassGuid = {4d36e972-e325-11ce-bfc1-08002be10318} ;!"),), ((GUID, GUID.upper()),)),
    Case(
        "1284",
        (("Class = System", "Class = PrintQueue"), (GUID, f"ClassGuid = {OWN_GUID} ;!")),
        in_class("PrintQueues"),
    ),
    Case("1285", end("[ClassInstall32] ;!"), (*in_class("Sample"), *end("[ClassInstall32]"))),
    Case("1286", (*in_class("x"), ("Class = x", f"Class = {'x' * 32} ;!")), in_class("x" * 31)),
    Case(
        "1289",
        (("[Version]", "[Version] ;!"), ("Provider = %Vendor%\n", "")),
        (("Provider =", "PROVIDER ="),),
        "provider",
    ),
    Case("1289", (("[Version]", "[Version] ;!"), (f"{GUID}\n", "")), (("ClassGuid", "CLASSGUID"),), "class-guid"),
    Case(
        "1289",
        (("[Version]", "[Version] ;!"), ("DriverVer = 05/01/2024,1.2.3.4\n", "")),
        (("DriverVer", "driverver"),),
        "date",
    ),
    Case("1292", version("DriverPackageDisplayName = Sample ;!"), version("DriverPackageDisplayName = %Vendor%")),
    Case("2009", version("DriverPackageType = PlugAndPlay ;!"), version("ClassVer = 4.0")),
    Case("1324", (("[Version]", "[Version] ;!"), ("PnpLockdown = 1\n", "")), (("PnpLockdown", "PNPLOCKDOWN"),)),
    Case("1324", (("PnpLockdown = 1", "PnpLockdown = 0 ;!"),), (("PnpLockdown = 1", "PnpLockdown=1"),), "zero"),
    Case("1380", (*EXTENSION, *version("ExtensionId = 1234 ;!")), (*EXTENSION, *version(f"ExtensionId = {OWN_GUID}"))),
    Case("1381", (*EXTENSION, ("[Version]", "[Version] ;!")), (*EXTENSION, *version(f"ExtensionId = {OWN_GUID}"))),
    Case("1235", after("[Drivers]", "%Other%.sys ;!"), after("[Drivers]", "%%Other%%.sys")),
    Case("1235", after("[Drivers]", "%Disc%.sys ;!"), after("[Drivers]", "%Disk%.sys"), "spelling"),
    Case("1274", (("Models,NTamd64", "Models,NT$ARCH$ ;!"),), after("[Drivers]", "$ARCHIVE$.sys")),
    Case("1294", end("Disk = Other ;!"), end('Disk = "Sample Disk"')),
    Case(
        "1295",
        end("[Strings.0407] ;!", "Vendor = V", "Device = D"),
        end("[Strings.0407]", "Vendor = V", "Device = D", "Disk = D"),
    ),
    Case("long-field", after("[Drivers]", "x" * 4096 + " ;!"), after("[Drivers]", "x" * 4095)),
    Case(
        "1011",
        (("Models,NTamd64\n", "Models,NTamd64\nOther = ;!\n"),),
        (("Models,NTamd64\n", "Models,NTamd64\nModels\n"),),
    ),
    Case(
        "2010",
        (("Models,NTamd64", "Models ;!"), ("[Models.NTamd64]", "[Models]")),
        (("Models,NTamd64", "Models,NTx86"), ("[Models.NTamd64]", "[Models.NTx86]")),
    ),
    Case(
        "1287",
        (("Models,NTamd64", "Models,NTamd64,NTx64 ;!"),),
        (("Models,NTamd64", "Models,NTamd64.10.0...16299"), ("[Models.NTamd64]", "[Models.NTamd64.10.0...16299]")),
    ),
    Case(
        "1288",
        (("Models,NTamd64", "Models,NTamd64.10.0...10586 ;!"),),
        (("Models,NTamd64", "Models,NTamd64.10.0...14310"),),
    ),
    Case(
        "1261",
        (("= Sample,ROOT\\Sample,ROOT\\SampleCompatible", "= Other,ROOT\\Sample ;!"),),
        (("[Sample.NT]", "[Sample.NTamd64]"),),
    ),
    Case(
        "1271",
        (("= Sample,ROOT\\Sample,ROOT\\SampleCompatible", "= ,ROOT\\Sample ;!"),),
        (("= Sample,ROOT", "= SAMPLE,ROOT"),),
    ),
    Case(
        "1297",
        (("[Manufacturer]", "[Manufacturer] ;!"), (",ROOT\\Sample,ROOT\\SampleCompatible", "")),
        ((",ROOT\\SampleCompatible", ""),),
    ),
    Case(
        "1270",
        end("[DeviceInstall32] ;!", "AddDevice = ROOT\\X\\0000,,New", "[New]", "HardwareIds = ROOT\\Other"),
        end("[DeviceInstall32]", "AddDevice = ROOT\\X\\0000,,New", "[New]", "HardwareIds = root\\sample"),
    ),
    Case(
        "1296",
        (
            ("= Sample,ROOT\\Sample,ROOT\\SampleCompatible", "= Sample,ROOT\\Sample ;!"),
            ("[Sample.NT.Services]", "[Sample.Services]"),
        ),
        (("Sample,2,Service", ",2"),),
    ),
    Case(
        "1199",
        end("[Sample.NT.Filters]", "AddFilter = Sample,,Filter ;!", "[Filter]", "FilterPosition = Upper"),
        (
            ("Models,NTamd64", "Models,NTamd64.10.0...18362"),
            ("[Models.NTamd64]", "[Models.NTamd64.10.0...18362]"),
            *end("[Sample.NT.Filters]", "AddFilter = Sample,,Filter", "[Filter]", "FilterPosition = Upper"),
        ),
    ),
    Case("1212", end("[DefaultInstall.NTamd64] ;!"), end("[DefaultInstaller.NTamd64]")),
    Case("1421", primitive("DefaultInstall"), primitive("DefaultInstall.NTamd64")),
    Case(
        "1422",
        (*primitive("DefaultInstall.NTamd64")[:2], *end("[DefaultUninstall.NTamd64] ;!")),
        (*NO_MODELS, *end("[DefaultUninstall.NTamd64]", "LegacyUninstall = 1")),
    ),
    Case("1423", primitive("DefaultInstall.NT"), primitive("DefaultInstall.NTarm64")),
]
