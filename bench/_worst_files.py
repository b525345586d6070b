"""Files of a given size that take the most time or memory to read: images, cabinets, INFs, policies and tables."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from signer.audit.rows import COLUMNS
from signer.cab.write import NewFile, write

Maker = Callable[[int], bytes]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HELLO = Path(__file__).resolve().parents[1] / "examples" / "hello"


def filled(line: Callable[[int], str], size: int, head: str = "", tail: str = "", encoding: str = "utf-8") -> bytes:
    """Return `head`, as many numbered lines as fit into `size` bytes, and `tail`."""
    parts, used, number = [head], len(head) + len(tail), 0
    wide = 2 if encoding == "utf-16" else 1
    while used * wide < size:
        parts.append(line(number))
        used += len(parts[-1])
        number += 1
    return "".join([*parts, tail]).encode(encoding)


def capped(line: Callable[[int], str], head: str = "", *, most: int) -> Maker:
    """A file of `most` lines with a comment behind each, which fill it up."""

    def made(size: int) -> bytes:
        fill = ";" + "x" * (size // most - 32) + "\n"
        return "".join([head, *(line(number) + fill for number in range(most))]).encode()

    return made


CDF_HEAD = "[CatalogHeader]\nName=a.cat\nCatalogVersion=2\nHashAlgorithms=SHA256\n[CatalogFiles]\n"
PEM_BEGIN = "-----BEGIN CERTIFICATE-----\n"
POLICY_NAMESPACE = "urn:schemas-microsoft-com:sipolicy"


def long_namespace(default: str) -> Maker:
    """An XML file of small elements in a namespace with a long name."""
    head = f'<SiPolicy xmlns="{default}" xmlns:b="{"u" * 60_000}">'
    return lambda size: filled(lambda _: '<a b:c=""/>', size, head, "</SiPolicy>")


def policy_of_small_rules(size: int) -> bytes:
    """An App Control policy of as many small rules as the limit `policy-elements` allows, in the kernel scenario."""
    count = min(size // 64, 124_000)
    rules = "".join(f'<Deny ID="{number}" FileName="a{number}"/>' for number in range(count))
    references = "".join(f'<FileRuleRef RuleID="{number}"/>' for number in range(count))
    return (
        f'<SiPolicy xmlns="{POLICY_NAMESPACE}"><VersionEx>1.0.0.0</VersionEx><FileRules>{rules}</FileRules>'
        '<SigningScenarios><SigningScenario Value="131"><ProductSigners><FileRulesRef>'
        f"{references}</FileRulesRef></ProductSigners></SigningScenario></SigningScenarios></SiPolicy>"
    ).encode()


def image(size: int) -> bytes:
    """A driver with an overlay."""
    return (HELLO / "hello.sys").read_bytes() + bytes(size)


def image_of_sections(size: int) -> bytes:
    """An image with 65,535 section headers."""
    data = bytearray((HELLO / "hello.sys").read_bytes())
    header = int.from_bytes(data[0x3C:0x40], "little")
    struct.pack_into("<H", data, header + 6, 0xFFFF)
    table = header + 24 + int.from_bytes(data[header + 20 : header + 22], "little")
    section = struct.Struct("<8sIIIIIIHHI")
    rows = b"".join(
        section.pack(b".text", 16, 0x1000 * (number + 1), 16, 0x300000 + 16 * number, 0, 0, 0, 0, 0x60000020)
        for number in range(0xFFFF)
    )
    return (bytes(data[:table]) + rows).ljust(size, b"\0")


def cabinet_of_zeros(size: int) -> bytes:
    """A cabinet of MSZIP blocks that expand a thousand times, up to the largest ratio."""
    del size  # more data would exceed the limit on expansion
    return write([NewFile("zeros.bin", bytes(63 << 20), NOON)])


def cabinet(size: int) -> bytes:
    """A cabinet that MSZIP can't compress, with one folder."""
    return write([NewFile("random.bin", random.Random(1).randbytes(size), NOON)])


def cabinet_of_blocks(size: int) -> bytes:
    """A cabinet of 65,535 files and 65,535 folders, each with one tiny block."""
    count = min(0xFFFF, size // 60)
    folder = struct.Struct("<IHH")
    first = 36 + folder.size * count
    entries = b"".join(struct.pack("<IIHHHH", 1, 0, number, 0x5000, 0, 0x20) + b"a\0" for number in range(count))
    blocks = first + len(entries)
    rows = b"".join(folder.pack(blocks + 9 * number, 1, 0) for number in range(count))
    data = struct.pack("<IHH", 0, 1, 1) + b"x"
    total = blocks + 9 * count
    header = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, total, 0, first, 0, 3, 1, count, count, 0, 0, 0)
    return header + rows + entries + data * count


def szdd(size: int, flags: int = 0x55) -> bytes:
    """An SZDD file whose groups alternate between copies and literal bytes."""
    literals = flags.bit_count()
    group = bytes([flags]) + b"".join(b"x" if flags >> bit & 1 else b"\x00\x0f" for bit in range(8))
    groups = size // len(group)
    expanded = groups * (literals + (8 - literals) * 18)
    most = (4 << 20) - 200
    if expanded > most:
        groups = most // (literals + (8 - literals) * 18)
        expanded = groups * (literals + (8 - literals) * 18)
    return struct.pack("<8scBI", b"SZDD\x88\xf0\x27\x33", b"A", 0, expanded) + group * groups


def szdd_of_short_copies(size: int) -> bytes:
    """An SZDD file of copies of three bytes."""
    group = b"\0" + b"\x00\x00" * 8
    groups = min(size // len(group), (8 << 20) // 24)
    return struct.pack("<8scBI", b"SZDD\x88\xf0\x27\x33", b"A", 0, groups * 24) + group * groups


_VERSION = (HELLO / "hello.inf").read_text("utf-8").replace("\r\n", "\n").partition("[Manufacturer]")[0]


def inf(line: Callable[[int], str], head: str = "", tail: str = "", most: int = 79_900) -> Maker:
    """An INF of at most `most` lines after a [Version], by default just below the limit on entries.

    Comments fill it up: a line with a comment takes the longest to parse.
    """

    def made(size: int) -> bytes:
        text = filled(line, size, f"{_VERSION}\n{head}", tail).decode()
        body = text.splitlines(keepends=True)[: most + text[: len(_VERSION) + len(head) + 1].count("\n")]
        if len("".join(body)) + 4 * len(body) > size:
            return "".join([*body, tail]).encode()
        comment = ";" + "x" * ((size - len("".join(body))) // len(body) - 1)
        return "".join([*(one.removesuffix("\n") + f"{comment}\n" for one in body), tail]).encode()

    return made


def policy_xml(size: int) -> bytes:
    """An App Control policy with many deny rules, all in the kernel scenario."""
    rule = '<Deny ID="D{0}" FriendlyName="x" Hash="{0:064x}"/>'
    count = size // (len(rule) + 62 + 32)
    rules = "".join(rule.format(number) for number in range(count))
    references = "".join(f'<FileRuleRef RuleID="D{number}"/>' for number in range(count))
    return (
        '<?xml version="1.0" encoding="utf-8"?><SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy">'
        "<VersionEx>10.0.1.0</VersionEx><PolicyTypeID>{A244370E-44C9-4C06-B551-F6016E563076}</PolicyTypeID>"
        f"<FileRules>{rules}</FileRules><Signers/><SigningScenarios>"
        '<SigningScenario ID="K" Value="131"><ProductSigners><FileRulesRef>'
        f"{references}</FileRulesRef></ProductSigners></SigningScenario></SigningScenarios></SiPolicy>"
    ).encode()


def policy_of_signers(size: int) -> bytes:
    """An App Control policy of signers, each allowed in the kernel scenario with an exception."""
    signer = '<Signer ID="S{0}" Name="n"><CertRoot Type="TBS" Value="{0:08x}"/><FileAttribRef RuleID="F"/></Signer>'
    allowed = '<AllowedSigner SignerId="S{0}"><ExceptDenyRule DenyRuleID="D"/></AllowedSigner>'
    count = size // (len(signer) + len(allowed) + 16)
    return (
        '<?xml version="1.0" encoding="utf-8"?><SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy">'
        "<VersionEx>10.0.1.0</VersionEx><PolicyTypeID>{A244370E-44C9-4C06-B551-F6016E563076}</PolicyTypeID>"
        '<FileRules><FileAttrib ID="F" FileName="a.sys"/><Deny ID="D" FileName="b.sys"/></FileRules>'
        f"<Signers>{''.join(signer.format(number) for number in range(count))}</Signers><SigningScenarios>"
        '<SigningScenario ID="K" Value="131"><ProductSigners><AllowedSigners>'
        f"{''.join(allowed.format(number) for number in range(count))}"
        "</AllowedSigners></ProductSigners></SigningScenario></SigningScenarios></SiPolicy>"
    ).encode()


def policy_of_one_attribute(size: int) -> bytes:
    """An App Control policy with one long attribute."""
    return f'<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy" a="{"x" * size}"/>'.encode()


def _binary_policy(rules: int, signers: int) -> bytes:
    """Return an App Control policy in binary form, whose kernel scenario refers to all rules or signers."""
    empty = bytes(8)
    head = struct.pack("<I32x5I8xI", 3, 0x80000000, 0, rules, signers, 1, 64)
    rule = struct.pack("<I", 0) + empty + b"\1\0\0\0\0\0\0\0" + bytes(4)
    signer = struct.pack("<II", 0, 0) + bytes(4) + empty * 3 + bytes(4)
    group = bytes(12)
    allowed = b"".join(struct.pack("<II", number, 0) for number in range(signers))
    referred = b"".join(struct.pack("<I", number) for number in range(rules))
    product = struct.pack("<I", signers) + allowed + bytes(4) + struct.pack("<I", rules) + referred
    scenario = struct.pack("<III", 131, 0, 32780) + product + group * 2
    block = struct.pack("<I", 3) + (b"\xff" * 8 + bytes(4)) * rules + empty * signers
    return head + rule * rules + signer * signers + bytes(8) + scenario + bytes(8) + block + struct.pack("<I", 4)


def binary_policy_of_rules(size: int) -> bytes:
    """A binary App Control policy of small rules, as large as the limit `policy-size` allows."""
    return _binary_policy((min(size, 4 << 20) - 200) // 40, 0)


def binary_policy_of_signers(size: int) -> bytes:
    """A binary App Control policy of small signers, as large as the limit `policy-size` allows."""
    return _binary_policy(0, (min(size, 4 << 20) - 200) // 56)


def baseline(row: Callable[[int], object]) -> Maker:
    """The JSON of an earlier audit."""
    return lambda size: filled(lambda number: json.dumps(row(number)) + ",\n", size, "[", "{}]")


def audited(number: int) -> object:
    """A row of an audit."""
    texts = dict.fromkeys(COLUMNS, "")
    return texts | {"answer": "loads", "file": f"d{number}.sys", "authentihash": f"{number:064x}"}


def small_row(number: int) -> object:
    """The members of a row that are read."""
    return {"answer": "loads", "file": "", "authentihash": f"{number:x}"}
