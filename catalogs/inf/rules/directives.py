"""Facts about directives: the sections that may contain them, and their values.

Source: the page of each directive and section in windows-driver-docs, install/ and wdf/.
"""

from __future__ import annotations

from catalogs.inf.uses import Role

SECTIONS_OF: dict[str, frozenset[Role]] = {
    "addservice": frozenset({Role.SERVICES}),
    "delservice": frozenset({Role.SERVICES}),
    "addinterface": frozenset({Role.INTERFACES}),
    "addfilter": frozenset({Role.FILTERS}),
    "addcomponent": frozenset({Role.COMPONENTS}),
    "addsoftware": frozenset({Role.SOFTWARE_LIST}),
    "addeventprovider": frozenset({Role.EVENTS}),
    "addautologger": frozenset({Role.EVENTS}),
    "updateautologger": frozenset({Role.EVENTS}),
    "addchannel": frozenset({Role.EVENT_PROVIDER}),
    "importchannel": frozenset({Role.EVENT_PROVIDER}),
    "addcomserver": frozenset({Role.COM}),
    "addcomclass": frozenset({Role.COM_SERVER}),
    "wmiinterface": frozenset({Role.WMI_LIST}),
    "kmdfservice": frozenset({Role.WDF}),
    "umdfservice": frozenset({Role.WDF}),
    "umdfserviceorder": frozenset({Role.WDF}),
    "copyinf": frozenset({Role.INSTALL}),
    "featurescore": frozenset({Role.INSTALL}),
}
"""Roles of the sections that may contain a directive, by its lower-case name."""

REQUIRED_NAME = {
    "addinterface": "interface class GUID",
    "addfilter": "filter name",
    "addcomponent": "component name",
    "addsoftware": "software name",
    "addeventprovider": "provider GUID",
    "addchannel": "channel name",
    "addcomserver": "COM server name",
    "addcomclass": "class GUID",
    "wmiinterface": "WMI class GUID",
    "kmdfservice": "service name",
    "umdfservice": "service name",
    "copyinf": "file name",
}
"""What the first value of a directive is, for directives that require it."""

REQUIRED_SECTION = {
    "addfilter": 2,
    "addcomponent": 2,
    "addsoftware": 2,
    "addeventprovider": 1,
    "addcomserver": 2,
}
"""Index of the section name, for directives that require it."""

MAX_VALUES = {
    "addservice": 6,
    "addinterface": 4,
    "addfilter": 3,
    "addcomponent": 3,
    "addsoftware": 3,
    "addeventprovider": 2,
    "addchannel": 3,
    "addcomserver": 3,
    "addcomclass": 3,
    "wmiinterface": 3,
    "kmdfservice": 2,
    "umdfservice": 2,
    "featurescore": 1,
    "servicetype": 1,
    "starttype": 1,
    "errorcontrol": 1,
    "servicebinary": 1,
}
"""Number of values that a directive takes."""

SPECIAL_SECTIONS = frozenset(
    """
    version strings manufacturer sourcedisksnames sourcedisksfiles destinationdirs controlflags signatureattributes
    classinstall32 interfaceinstall32 deviceinstall32 defaultinstall defaultuninstall optional components reinstall
    previewer printerpackageinstallation sourcediskfiles
    """.split()  # noqa: SIM905
)
"""First parts of the names of sections that need no reference."""

SERVICE_FLAGS = 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x40 | 0x80 | 0x100 | 0x400 | 0x800 | 0x1000 | 0x2000 | 0x4000 | 0x8000
SERVICE_FLAGS |= 0x10000 | 0x20000 | 0x40000
"""Flags of AddService: inf-addservice-directive.md, and SPSVCINST_UNIQUE_NAME of setupapi.h."""

COPY_FLAGS = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x400 | 0x800 | 0x1000 | 0x2000 | 0x4000
"""Flags of a line in a CopyFiles list: inf-copyfiles-directive.md, and COPYFLG_PROTECTED_WINDOWS_DRIVER_FILE."""

PROPERTY_NAMES = frozenset(
    """
    devicemodel devicevendorwebsite devicedetaileddescription devicedocumentationlink deviceicon devicebrandingicon
    containermodelname containermanufacturer containercategories containericon
    """.split()  # noqa: SIM905
)
"""Names of properties, in lower case: inf-addproperty-directive.md."""

INBOX_SECTIONS = {
    "ks.registration": "ks.inf",
    "wdmaudio.registration": "wdmaudio.inf",
    "wdmportcls.copyfilesonly": "wdmaudio.inf",
    "mssysfx.copyfilesandregister": "wdmaudio.inf",
    "mssysfx.copyfilesandregistercapx": "wdmaudio.inf",
    "msapofxproxy.registration": "wdmaudio.inf",
    "btampm.copyfilesonly": "btampm.inf",
    "usbaudio.copylist": "wdma_usb.inf",
    "usbaudiooem.addreg": "wdma_usb.inf",
    "kscaptur.registration.nt": "kscaptur.inf",
    "hdaudmodel": "hdaudio.inf",
    "hdaudmodel.hw": "hdaudio.inf",
    "hdaudmodel.services": "hdaudio.inf",
    "hdaudmodel.interfaces": "hdaudio.inf",
    "battery_inst": "battery.inf",
    "bthusb.nt": "bth.inf",
    "bthusb.nt.hw": "bth.inf",
    "bthusb.nt.services": "bth.inf",
    "hidcfu.nt": "hidcfu.inf",
    "hidcfu.nt.services": "hidcfu.inf",
    "hidcfu.nt.wdf": "hidcfu.inf",
    "mshidkmdf.nt": "mshidkmdf.inf",
    "mshidkmdf.nt.hw": "mshidkmdf.inf",
    "mshidkmdf.nt.services": "mshidkmdf.inf",
    "mshidkmdf_upperfilter.nt.filters": "mshidkmdf.inf",
    "mshidkmdf_lowerfilter.nt.filters": "mshidkmdf.inf",
    "wudfrd.nt": "wudfrd.inf",
    "wudfrd.nt.hw": "wudfrd.inf",
    "wudfrd.nt.services": "wudfrd.inf",
    "wudfrd_lowerfilter.nt": "wudfrd.inf",
    "wudfrd_lowerfilter.nt.filters": "wudfrd.inf",
}
"""Windows' INF that contains a section, both in lower case, as far as windows-driver-docs names them: audio/,
devtest/inf-verif-error-2084.md, wdf/adding-the-reflector.md, hid/, bluetooth/, battery pages."""

INBOX_BINARIES = {"wudfrd.sys": "wudfrd.inf", "mshidkmdf.sys": "mshidkmdf.inf"}
"""Windows' drivers that an INF must use by including their INF (devtest/inf-verif-error-2084.md)."""
