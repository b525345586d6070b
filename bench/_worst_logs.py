"""Event logs and other logs that take the most time or memory to read."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from zlib import crc32

from bench._worst_files import Maker


def event(number: int) -> str:
    """A Code Integrity event as XML."""
    return (
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
        '<Provider Name="Microsoft-Windows-CodeIntegrity"/><EventID>3077</EventID><Version>5</Version>'
        f'<TimeCreated SystemTime="2026-01-01T00:00:00.{number:07}Z"/>'
        f'<Correlation ActivityID="{{00000000-0000-0000-0000-{number:012}}}"/></System><EventData>'
        f'<Data Name="File Name">\\Device\\HarddiskVolume3\\Windows\\System32\\drivers\\d{number}.sys</Data>'
        '<Data Name="Process Name">System</Data><Data Name="Status">0xc0000428</Data>'
        '<Data Name="SI Signing Scenario">0</Data><Data Name="PolicyName">P</Data></EventData></Event>\n'
    )


def event_json(number: int) -> str:
    """A Code Integrity event as Get-WinEvent | ConvertTo-Json writes it."""
    text = f"Code Integrity determined that \\Device\\d{number}.sys did not meet the requirements."
    return json.dumps({"Id": 3077, "ProviderName": "Microsoft-Windows-CodeIntegrity", "Message": text}) + ",\n"


INVENTORY_HEAD = '"DeviceName","DeviceID","InfName","DriverVersion","Signer","HardWareID"\n'


def inventory_row(number: int) -> str:
    """A row of an inventory of drivers, as Win32_PnPSignedDriver has it."""
    return f'"Device {number}","PCI\\{number}","oem{number}.inf","1.0.0.{number}","Maker","PCI\\VEN_{number:04X}"\n'


def inventory_object(number: int) -> str:
    """The same as JSON."""
    entry = {"DeviceName": f"Device {number}", "InfName": f"oem{number}.inf", "DriverVersion": f"1.0.0.{number}"}
    return json.dumps(entry) + ",\n"


def setupapi(number: int) -> str:
    """A section of setupapi.dev.log about a driver that is refused."""
    return (
        f">>>  [Device Install (Hardware initiated) - PCI\\VEN_{number:04X}]\n"
        ">>>  Section start 2026/01/01 10:00:00.000\n"
        f"     sto: Driver package 'c:\\d{number}.inf' failed\n!!!  sig: Driver package failed signature validation. "
        f"Error = 0x800B0109\n<<<  Section end 2026/01/01 10:00:01.000\n<<<  [Exit status: FAILURE(0xe0000247)]\n"
    )


def evtx(body: Callable[[int], bytes]) -> Maker:
    """A binary log whose chunks have one event each; `body` returns its BinXML at an offset of the chunk."""

    def made(size: int) -> bytes:
        count = size // _CHUNK
        head = struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, count - 1, count + 1, 128, 1, 3, 4096, count & 0xFFFF)
        head = head.ljust(120, b"\0")
        return (head + struct.pack("<II", 0, crc32(head))).ljust(4096, b"\0") + _chunk(body(512 + 24)) * count

    return made


_CHUNK = 0x10000
_FRAGMENT = b"\x0f\x01\x01\x00"


def _chunk(body: bytes) -> bytes:
    size = 24 + len(body) + 4
    record = struct.pack("<4sIQQ", b"**\0\0", size, 1, 0x01DA000000000000) + body + struct.pack("<I", size)
    end = 512 + size
    head = struct.pack("<8sQQQQIIII", b"ElfChnk\0", 1, 1, 1, 1, 128, 512, end, crc32(record)).ljust(120, b"\0")
    tables = bytes(384)
    chunk = head + struct.pack("<II", 0, crc32(head + tables)) + tables + record
    assert len(chunk) <= _CHUNK
    return chunk.ljust(_CHUNK, b"\0")


def nested_templates(width: int, depth: int) -> Callable[[int], bytes]:
    """An event whose template repeats its value, an instance of the same template, and so on."""

    def body(at: int) -> bytes:
        definition_at = at + len(_FRAGMENT) + 10
        name = struct.pack("<IIHH", definition_at + 24 + 4 + 7 + 4, 0, 0, 5) + "Event".encode("utf-16-le") + b"\0\0"
        inner = name + b"\x02" + b"\x0d\0\0\x21" * width + b"\x04"
        content = _FRAGMENT + struct.pack("<BHI", 0x01, 0xFFFF, len(inner)) + inner + b"\0"
        definition = struct.pack("<I16sI", 0, b"\x01" * 16, len(content)) + content
        instance = struct.pack("<BBII", 0x0C, 1, 1, definition_at)
        value, kind = "x".encode("utf-16-le"), 0x01
        for _ in range(depth):
            values = struct.pack("<IHBB", 1, len(value), kind, 0) + value
            value, kind = _FRAGMENT + instance + values + b"\0", 0x21
        values = struct.pack("<IHBB", 1, len(value), kind, 0) + value
        return _FRAGMENT + instance + definition + values + b"\0"

    return body


def shared_name(at: int) -> bytes:
    """An event of many elements that share one long name."""
    text = "n" * 20_000
    name = struct.pack("<IIHH", at + 4 + 5 + 4, 0, 0, len(text)) + text.encode("utf-16-le") + b"\0\0"
    one = struct.pack("<BII", 0x01, 5, at + 4 + 5 + 4) + b"\x03"
    inner = name + b"\x02" + one * 2000 + b"\x04"
    return _FRAGMENT + struct.pack("<BI", 0x01, len(inner)) + inner + b"\0"


def lists(count: int) -> Callable[[int], bytes]:
    """An event with an element of `count` values that are lists of 100 items: it is repeated for each combination."""

    def body(at: int) -> bytes:
        definition_at = at + len(_FRAGMENT) + 10
        name = struct.pack("<IIHH", definition_at + 24 + 4 + 7 + 4, 0, 0, 5) + "Event".encode("utf-16-le") + b"\0\0"
        places = b"".join(struct.pack("<BHB", 0x0D, index, 0x81) for index in range(count))
        inner = name + b"\x02" + places + b"\x04"
        content = _FRAGMENT + struct.pack("<BHI", 0x01, 0xFFFF, len(inner)) + inner + b"\0"
        definition = struct.pack("<I16sI", 0, b"\x01" * 16, len(content)) + content
        value = "x\0".encode("utf-16-le") * 100
        values = struct.pack("<I", count) + struct.pack("<HBB", len(value), 0x81, 0) * count + value * count
        return _FRAGMENT + struct.pack("<BBII", 0x0C, 1, 1, definition_at) + definition + values + b"\0"

    return body
