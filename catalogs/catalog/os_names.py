"""Windows releases for catalogs: Inf2Cat's /os names, the tokens in `OS`, and the versions in `OSAttr`.

Sources: names from "Inf2Cat" (windows-driver-docs, devtest/inf2cat.md) and, for releases that were removed from the
page, its earlier editions; tokens and OSAttr values from several hundred real catalogs. `confirmed` is False for a row
that no real catalog confirms.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from signer.errors import UsageError
from signer.records import dataclass


@dataclass(frozen=True)
class OsName:
    """A Windows release and architecture with a name for Inf2Cat's /os."""

    option: str
    """The /os name in Microsoft's spelling, such as `10_VB_X64`; case is ignored in input."""
    token: str
    """Token in the catalog's `OS` attribute, such as `_v100_X64_Vb`."""
    versions: tuple[str, ...]
    """Kernel versions in `OSAttr`, such as `("10.0",)`. Only XP x64 has two."""
    architecture: str
    """Name of the architecture in INF decorations: `x86`, `amd64`, `ia64`, `arm` or `arm64`."""
    release: tuple[int, int, int]
    """Kernel version and build, compared with TargetOS decorations."""
    server: bool = False
    """True for a server release."""
    confirmed: bool = True
    """True if the token was seen in a real catalog; otherwise it follows the pattern of similar releases."""

    def __hash__(self) -> int:
        """Hash the /os name alone: putting the releases of a package in order hashes some 250."""
        return hash(self.option)

    def __str__(self) -> str:
        return self.option


def _rows() -> Iterable[OsName]:
    """Yield every release in Inf2Cat's token order: by generation, then x86, Itanium, x64, ARM."""
    yield OsName("2000", "2000", ("5.00",), "x86", (5, 0, 2195))
    yield OsName("XP_X86", "XPX86", ("5.1",), "x86", (5, 1, 2600))
    # The kernel version is 5.2, but catalogs for XP_X64 alone have both: 2:5.1,2:5.2.
    yield OsName("XP_X64", "XPX64", ("5.1", "5.2"), "amd64", (5, 2, 3790))
    yield from _family("Server2003_", "Server2003", "5.2", 3790, ("X86", "IA64", "X64"), server=True)
    yield from _family("Vista_", "Vista", "6.0", 6000, ("X86", "X64"))
    yield from _family("Server2008_", "Server2008", "6.0", 6001, ("X86", "IA64", "X64"), server=True)
    yield from _family("7_", "7", "6.1", 7600, ("X86", "X64"))
    yield from _family("Server2008R2_", "Server2008R2", "6.1", 7600, ("IA64", "X64"), server=True)
    yield from _family("8_", "8", "6.2", 9200, ("X86", "X64", "ARM"))
    yield from _family("Server8_", "Server2012", "6.2", 9200, ("X64",), server=True)
    yield from _modern("6_3_", "_v63", "", "6.3", 9600, ("X86", "X64", "ARM"))
    yield OsName("Server6_3_X64", "_v63_Server_X64", ("6.3",), "amd64", (6, 3, 9600), server=True)
    yield from _modern("10_", "_v100", "", "10.0", 10240, ("X86", "X64"))
    yield from _modern("Server10_", "Server_v100", "", "10.0", 14393, ("X64", "ARM64"), server=True)
    yield from _modern("10_AU_", "_v100", "_RS1", "10.0", 14393, ("X86", "X64"))
    yield from _modern("SERVER2016_", "Server_v100", "_RS1", "10.0", 14393, ("X64",), server=True)
    yield from _modern("10_RS2_", "_v100", "_RS2", "10.0", 15063, ("X86", "X64"))
    yield from _modern("ServerRS2_", "Server_v100", "_RS2", "10.0", 15063, ("X64",), server=True, unconfirmed=("X64",))
    yield from _modern("10_RS3_", "_v100", "_RS3", "10.0", 16299, ("X86", "X64", "ARM64"))
    yield from _modern("ServerRS3_", "Server_v100", "_RS3", "10.0", 16299, ("X64",), server=True, unconfirmed=("X64",))
    yield from _modern("10_RS4_", "_v100", "_RS4", "10.0", 17134, ("X86", "X64", "ARM64"), unconfirmed=("ARM64",))
    yield from _modern("ServerRS4_", "Server_v100", "_RS4", "10.0", 17134, ("X64",), server=True, unconfirmed=("X64",))
    yield from _modern("10_RS5_", "_v100", "_RS5", "10.0", 17763, ("X86", "X64", "ARM64"), unconfirmed=("ARM64",))
    yield from _modern("ServerRS5_", "Server_v100", "_RS5", "10.0", 17763, ("X64", "ARM64"), True, ("ARM64",))
    yield from _modern("10_19H1_", "_v100", "_19H1", "10.0", 18362, ("X86", "X64", "ARM64"))
    yield from _modern("10_VB_", "_v100", "_Vb", "10.0", 19041, ("X86", "X64", "ARM64"))
    yield from _modern("ServerFE_", "Server_v100", "_21H2", "10.0", 20348, ("X64", "ARM64"), True, ("ARM64",))
    yield from _modern("10_CO_", "_v100", "_21H2", "10.0", 22000, ("X64", "ARM64"))
    yield from _modern("10_NI_", "_v100", "_22H2", "10.0", 22621, ("X64", "ARM64"))
    yield from _modern("10_GE_", "_v100", "_24H2", "10.0", 26100, ("X64", "ARM64"))
    yield from _modern("Server2025_", "Server_v100", "_24H2", "10.0", 26100, ("X64", "ARM64"), True, ("ARM64",))
    yield from _modern("10_25H2_", "_v100", "_25H2", "10.0", 26200, ("X64", "ARM64"), unconfirmed=("ARM64",))
    # The token is from a real catalog; the /os name follows the pattern of 25H2.
    yield from _modern("10_26H1_", "_v100", "_26H1", "10.0", 28000, ("X64", "ARM64"), unconfirmed=("ARM64",))


_ARCHITECTURES = {"X86": "x86", "X64": "amd64", "IA64": "ia64", "ARM": "arm", "ARM64": "arm64"}


def _family(
    option: str, token: str, version: str, build: int, suffixes: Sequence[str], server: bool = False
) -> Iterable[OsName]:
    """Yield releases before Windows 8.1: the token ends with the architecture, without a separator."""
    major, minor = version.split(".")
    for suffix in suffixes:
        release = (int(major), int(minor), build)
        yield OsName(option + suffix, token + suffix, (version,), _ARCHITECTURES[suffix], release, server)


def _modern(
    option: str,
    token: str,
    codename: str,
    version: str,
    build: int,
    suffixes: Sequence[str],
    server: bool = False,
    unconfirmed: Sequence[str] = (),
) -> Iterable[OsName]:
    """Yield releases since Windows 8.1: the architecture precedes the code name in the token; x86 is omitted."""
    for row in _family(option, token, version, build, suffixes, server):
        suffix = row.option.rpartition("_")[2]
        middle = "" if suffix == "X86" else f"_{suffix}"
        yield replace(row, token=f"{token}{middle}{codename}", confirmed=suffix not in unconfirmed)


ALL: tuple[OsName, ...] = tuple(_rows())
"""Every release with an /os name, in the order of the catalog's `OS` attribute."""

LEGACY: tuple[OsName, ...] = (
    OsName("10_X86", "10X86", ("6.4",), "x86", (6, 4, 9841)),
    OsName("10_X64", "10X64", ("6.4",), "amd64", (6, 4, 9841)),
)
"""Tokens of the first Windows 10 kits for 10_X86 and 10_X64: accepted when reading, never written."""

_PRODUCTS = {
    "7": (6, 1, 7600),
    "8": (6, 2, 9200),
    "8.1": (6, 3, 9600),
    "10": (10, 0, 10240),
    "11": (10, 0, 22000),
}
"""The first release of each client product, for names such as win10."""
_PRODUCT = re.compile(r"(?:windows|win|w)?[ _-]*(?:(server)[ _-]*)?([0-9]+(?:\.[0-9])?(?:r2)?)((?:[ -].*)?)")
"""A product's name, such as win10, Windows 11, server2022 or the target win7-arm64."""

_BY_OPTION = {name.option.lower(): name for name in ALL}
_BY_TOKEN = {name.token.lower(): name for name in (*LEGACY, *ALL)}

SECOND_SERVER_2012 = replace(_BY_OPTION["server8_x64"], option="Server2012_X64", confirmed=False)
"""A second release with the token Server2012X64, which the Windows 8 kit wrote after that of Server8_X64.

Seen in catalogs of two vendors. Its real /os name is unknown, so --os does not accept it.
"""

_ORDER = {name: index for index, name in enumerate((*ALL, *LEGACY))}
_ORDER[SECOND_SERVER_2012] = _ORDER[_BY_OPTION["server8_x64"]]


def parse_list(text: str) -> tuple[OsName, ...]:
    """Parse a comma-separated /os list: no duplicates, in catalog order. Raises UsageError for an unknown name."""
    names = [_named(part.strip()) for part in text.split(",") if part.strip()]
    if not names:
        raise UsageError("the list of Windows releases is empty", hint="Give one or more names, such as --os 10_X64.")
    return in_order(names)


def parse_names(names: Iterable[str]) -> tuple[OsName, ...]:
    """Parse several /os options, each a name or a comma-separated list. Raises UsageError."""
    return parse_list(",".join(names))


def in_order(names: Iterable[OsName]) -> tuple[OsName, ...]:
    """Return the releases without duplicates, in Inf2Cat's order."""
    return tuple(sorted(set(names), key=_ORDER.__getitem__))


def from_tokens(text: str) -> tuple[OsName, ...]:
    """Parse a catalog's `OS` attribute, in its order. Raises UsageError for an unknown token."""
    names = []
    for token in text.split(","):
        name = _BY_TOKEN.get(token.strip().lower())
        if name is None:
            raise UsageError(f"unknown Windows release token {token.strip()!r}")
        names.append(SECOND_SERVER_2012 if name in names and name.token == SECOND_SERVER_2012.token else name)
    return tuple(names)


def tokens(names: Iterable[OsName]) -> str:
    """Return the value of the catalog's `OS` attribute, such as `7X64,Server2008R2X64`."""
    return ",".join(name.token for name in names)


@lru_cache(maxsize=64)  # most files of a package have the same releases
def os_attribute(names: tuple[OsName, ...]) -> str:
    """Return a member's `OSAttr` value: platform 2 (Windows NT) with each kernel version, in ascending order."""
    versions = {version for name in names for version in name.versions}
    ordered = sorted(versions, key=lambda version: tuple(int(part) for part in version.split(".")))
    return ",".join(f"2:{version}" for version in ordered)


def _named(option: str) -> OsName:
    """Return the release with this /os name. Raises UsageError with similar names."""
    name = _BY_OPTION.get(option.lower())
    if name is not None:
        return name
    similar = [name.option for name in _similar(option.lower())]
    hint = f"Did you mean {' or '.join(similar)}? " if similar else ""
    raise UsageError(
        f"unknown Windows release {option!r}",
        hint=f"{hint}All names: drvsign os-names",
        field="os",
    )


def _similar(option: str) -> list[OsName]:
    """Return up to three releases that a wrong name may mean: by product, such as win10, or by spelling."""
    product = _PRODUCT.fullmatch(option)
    if product is not None:
        server, number, suffix = product.groups()
        if server:
            found = [name for name in ALL if re.match(rf"server_?{re.escape(number)}_", name.option, re.IGNORECASE)]
        else:
            found = [name for name in ALL if not name.server and name.release == _PRODUCTS.get(number)]
        architecture = _ARCHITECTURES.get(suffix.rpartition("-")[2].upper(), "amd64")
        if found:
            return sorted(found, key=lambda name: name.architecture != architecture)[:1]
    return [_BY_OPTION[key] for key in difflib.get_close_matches(option, _BY_OPTION, n=3)]
