"""Cases about references between sections, services and frameworks."""

from __future__ import annotations

from tests.support.inf_rule_cases import DISPLAY, EXTENSION, Case, end, install, service, services

SECOND = ("[Other]", "ServiceType = 1", "StartType = 3", "ErrorControl = 1", "ServiceBinary = %13%\\sample.sys")
BINARY = "ServiceBinary = %13%\\sample.sys"
USER_MODE = ("[Sample.NT.Wdf]", "UmdfService = Umdf,Umdf_Install", "UmdfServiceOrder = Umdf", "[Umdf_Install]")

CASES = [
    Case("1005", install("AddReg = ;!"), install("AddReg = Service")),
    Case("1005", services("AddService = Other,0 ;!"), services("AddService = ,2"), "service"),
    Case(
        "1080",
        end("[Sample.NT.Filters]", "AddFilter = ,,F ;!", "[F]", "FilterPosition = Upper"),
        end("[Sample.NT.Filters]", "AddFilter = Sample,,F", "[F]", "FilterPosition = Upper"),
    ),
    Case(
        "1085",
        end("[Sample.NT.Wdf]", "KmdfService = Sample ;!"),
        end("[Sample.NT.Wdf]", "KmdfService = Sample,K", "[K]", "KmdfLibraryVersion = 1.15"),
    ),
    Case(
        "1086",
        end("[Sample.NT.Filters]", "AddFilter = A,,F", "AddFilter = a,,F ;!", "[F]", "FilterPosition = Upper"),
        end("[Sample.NT.Filters]", "AddFilter = A,,F", "AddFilter = B,,F", "[F]", "FilterPosition = Upper"),
    ),
    Case(
        "1201",
        (("Sample,2,Service", "Sample,2,Service,,System,Event,More ;!"),),
        (("Sample,2,Service", "Sample,2,Service,,System,Event"),),
    ),
    Case(
        "1203",
        (("CopyFiles = Drivers", "CopyFiles = Drivers,sample.sys ;!"),),
        (("CopyFiles = Drivers", "CopyFiles = Drivers,@sample.sys"),),
    ),
    Case("1203", (("Models,NTamd64", "Models,NTamd64,NTx86 ;!"),), (("Models,NTamd64", "MODELS,NTamd64"),), "models"),
    Case("1205", ((("[Drivers]"), "[Drivers] ;!"), *install("DelFiles = Drivers")), install("DelFiles = Old", "[Old]")),
    Case("1206", install("AddReg = Drivers ;!"), install("DelFiles = Drivers")),
    Case("1209", end("[Service] ;!"), end("[Services]")),
    Case("1220", install("Include = other.inf", "AddReg = Other ;!"), install("Include = other.inf", "Needs = Other")),
    Case("1290", install("AddService = ,2 ;!"), services("DelService = Old")),
    Case("2083", end("[Lonely] ;!"), end("[Drivers.security]", '"D:P(A;;GA;;;SY)"')),
    Case("1253", services("AddService = ,0 ;!"), services("AddService = ,2")),
    Case("1272", services("AddService = ,2,Service ;!"), services("AddService = ,2")),
    Case("1310", end("[Sample.NT.HW]", "Needs = Other.Services ;!"), end("[Sample.NT.HW]", "Needs = Other.HW")),
    Case(
        "1311",
        end("[Sample.NT.HW]", "Needs = Other ;!", "[Other]"),
        end("[Sample.NT.HW]", "Needs = Other.HW", "[Other.HW]"),
    ),
    Case(
        "1312",
        end("[Sample.NT.HW]", "Needs = A.HW", "[A.HW]", "Needs = B.Filters ;!"),
        end("[Sample.NT.HW]", "Needs = A.HW", "[A.HW]", "Needs = B.HW"),
    ),
    Case(
        "1313",
        end("[Sample.NT.HW]", "Needs = A.HW", "[A.HW]", "Needs = B ;!", "[B]"),
        end("[Sample.NT.HW]", "Needs = A.HW", "[A.HW]", "Needs = B.HW", "[B.HW]"),
    ),
    Case(
        "1314",
        (*install("Include = ks.inf", "Needs = KS.Registration"), *end("[Sample.NT.HW]", "Needs = KS.Registration ;!")),
        install("Include = ks.inf", "Needs = KS.Registration"),
    ),
    Case(
        "1319",
        install("Include = other.inf", "Needs = KS.Registration ;!"),
        install("Include = other.inf,KS.INF", "Needs = KS.Registration"),
    ),
    Case("2651", install("Needs = KS.Registration ;!"), install("Include = ks.inf", "Needs = KS.Registration")),
    Case("1082", install("Include = ks.sys ;!"), install("Include = KS.INF")),
    Case(
        "1021",
        services(f"AddService = {'x' * 257},0x10000,Service ;!"),
        services(f"AddService = {'x' * 256},0x10000,Service"),
    ),
    Case("1022", services("AddService = Sample,0x10000,Service ;!"), services("AddService = Other,0x10000,Service")),
    Case("1211", services("AddService = Other,2,Service ;!"), services("AddService = Other,0,Service")),
    Case("1234", (("[Service]", "[Service] ;!"), ("ErrorControl = 1\n", "")), (("ErrorControl", "ERRORCONTROL"),)),
    Case("1234", ((BINARY, "ServiceBinary = ;!"),), ((BINARY, BINARY.upper()),), "empty"),
    Case(
        "1250",
        (("Sample,2,Service", "Sample,2,Service,,Other ;!"),),
        (("Sample,2,Service", "Sample,2,Service,,security"),),
    ),
    Case("2006", (("Sample,2,Service\n", "Sample,2,Services ;!\n"),), (("Sample,2,Service\n", "Sample,2,SERVICE\n"),)),
    Case(
        "1383",
        (*EXTENSION, ("Sample,2,Service", "Sample,2,Service ;!")),
        (*EXTENSION, ("Sample,2,Service", "Sample,0,Service")),
    ),
    Case(
        "1083", (("Sample,2,Service", "Sample,0x80002,Service ;!"),), (("Sample,2,Service", "Sample,0x40002,Service"),)
    ),
    Case("1260", (("Sample,2,Service", "Sample,two,Service ;!"),), (("Sample,2,Service", "Sample,0x2,Service"),)),
    Case("1081", (("StartType = 3", "StartType = 5 ;!"),), (("StartType = 3", "StartType = 0x4"),)),
    Case(
        "1251",
        (("StartType = 3", "StartType = 4 ;!"),),
        (("StartType = 3", "StartType = 4"), ("Sample,2,Service", "Sample,0,Service")),
    ),
    Case(
        "1252",
        (("ServiceType = 1", "ServiceType = 0x10"), ("StartType = 3", "StartType = 1 ;!")),
        (("StartType = 3", "StartType = 1"),),
    ),
    Case(
        "1252",
        service("DelayedAutoStart = 1 ;!"),
        (("ServiceType = 1", "ServiceType = 0x10"), *service("DelayedAutoStart = 1")),
        "driver",
    ),
    Case(
        "1254",
        ((BINARY, 'ServiceBinary = """%13%\\sample.sys" ;!'),),
        ((BINARY, 'ServiceBinary = """%13%\\sample.sys"""'),),
    ),
    Case("2084", ((BINARY, "ServiceBinary = %13%\\sampel.sys ;!"),), ((BINARY, "ServiceBinary = %13%\\SAMPLE.SYS"),)),
    Case(
        "2084",
        ((BINARY, "ServiceBinary = %13%\\a b\\sample.sys ;!"),),
        ((BINARY, 'ServiceBinary = """%13%\\a b\\sample.sys"" -k"'),),
        "spaces",
    ),
    Case(
        "2085",
        ((BINARY, "ServiceBinary = System32\\drivers\\sample.sys ;!"),),
        ((BINARY, "ServiceBinary = %12%\\sample.sys"),),
    ),
    Case("2650", ((BINARY, "ServiceBinary = %12%\\WUDFRd.sys ;!"),), ((BINARY, "ServiceBinary = %12%\\MyWUDFRd.sys"),)),
    Case(
        "1333",
        (
            *services("AddService = Sample,0,Other"),
            *end(*(f"{line} ;!" if line == "[Other]" else line for line in SECOND), "LoadOrderGroup = X"),
        ),
        (*services("AddService = Sample,0,Other"), *end(*SECOND)),
    ),
    Case("1084", end(*USER_MODE[:-1], "[Umdf_Install] ;!"), end(*USER_MODE, "UmdfLibraryVersion = 2.15.0")),
    Case(
        "1400",
        end("[Sample.NT.Wdf]", "UmdfService = Umdf,U ;!", "[U]", "UmdfLibraryVersion = 2.15.0"),
        end(*USER_MODE, "UmdfLibraryVersion = 2.15.0"),
    ),
    Case(
        "1401",
        end(*USER_MODE, "UmdfLibraryVersion = 2.15.0", "DriverCLSID = {x} ;!"),
        end(*USER_MODE, "UmdfLibraryVersion = 1.11.0", "DriverCLSID = {x}"),
    ),
    Case("1402", end(*USER_MODE, "UmdfLibraryVersion = 1.11.0 ;!"), end(*USER_MODE, "UmdfLibraryVersion = 2.0.0")),
    Case(
        "2600",
        (*DISPLAY, (BINARY, "ServiceBinary = %12%\\sample.sys ;!")),
        ((BINARY, "ServiceBinary = %12%\\sample.sys"),),
    ),
    Case(
        "2601",
        (
            *DISPLAY,
            ("DefaultDestDir = 13", "DefaultDestDir = 12"),
            ("[Drivers]\nsample.sys", "[Drivers]\nsample.sys ;!"),
        ),
        DISPLAY,
    ),
    Case("2602", (*DISPLAY, ("StartType = 3", "StartType = 1 ;!")), (*DISPLAY, ("StartType = 3", "StartType = 0x3"))),
]
