"""Read lists of devices: pnputil /enum-devices, Get-PnpDevice and Get-PnpDeviceProperty."""

from __future__ import annotations

import re

from signer.explain.codes import parse_code
from signer.explain.context import Context
from signer.explain.records import Record
from signer.explain.text import Lines

_START = re.compile(r"^\s*Instance ?ID\s*:\s*(?P<device>\S.*)$", re.IGNORECASE)
_LINE = re.compile(r"^\s*(?P<name>[A-Z][A-Za-z _]{2,40}?)\s{0,40}:(?P<value>.*)$")
_MAX_LINES = 40


def device_lists(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read the block about a device that begins in this line; None for any other line."""
    start = _START.match(line)
    if start is None:
        return None
    block = lines.take_while(lambda following: _LINE.match(following) is not None, _MAX_LINES)
    found = {one["name"].lower(): one["value"].strip() for one in map(_LINE.match, block) if one is not None}
    codes = _codes(found)
    if not codes:
        return None if not found else []
    device = start["device"].rstrip()
    if context.device == device:
        name = context.subject
    else:
        name = found.get("driver name") or found.get("device description") or device.replace("\\", "#")
    context.device, context.subject = device, name
    context.seen("devices")
    return [Record(file=name, codes=codes)]


def _codes(found: dict[str, str]) -> tuple[str, ...]:
    """Return the problem code and the status of a device; each property of Get-PnpDeviceProperty has its own block."""
    words = [found.get("problem code", "").partition(" ")[0], found.get("problem status", ""), found.get("problem", "")]
    if found.get("keyname", "").startswith("DEVPKEY_Device_Problem"):
        words.append(found.get("data", ""))
    codes = (parse_code(word if not word.isdigit() or len(word) > 3 else f"Code {word}") for word in words if word)
    return tuple(dict.fromkeys(code.text for code in codes if code is not None))
