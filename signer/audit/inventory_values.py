"""Interpret the titles and values of inventories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import PureWindowsPath

from signer.records import dataclass

_TITLES = {
    # Win32_PnPSignedDriver (WMI)
    "infname": "inf",
    "driverversion": "version",
    "driverdate": "date",
    "signer": "signer",
    "issigned": "signed",
    "devicename": "device",
    "deviceclass": "class",
    "hardwareid": "hardware_id",
    "driverprovidername": "provider",
    "manufacturer": "provider",
    "pscomputername": "machine",
    "systemname": "machine",
    # Get-WindowsDriver (DISM)
    "driver": "inf",
    "originalfilename": "original",
    "classname": "class",
    "providername": "provider",
    "version": "version",
    "date": "date",
    # pnputil /enum-drivers
    "publishedname": "inf",
    "originalname": "original",
    "signername": "signer",
    # Get-FileHash, and tables with hashes
    "hash": "hash",
    "sha256": "hash",
    "sha1": "sha1",
    "authentihash": "authentihash",
    "path": "path",
    "filepath": "path",
    "filename": "path",
    "file": "path",
    "machine": "machine",
    "computername": "machine",
    "publisher": "signer",
}
"""What a column holds, by its title in lower case without spaces and underscores."""
_HASH = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_VERSION = re.compile(r"(?:(\S+)\s+)?(\d{1,5}(?:\.\d{1,5}){1,3})")
_DATES = (
    re.compile(r"(?P<year>\d{4})-?(?P<month>\d\d)-?(?P<day>\d\d)(?:\D.*|\d{6}\..*)?"),  # ISO 8601, and that of WMI
    re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})(?: .*)?"),
    re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})(?: .*)?"),
)
_MILLISECONDS = re.compile(r"/Date\((\d{1,14})\)/")


@dataclass(frozen=True, slots=True)
class Entry:
    """What an inventory says about a device's driver, a package or a file. A text is empty if it says nothing."""

    published: str = ""
    """The name of the INF on the machine: oemNN.inf for a package that is not part of Windows."""
    original: str = ""
    """The name of the INF in the package."""
    version: str = ""
    """Four numbers."""
    date: str = ""
    """YYYY-MM-DD."""
    signer: str = ""
    provider: str = ""
    device_class: str = ""
    hardware_id: str = ""
    devices: tuple[str, ...] = ()
    path: str = ""
    hashes: tuple[str, ...] = ()
    """Hashes of the file, hexadecimal in lower case: of all its bytes, or its Authenticode digest."""
    machine: str = ""


def means_of(title: str) -> str:
    """Return what a column with this title holds; empty for any other title."""
    title = title.strip().strip('"').casefold().replace(" ", "").replace("_", "")
    return title if title in ("inf", "device", "signed", "provider") else _TITLES.get(title, "")


def entry_of(found: Mapping[str, str]) -> Entry | None:
    """Return the entry with these values by meaning; None without an INF and without a hash."""
    inf = PureWindowsPath(found.get("inf", "")).name
    hashes = [found.get(name, "").lower() for name in ("authentihash", "hash", "sha1")]
    hashes = [one for one in hashes if _HASH.fullmatch(one)]
    if not inf.lower().endswith(".inf") and not hashes:
        return None
    stated = PureWindowsPath(found.get("original", "")).name
    original = stated if stated.lower().endswith(".inf") else ""
    return Entry(
        published=inf,
        original=original if original or inf.lower().startswith("oem") else inf,
        version=split_version(found.get("version", ""))[1],
        date=iso_date(found.get("date", "")),
        signer=found.get("signer", ""),
        provider=found.get("provider", ""),
        device_class=found.get("class", ""),
        hardware_id=found.get("hardware_id", "").lower(),
        devices=(found["device"],) if "device" in found else (),
        path=found.get("path", ""),
        hashes=tuple(dict.fromkeys(hashes)),
        machine=found.get("machine", ""),
    )


def split_version(text: str) -> tuple[str, str]:
    """Return date and version of "06/21/2006 10.0.19041.1", the version with four numbers; empty for other texts."""
    found = _VERSION.fullmatch(text.strip())
    if found is None or (found[1] and not iso_date(found[1])):
        return "", ""
    numbers = [str(int(one)) for one in found[2].split(".")]
    return iso_date(found[1] or ""), ".".join([*numbers, "0", "0", "0"][:4])


def iso_date(text: str) -> str:
    """Return a date as YYYY-MM-DD; empty for other texts. With slashes, the month comes first unless it can't."""
    text = text.strip()
    milliseconds = _MILLISECONDS.fullmatch(text)
    if milliseconds is not None:
        return f"{datetime.fromtimestamp(min(int(milliseconds[1]), 10**13) / 1000, UTC):%Y-%m-%d}"
    found = next(filter(None, (one.fullmatch(text) for one in _DATES)), None)
    if found is None:
        return ""
    year, month, day = int(found["year"]), int(found["month"]), int(found["day"])
    if month > 12:
        month, day = day, month
    try:
        return f"{date(year, month, day):%Y-%m-%d}"
    except ValueError:
        return ""
