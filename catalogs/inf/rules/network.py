"""Rules about network drivers of the class NetDriver.

Microsoft's messages name the section [DefaultInstall.NetDrivers] and the directives AddNetFilter and AddNetProtocol.
The keys of their sections are those of the network pages (windows-driver-docs, network/
configuring-an-inf-file-for-a-modifying-filter-driver.md, network/specifying-binding-interfaces.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.syntax import Entry
from catalogs.inf.uses import Role

_CLASS = "netdriver"
_IDENTIFIER = re.compile(r"[a-z0-9_]+")
_BIND_TOKEN = re.compile(r"[a-z0-9_.]+")
_MODIFYING = "2"
_RANGES = ("FilterMediaTypes", "UpperRange", "LowerRange")
_OBSOLETE_TOKENS = frozenset({"ndis2", "ndis3", "ndis4", "ndis5_streams"})
_STANDARD_TOKENS = frozenset(
    """
    ndis5 ndis4 ndis3 ndis2 ndis5_atalk ndis5_dlc ndis5_ip ndis5_ipx ndis5_nbf ndis5_streams ndiswan ndiswanasync
    ndiswanip ndiswanipv6 ndiswannbf ndiswanbh ndis1394 ndisatm ndiscowan ndiscoip
    """.split()  # noqa: SIM905
)
"""Microsoft-supplied values of UpperRange and LowerRange that begin with `ndis`."""
_SINGLE = ("FilterClass", "FilterType", "FilterRunType")


def _components(subject: Subject) -> Iterator[Entry]:
    for use in subject.of(Role.NET_DRIVERS):
        yield from use.entries("addnetfilter", "addnetprotocol")


@checks("2405", "2420")
def net_driver_class(subject: Subject) -> Iterator[Finding]:
    """Find [DefaultInstall.NetDrivers] in another class, and NetDriver INFs without it."""
    uses = list(subject.of(Role.NET_DRIVERS))
    if subject.device_class != _CLASS:
        for use in uses:
            yield found("2405", use.section.line)
    elif not any(True for _ in _components(subject)):
        yield found("2420", uses[0].section.line if uses else subject.driver.version.line, "DefaultInstall.NetDrivers")


@checks("2400", "2412", "2415")
def component_names(subject: Subject) -> Iterator[Finding]:
    """Find wrong identifiers of network components."""
    for entry in _components(subject):
        name = entry.value()
        if len(entry.values) != 2 or not all(entry.values):
            yield found("2400", entry.line, entry.key or "")
        elif not _IDENTIFIER.fullmatch(name):
            yield found("2412", entry.line, name)
        elif name.startswith(("ms_", "vms_")):
            yield found("2415", entry.line, name)


@checks("2403", "2414", "2418")
def filter_classes(subject: Subject) -> Iterator[Finding]:
    """Find wrong filter classes, and modifying filters without one."""
    for use in subject.of(Role.NET_COMPONENT):
        kind, class_ = use.section.first("FilterType"), use.section.first("FilterClass")
        for key in _SINGLE:
            for entry in use.section.all(key):
                if len(entry.values) != 1:
                    yield found("2403", entry.line, key, str(len(entry.values)))
        if class_ is not None and not _IDENTIFIER.fullmatch(class_.value()):
            yield found("2414", class_.line, "FilterClass", class_.value())
        if kind is not None and kind.value() == _MODIFYING and class_ is None:
            yield found("2418", kind.line)


@checks("2416", "2419", "2500")
def bind_tokens(subject: Subject) -> Iterator[Finding]:
    """Find wrong, reserved and obsolete bind tokens."""
    for use in subject.of(Role.NET_COMPONENT):
        for key in _RANGES:
            for entry in use.section.all(key):
                yield from _tokens(entry, key)


def _tokens(entry: Entry, key: str) -> Iterator[Finding]:
    for token in entry.values:
        if not _BIND_TOKEN.fullmatch(token):
            yield found("2416", entry.line, key, token)
        elif token in _OBSOLETE_TOKENS:
            yield found("2500", entry.line, token)
        elif token.startswith(("ms_", "ndis")) and token not in _STANDARD_TOKENS:
            yield found("2419", entry.line, token)
