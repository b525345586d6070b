"""Which sections of an INF are used, and as what: the graph from [Manufacturer] and [DefaultInstall] to registry lists.

A section has no kind of its own: it is an add-registry section because an AddReg directive of a used section names it.
Sources: the pages on the sections and directives in windows-driver-docs, install/ and wdf/.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import StrEnum

from catalogs.inf.driver import DriverInf
from catalogs.inf.install import section_for
from catalogs.inf.lookup import DEFAULT_INSTALL
from catalogs.inf.syntax import Entry, Section
from signer.records import dataclass


class Role(StrEnum):
    """What a section is used as. The values name the directive or suffix that leads to it."""

    INSTALL = "DDInstall"
    HARDWARE = "DDInstall.HW"
    SERVICES = "DDInstall.Services"
    CO_INSTALLERS = "DDInstall.CoInstallers"
    INTERFACES = "DDInstall.Interfaces"
    FILTERS = "DDInstall.Filters"
    COMPONENTS = "DDInstall.Components"
    SOFTWARE_LIST = "DDInstall.Software"
    EVENTS = "DDInstall.Events"
    COM = "DDInstall.COM"
    WMI_LIST = "DDInstall.WMI"
    WDF = "DDInstall.WDF"
    FACT_DEF = "DDInstall.FactDef"
    LOG_CONFIG_OVERRIDE = "DDInstall.LogConfigOverride"
    NET_DRIVERS = "DefaultInstall.NetDrivers"
    UNINSTALL = "DefaultUninstall"
    CLASS_INSTALL = "ClassInstall32"
    INTERFACE_INSTALL = "InterfaceInstall32"
    ADD_REG = "AddReg"
    DEL_REG = "DelReg"
    BIT_REG = "BitReg"
    COPY_FILES = "CopyFiles"
    DEL_FILES = "DelFiles"
    REN_FILES = "RenFiles"
    PROPERTY = "AddProperty"
    DEL_PROPERTY = "DelProperty"
    REGISTER_DLLS = "RegisterDlls"
    UNREGISTER_DLLS = "UnregisterDlls"
    SERVICE = "AddService"
    EVENT_LOG = "AddService event log"
    INTERFACE = "AddInterface"
    FILTER = "AddFilter"
    COMPONENT = "AddComponent"
    SOFTWARE = "AddSoftware"
    EVENT_PROVIDER = "AddEventProvider"
    CHANNEL = "AddChannel"
    AUTO_LOGGER = "AddAutoLogger"
    COM_SERVER = "AddComServer"
    COM_CLASS = "AddComClass"
    WMI = "WMIInterface"
    KMDF = "KmdfService"
    UMDF = "UmdfService"
    TRIGGER = "AddTrigger"
    FAILURE_ACTIONS = "FailureActions"
    NET_COMPONENT = "AddNetFilter"
    OTHER = "other"


SUFFIXES = {
    ".hw": Role.HARDWARE,
    ".services": Role.SERVICES,
    ".coinstallers": Role.CO_INSTALLERS,
    ".interfaces": Role.INTERFACES,
    ".filters": Role.FILTERS,
    ".components": Role.COMPONENTS,
    ".software": Role.SOFTWARE_LIST,
    ".events": Role.EVENTS,
    ".com": Role.COM,
    ".wmi": Role.WMI_LIST,
    ".wdf": Role.WDF,
    ".factdef": Role.FACT_DEF,
    ".logconfigoverride": Role.LOG_CONFIG_OVERRIDE,
    ".netdrivers": Role.NET_DRIVERS,
}
"""Roles of the sections beside an install section, by the suffix of their name."""

LISTS = {
    "addreg": Role.ADD_REG,
    "delreg": Role.DEL_REG,
    "bitreg": Role.BIT_REG,
    "copyfiles": Role.COPY_FILES,
    "delfiles": Role.DEL_FILES,
    "renfiles": Role.REN_FILES,
    "addproperty": Role.PROPERTY,
    "delproperty": Role.DEL_PROPERTY,
    "registerdlls": Role.REGISTER_DLLS,
    "unregisterdlls": Role.UNREGISTER_DLLS,
    "addtrigger": Role.TRIGGER,
    "failureactions": Role.FAILURE_ACTIONS,
    "addpowersetting": Role.OTHER,
    "ini2reg": Role.OTHER,
    "logconfig": Role.OTHER,
    "profileitems": Role.OTHER,
    "updateinifields": Role.OTHER,
    "updateinis": Role.OTHER,
}
"""Directives whose values are all section names."""

NAMED = {
    "addservice": ((2, Role.SERVICE), (3, Role.EVENT_LOG)),
    "addinterface": ((2, Role.INTERFACE),),
    "addfilter": ((2, Role.FILTER),),
    "addcomponent": ((2, Role.COMPONENT),),
    "addsoftware": ((2, Role.SOFTWARE),),
    "addeventprovider": ((1, Role.EVENT_PROVIDER),),
    "addchannel": ((2, Role.CHANNEL),),
    "addautologger": ((2, Role.AUTO_LOGGER),),
    "updateautologger": ((1, Role.AUTO_LOGGER),),
    "addautologgerprovider": ((1, Role.OTHER),),
    "addcomserver": ((2, Role.COM_SERVER),),
    "addcomclass": ((2, Role.COM_CLASS),),
    "kmdfservice": ((1, Role.KMDF),),
    "umdfservice": ((1, Role.UMDF),),
    "wmiinterface": ((2, Role.WMI),),
    "addnetfilter": ((1, Role.NET_COMPONENT),),
    "addnetprotocol": ((1, Role.NET_COMPONENT),),
}
"""For directives with section names in some values: the indexes of these values, and the role of the sections."""

WITHOUT_DIRECTIVES = frozenset(
    {
        Role.ADD_REG,
        Role.DEL_REG,
        Role.BIT_REG,
        Role.COPY_FILES,
        Role.DEL_FILES,
        Role.REN_FILES,
        Role.PROPERTY,
        Role.DEL_PROPERTY,
        Role.REGISTER_DLLS,
        Role.UNREGISTER_DLLS,
        Role.INTERFACE_INSTALL,
        Role.OTHER,
    }
)
"""Roles of sections that contain lists instead of directives."""


_OTHERS = {
    "classinstall32": Role.CLASS_INSTALL,
    "interfaceinstall32": Role.INTERFACE_INSTALL,
    "defaultuninstall": Role.UNINSTALL,
}
"""Sections that Windows uses without a reference, by their name without decorations."""
_MAX_TARGETS = 31
_ALL = (1 << (_MAX_TARGETS + 1)) - 1
"""Bits of all targets. More than 32 different decorations share the last bit."""


@dataclass(frozen=True, eq=False, slots=True)
class Use:
    """A section in one role, with the first use that leads to it."""

    role: Role
    section: Section
    parent: Use | None
    by: Entry | None
    """The directive that names the section; None for install sections and the sections beside them."""
    origin: Use | None
    """The install section, or the section beside it, from which this use comes; None if it is one itself."""
    needed: bool
    """True if a Needs directive of a section in the same role names it."""

    @property
    def root(self) -> Role:
        """Role of the install section, or of the section beside it, from which this use comes."""
        return self.role if self.origin is None else self.origin.role

    def entries(self, *keys: str) -> Iterator[Entry]:
        """Yield the entries with one of these keys, which are in lower case."""
        for key in keys:
            yield from self.section.all(key)


_Key = tuple[Role, str]


class Uses:
    """The uses of all sections of an INF. Each section is read once in each role."""

    def __init__(self, driver: DriverInf) -> None:
        self._inf = driver.inf
        self._found: dict[_Key, Use] = {}
        self._by_role: dict[Role, list[Use]] = {}
        self._targets: dict[_Key, int] = {}
        self._edges: dict[_Key, list[_Key]] = {}
        self._waiting: deque[_Key] = deque()
        self.installs = _install_sections(driver)
        """The install sections by lower-case name, each with the bits of its targets."""
        for section, targets in self.installs.values():
            self._add_install(section, targets)
        self._add_others()
        while self._waiting:
            self._follow(self._found[self._waiting.popleft()])
        self._pass_on_targets()

    def __iter__(self) -> Iterator[Use]:
        return iter(self._found.values())

    def of(self, *roles: Role) -> Iterator[Use]:
        """Yield the uses in some roles."""
        for role in roles:
            yield from self._by_role.get(role, ())

    def names(self) -> set[str]:
        """Return the lower-case names of all used sections."""
        return {name for _, name in self._found}

    def together(self, one: Use, other: Use) -> bool:
        """Tell whether one machine may use both: their install sections belong to the same Models decoration."""
        return bool(self._targets.get(_key(one), 0) & self._targets.get(_key(other), 0))

    def _add_install(self, section: Section, targets: int) -> None:
        use = self._add(Role.INSTALL, section, None, None, targets=targets)
        for suffix, role in SUFFIXES.items():
            beside = self._inf.section(section.name + suffix)
            if beside is not None:
                self._add(role, beside, use, None)

    def _add_others(self) -> None:
        for name, section in self._inf.sections.items():
            base, services = name.partition(".")[0], name.endswith(".services")
            if base in _OTHERS:
                self._add(Role.SERVICES if services else _OTHERS[base], section, None, None, targets=_ALL)

    def _add(self, role: Role, section: Section, parent: Use | None, by: Entry | None, *, targets: int = 0) -> Use:
        """Add a use, if it is new, and return it. `targets` are those of an install section."""
        key = (role, section.name.lower())
        if parent is not None:
            self._edges.setdefault(_key(parent), []).append(key)
        self._targets[key] = self._targets.get(key, 0) | targets
        if key not in self._found:
            origin = None if parent is None or by is None else parent.origin or parent
            needed = by is not None and (by.key or "").lower() == "needs"
            self._found[key] = Use(role, section, parent, by, origin, needed)
            self._by_role.setdefault(role, []).append(self._found[key])
            if role not in WITHOUT_DIRECTIVES or role is Role.INTERFACE_INSTALL:
                self._waiting.append(key)
        return self._found[key]

    def _follow(self, use: Use) -> None:
        """Add the sections that the directives of a section name."""
        for entry in use.section.entries:
            key = (entry.key or "").lower()
            if use.role is Role.INTERFACE_INSTALL:
                self._add_named(Role.INTERFACE, entry.values[:1], use, entry)
            elif key in LISTS:
                self._add_named(LISTS[key], entry.values, use, entry)
            elif key in NAMED:
                for index, role in NAMED[key]:
                    self._add_named(role, (entry.value(index),), use, entry)
            elif key == "needs":
                self._add_named(use.role, entry.values, use, entry)

    def _add_named(self, role: Role, names: tuple[str, ...], use: Use, by: Entry) -> None:
        for name in names:
            section = self._inf.section(name) if name and name[0] != "@" else None
            if section is not None:
                self._add(role, section, use, by)

    def _pass_on_targets(self) -> None:
        """Give every use the targets of the uses that lead to it. Each use is visited once for each new target."""
        waiting = list(self._found)
        while waiting:
            key = waiting.pop()
            for edge in self._edges.get(key, ()):
                joined = self._targets[edge] | self._targets[key]
                if joined != self._targets[edge]:
                    self._targets[edge] = joined
                    waiting.append(edge)


def _key(use: Use) -> _Key:
    return (use.role, use.section.name.lower())


def _install_sections(driver: DriverInf) -> dict[str, tuple[Section, int]]:
    """Return the sections that models name, and the [DefaultInstall] sections, each with the bits of its targets."""
    found: dict[str, tuple[Section, int]] = {}
    bits: dict[str, int] = {}
    for models in {models.name.lower(): models for models in driver.models}.values():
        architecture = models.target.architecture or "x86"
        bit = bits.setdefault(models.target.text.lower(), 1 << min(len(bits), _MAX_TARGETS))
        for install in dict.fromkeys(model.install for model in models.models or ()):
            section = section_for(driver.inf, install, architecture)
            if section is not None:
                name = section.name.lower()
                found[name] = (section, found.get(name, (section, 0))[1] | bit)
    for name, section in driver.inf.sections.items():
        base, _, rest = name.partition(".")
        if base == DEFAULT_INSTALL.lower() and not name.endswith(tuple(SUFFIXES)):
            found[name] = (section, bits.setdefault(rest, 1 << min(len(bits), _MAX_TARGETS)))
    return found
