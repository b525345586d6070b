"""The Windows releases that a catalog can be made for: Inf2Cat's /os names, the catalog's OS tokens, OSAttr values.

Sources: the names are those of "Inf2Cat" (windows-driver-docs, devtest/inf2cat.md) and, for releases that the page has
dropped, of its earlier editions; tokens and OSAttr values were read from several hundred real catalogs. A row that no
real catalog confirms says so in `confirmed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from signer.errors import UsageError


@dataclass(frozen=True)
class OsName:
    """One Windows release and architecture, as Inf2Cat's /os names it."""

    option: str
    """The /os name in Microsoft's spelling, such as `10_VB_X64`; input is compared without regard to case."""
    token: str
    """What stands for it in the catalog's `OS` attribute, such as `_v100_X64_Vb`."""
    versions: tuple[str, ...]
    """The kernel versions that it adds to `OSAttr`, such as `("10.0",)`. Only XP x64 has two."""
    architecture: str
    """`x86`, `amd64`, `ia64`, `arm` or `arm64`, as INF decorations name it."""
    release: tuple[int, int, int]
    """Kernel version and build of the release: what a TargetOS decoration compares with."""
    server: bool = False
    """Whether it is a server release."""
    confirmed: bool = True
    """Whether the token was seen in a real catalog; otherwise it follows the pattern of its neighbours."""

    def __str__(self) -> str:
        return self.option


def _rows() -> Iterable[OsName]:
    """Every release, in the order in which Inf2Cat writes the tokens: by generation; x86, Itanium, x64, ARM."""
    yield OsName("2000", "2000", ("5.00",), "x86", (5, 0, 2195))
    yield OsName("XP_X86", "XPX86", ("5.1",), "x86", (5, 1, 2600))
    # Its kernel is 5.2, and catalogs made for XP_X64 alone carry both: 2:5.1,2:5.2.
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
    yield from _modern("ServerRS2_", "Server_v100", "_RS2", "10.0", 15063, ("X64",), server=True, unseen=("X64",))
    yield from _modern("10_RS3_", "_v100", "_RS3", "10.0", 16299, ("X86", "X64", "ARM64"))
    yield from _modern("ServerRS3_", "Server_v100", "_RS3", "10.0", 16299, ("X64",), server=True, unseen=("X64",))
    yield from _modern("10_RS4_", "_v100", "_RS4", "10.0", 17134, ("X86", "X64", "ARM64"), unseen=("ARM64",))
    yield from _modern("ServerRS4_", "Server_v100", "_RS4", "10.0", 17134, ("X64",), server=True, unseen=("X64",))
    yield from _modern("10_RS5_", "_v100", "_RS5", "10.0", 17763, ("X86", "X64", "ARM64"), unseen=("ARM64",))
    yield from _modern("ServerRS5_", "Server_v100", "_RS5", "10.0", 17763, ("X64", "ARM64"), True, ("ARM64",))
    yield from _modern("10_19H1_", "_v100", "_19H1", "10.0", 18362, ("X86", "X64", "ARM64"))
    yield from _modern("10_VB_", "_v100", "_Vb", "10.0", 19041, ("X86", "X64", "ARM64"))
    yield from _modern("ServerFE_", "Server_v100", "_21H2", "10.0", 20348, ("X64", "ARM64"), True, ("ARM64",))
    yield from _modern("10_CO_", "_v100", "_21H2", "10.0", 22000, ("X64", "ARM64"))
    yield from _modern("10_NI_", "_v100", "_22H2", "10.0", 22621, ("X64", "ARM64"))
    yield from _modern("10_GE_", "_v100", "_24H2", "10.0", 26100, ("X64", "ARM64"))
    yield from _modern("Server2025_", "Server_v100", "_24H2", "10.0", 26100, ("X64", "ARM64"), True, ("ARM64",))
    yield from _modern("10_25H2_", "_v100", "_25H2", "10.0", 26200, ("X64", "ARM64"), unseen=("ARM64",))
    # The token is from a real catalog; Inf2Cat's name for it follows that of 25H2.
    yield from _modern("10_26H1_", "_v100", "_26H1", "10.0", 28000, ("X64", "ARM64"), unseen=("ARM64",))


_ARCHITECTURES = {"X86": "x86", "X64": "amd64", "IA64": "ia64", "ARM": "arm", "ARM64": "arm64"}


def _family(
    option: str, token: str, version: str, build: int, suffixes: Sequence[str], server: bool = False
) -> Iterable[OsName]:
    """The releases before Windows 8.1: the architecture is written at the end of the token, without a separator."""
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
    unseen: Sequence[str] = (),
) -> Iterable[OsName]:
    """The releases since Windows 8.1: x86 has no architecture in its token, others stand before the code name."""
    for row in _family(option, token, version, build, suffixes, server):
        suffix = row.option.rpartition("_")[2]
        middle = "" if suffix == "X86" else f"_{suffix}"
        yield replace(row, token=f"{token}{middle}{codename}", confirmed=suffix not in unseen)


ALL: tuple[OsName, ...] = tuple(_rows())
"""Every release that can be asked for, in the order of the catalog's `OS` attribute."""

LEGACY: tuple[OsName, ...] = (
    OsName("10_X86", "10X86", ("6.4",), "x86", (6, 4, 9841)),
    OsName("10_X64", "10X64", ("6.4",), "amd64", (6, 4, 9841)),
)
"""What the first Windows 10 kits wrote for 10_X86 and 10_X64: found in real catalogs, never written by this program."""

_BY_OPTION = {name.option.lower(): name for name in ALL}
_BY_TOKEN = {name.token.lower(): name for name in (*LEGACY, *ALL)}

SECOND_SERVER_2012 = replace(_BY_OPTION["server8_x64"], option="Server2012_X64", confirmed=False)
"""What the Windows 8 kit wrote Server2012X64 for once more, after that of Server8_X64: so in catalogs of two vendors.

Its own name for it is not known, so that it can't be asked for.
"""

_ORDER = {name: index for index, name in enumerate((*ALL, *LEGACY))}
_ORDER[SECOND_SERVER_2012] = _ORDER[_BY_OPTION["server8_x64"]]


def parse_list(text: str) -> tuple[OsName, ...]:
    """The releases of a comma-separated /os list, each once, in catalog order. Raises UsageError naming a wrong one."""
    names = [_named(part.strip()) for part in text.split(",") if part.strip()]
    if not names:
        raise UsageError("the list of Windows releases is empty", hint="Give --os one or more names: --os 10_X64.")
    return in_order(names)


def parse_names(names: Iterable[str]) -> tuple[OsName, ...]:
    """The releases of several /os options, each of which may be a list itself. Raises UsageError."""
    return parse_list(",".join(names))


def in_order(names: Iterable[OsName]) -> tuple[OsName, ...]:
    """The releases without duplicates, as Inf2Cat orders them."""
    return tuple(sorted(set(names), key=_ORDER.__getitem__))


def from_tokens(text: str) -> tuple[OsName, ...]:
    """The releases that a catalog's `OS` attribute names, in its own order. Raises UsageError for an unknown token."""
    names = []
    for token in text.split(","):
        name = _BY_TOKEN.get(token.strip().lower())
        if name is None:
            raise UsageError(f"there is no Windows release with the catalog token {token.strip()!r}")
        names.append(SECOND_SERVER_2012 if name in names and name.token == SECOND_SERVER_2012.token else name)
    return tuple(names)


def tokens(names: Iterable[OsName]) -> str:
    """The value of the catalog's `OS` attribute, such as `7X64,Server2008R2X64`."""
    return ",".join(name.token for name in names)


@lru_cache(maxsize=64)  # most files of a package are for the same releases
def os_attribute(names: tuple[OsName, ...]) -> str:
    """The value of a member's `OSAttr`: platform 2 (Windows NT) with each kernel version once, ascending."""
    versions = {version for name in names for version in name.versions}
    ordered = sorted(versions, key=lambda version: tuple(int(part) for part in version.split(".")))
    return ",".join(f"2:{version}" for version in ordered)


def _named(option: str) -> OsName:
    """The release with this /os name. Raises UsageError with the nearest names."""
    name = _BY_OPTION.get(option.lower())
    if name is not None:
        return name
    import difflib

    near = difflib.get_close_matches(option.lower(), _BY_OPTION, n=3)
    hint = f"Did you mean {' or '.join(_BY_OPTION[key].option for key in near)}? " if near else ""
    raise UsageError(
        f"there is no Windows release called {option!r}",
        hint=hint + "The names are Inf2Cat's, such as 7_X64, 10_X64, 10_GE_ARM64, Server2025_X64.",
        field="os",
    )
