"""Cases about interfaces, filters, components, software, events, COM, WMI, audio and network drivers."""

from __future__ import annotations

from tests.support.inf_rule_cases import OWN_GUID, Case, added, end, in_class, install

PROVIDER = (
    "[Sample.NT.Events]",
    f"AddEventProvider = {OWN_GUID},Provider",
    "[Provider]",
    "ProviderName = P",
    "ResourceFile = %13%\\a.dll",
)
SERVER = ("[Sample.NT.COM]", "AddComServer = S,,Server", "[Server]", "ServerType = 1", "ServerBinary = %13%\\a.dll")
CLASS = f"AddComClass = {OWN_GUID},,Class"
SOFTWARE = ("[Sample.NT.Software]", "AddSoftware = S,,Software", "[Software]")
FILTER = ("[Sample.NT.Filters]", "AddFilter = Sample,,Filter", "[Filter]")
COMPONENT = ("[Sample.NT.Components]", "AddComponent = C,,Component", "[Component]")
STORE = ("SoftwareType = 2", "SoftwareID = pfn://x.y.z")
SETUP = ("SoftwareType = 1", "SoftwareVersion = 1.0.0.0")
APO = "HKR,FX\\0,PKEY,,{62DC1A93-AE24-464C-A43E-452F824C4250}"


def channel(kind: str, *lines: str) -> tuple[tuple[str, str], ...]:
    """Add a provider with one channel."""
    return end(*PROVIDER, f"AddChannel = A,{kind},Channel", "[Channel]", *lines)


def channels(one: str, other: str) -> tuple[tuple[str, str], ...]:
    """Add a provider with two channels that have these values."""
    return end(
        *PROVIDER, "AddChannel = A,1,One", "AddChannel = B,1,Other", "[One]", f"Value = {one}", other, "Value = 17"
    )


def network(directive: str, *lines: str) -> tuple[tuple[str, str], ...]:
    """Turn the sample into a network driver."""
    return (
        *in_class("NetDriver"),
        ("[Manufacturer]\n%Vendor% = Models,NTamd64\n\n", ""),
        ("[Models.NTamd64]\n%Device% = Sample,ROOT\\Sample,ROOT\\SampleCompatible\n\n", ""),
        ("[Sample.NT]\n", "[DefaultInstall.NTamd64]\n"),
        ("[Sample.NT.Services]", "[DefaultInstall.NTamd64.Services]"),
        *end("[DefaultInstall.NTamd64.NetDrivers]", directive, "[Net]", *lines),
    )


COMPONENTS = [
    Case("1013", end(*PROVIDER[:2], "[Provider] ;!", PROVIDER[3]), end(*PROVIDER)),
    Case("1006", end(*PROVIDER[:3], "ProviderName = ;!", PROVIDER[4]), end(*PROVIDER)),
    Case(
        "1014",
        end(*SERVER[:3], "ServerType = 2 ;!", SERVER[4], CLASS),
        end(*SERVER[:3], "ServerType = 0x1", SERVER[4], CLASS),
    ),
    Case("1015", end(*PROVIDER[:4], "ResourceFile = a.dll ;!"), end(*PROVIDER)),
    Case(
        "1019",
        end("[Sample.NT.Interfaces]", "AddInterface = {1234} ;!"),
        end("[Sample.NT.Interfaces]", f"AddInterface = {OWN_GUID}"),
    ),
    Case(
        "1078",
        (*install("AddProperty = Props"), *end("[Props]", "DeviceColor,,,,x ;!")),
        (*install("AddProperty = Props"), *end("[Props]", "DeviceModel,,,,x", f"{OWN_GUID},2,18,,x")),
    ),
    Case("1081", end(*FILTER, "FilterPosition = Middle ;!"), end(*FILTER, "FilterPosition = LOWER"), "position"),
    Case("1082", end(FILTER[0], f"{FILTER[1]} ;!", FILTER[2]), end(*FILTER, "FilterLevel = Level"), "filter"),
    Case(
        "1087", end(*FILTER, "FilterLevel = Level", "FilterPosition = Upper ;!"), end(*FILTER, "FilterPosition = Upper")
    ),
    Case(
        "1141",
        end(*SOFTWARE, *SETUP, "SoftwareBinary = C:\\setup.exe ;!"),
        end(*SOFTWARE, *SETUP, "SoftwareBinary = %13%\\setup.exe"),
    ),
    Case("1142", end(*SOFTWARE[:2], "[Software] ;!", "SoftwareType = 2"), end(*SOFTWARE, *STORE)),
    Case(
        "1144",
        end(*SOFTWARE, "SoftwareType = 1 ;!", "SoftwareVersion = 1.0.0.0", "SoftwareBinary = setup.exe"),
        end(*SOFTWARE, *STORE),
    ),
    Case("1150", end(*COMPONENT, "ComponentIDs = SWC\\X ;!"), end(*COMPONENT, "ComponentIDs = VID0001,X")),
    Case(
        "1160",
        end(*SERVER, CLASS, "[Class]", "ThreadingModel = Main ;!"),
        end(*SERVER, CLASS, "[Class]", "ThreadingModel = neutral"),
    ),
    Case("1180", channels("17", "[Other] ;!"), channels("16", "[Other]")),
    Case(
        "1181",
        channel("4", "LoggingRetention = 2", "LoggingAutoBackup = 1 ;!"),
        channel("2", "LoggingRetention = 2", "LoggingAutoBackup = 1"),
    ),
    Case("1182", channel("1", "LoggingAutoBackup = 1 ;!"), channel("1", "LoggingAutoBackup = 0")),
    Case("1245", install("FeatureScore = 100 ;!"), install("FeatureScore = FC")),
    Case(
        "1256",
        end("[Sample.NT.WMI]", f"WMIInterface = {OWN_GUID},2,Wmi ;!", "[Wmi]"),
        end("[Sample.NT.WMI]", f"WMIInterface = {OWN_GUID},1,Wmi", "[Wmi]"),
    ),
    Case(
        "1326",
        end("[Sample.NT.Events]", f"AddAutoLogger = L,{OWN_GUID},Log", "[Log]", "FileName = C:\\log.etl ;!"),
        end("[Sample.NT.Events]", f"AddAutoLogger = L,{OWN_GUID},Log", "[Log]", "FileName = %%DriverData%%\\log.etl"),
    ),
    Case(
        "2662",
        (*added(APO), ("[Sample.NT]", "[Sample.NT] ;!")),
        (*added(APO), ("[Sample.NT]", "[Sample.NT]\nInclude = wdmaudio.inf")),
    ),
    Case(
        "2663",
        (*added(APO), ("[Sample.NT]", "[Sample.NT] ;!\nInclude = wdmaudio.inf")),
        (*added(APO), ("[Sample.NT]", "[Sample.NT]\nInclude = wdmaudio.inf\nNeeds = mssysfx.CopyFilesAndRegister")),
    ),
]

NETWORK = [
    Case("2400", network("AddNetFilter = sample ;!"), network("AddNetFilter = sample,Net")),
    Case(
        "2402",
        network("AddNetFilter = sample,Net", "[DefaultInstall.NTamd64.NetDrivers]", "AddReg = Net ;!"),
        network("AddNetFilter = sample,Net"),
    ),
    Case(
        "2403",
        network("AddNetFilter = sample,Net", "FilterClass = a,b ;!"),
        network("AddNetFilter = sample,Net", "FilterClass = a"),
    ),
    Case(
        "2405",
        end("[Sample.NT.NetDrivers] ;!", "AddNetFilter = sample,Net", "[Net]"),
        network("AddNetFilter = sample,Net"),
    ),
    Case("2412", network("AddNetFilter = Sample-1,Net ;!"), network("AddNetFilter = sample_1,Net")),
    Case(
        "2414",
        network("AddNetFilter = sample,Net", "FilterClass = Compression ;!"),
        network("AddNetFilter = sample,Net", "FilterClass = compression"),
    ),
    Case("2415", network("AddNetFilter = ms_sample,Net ;!"), network("AddNetFilter = msx_sample,Net")),
    Case(
        "2416",
        network("AddNetFilter = sample,Net", "FilterMediaTypes = eth/1 ;!"),
        network("AddNetFilter = sample,Net", "FilterMediaTypes = ethernet,wlan"),
    ),
    Case(
        "2418",
        network("AddNetFilter = sample,Net", "FilterType = 2 ;!"),
        network("AddNetFilter = sample,Net", "FilterType = 1"),
    ),
    Case(
        "2419",
        network("AddNetFilter = sample,Net", "LowerRange = ndissample ;!"),
        network("AddNetFilter = sample,Net", "LowerRange = ndis5"),
    ),
    Case("2420", (*in_class("NetDriver"), ("[Version]", "[Version] ;!")), network("AddNetProtocol = sample,Net")),
    Case(
        "2500",
        network("AddNetFilter = sample,Net", "UpperRange = ndis4 ;!"),
        network("AddNetFilter = sample,Net", "UpperRange = ndis5_ip"),
    ),
]

CASES = [*COMPONENTS, *NETWORK]
