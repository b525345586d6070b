"""Files of a given size that take the most time or memory to read, for each format."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, hash_file, subjects
from catalogs.catalog.trust_list import CertificateTrustList, NameValue, TrustedSubject
from signer.asn1 import der, oids
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


def image_of_table(entry: bytes) -> Maker:
    """An image whose certificate table consists of copies of an entry."""

    def made(size: int) -> bytes:
        data = bytearray((HELLO / "hello.sys").read_bytes())
        data += bytes(-len(data) % 8)
        header = int.from_bytes(data[0x3C:0x40], "little")
        table = entry * ((size - len(data)) // len(entry))
        struct.pack_into("<II", data, header + 24 + 112 + 32, len(data), len(table))
        return bytes(data) + table

    return made


def certificate_entry(content: bytes) -> bytes:
    """A WIN_CERTIFICATE with PKCS #7 content."""
    content += bytes(-len(content) % 8)
    return struct.pack("<IHH", 8 + len(content), 0x0200, 2) + content


def image_of_signed_data(make: Maker) -> Maker:
    """An image whose certificate table is one entry with this SignedData."""

    def made(size: int) -> bytes:
        entry = certificate_entry(make(size - (1 << 16)))
        return image_of_table(entry)(len((HELLO / "hello.sys").read_bytes()) + len(entry) + 8)

    return made


def signed_data(digests: bytes = b"", certificates: bytes = b"", crls: bytes = b"", signers: bytes = b"") -> bytes:
    """A SignedData of these parts."""
    content = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(b"x")))
    parts = [der.integer(1), der.tlv(der.SET, digests), content]
    parts += [der.explicit(0, certificates)] if certificates else []
    parts += [der.explicit(1, crls)] if crls else []
    body = der.sequence(*parts, der.tlv(der.SET, signers))
    return der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, body))


def set_of_nulls(size: int) -> bytes:
    """A SignedData whose digest algorithms are millions of small elements."""
    return signed_data(digests=der.sequence(der.oid(oids.DATA)) * (size // 13))


def signed_by_many(size: int) -> bytes:
    """A SignedData with 999 large certificates."""
    one = large_certificate(size // 999)
    return signed_data(certificates=one * 999)


def deeply_nested(size: int) -> bytes:
    """Sequences in sequences."""
    whole, inner = b"", der.null()
    while len(whole) < size:
        for _ in range(95):
            inner = der.sequence(inner)
        whole, inner = whole + inner, der.null()
    return signed_data(digests=whole)


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(*extensions: x509.ExtensionType, subject: str = "Worst", serial: int = 7) -> x509.Certificate:
    builder = x509.CertificateBuilder(_name("Worst"), _name(subject), _key().public_key(), serial)
    builder = builder.not_valid_before(NOON).not_valid_after(NOON + timedelta(days=3650))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(_key(), hashes.SHA256())


def large_certificate(size: int) -> bytes:
    """A certificate with one large extension."""
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(size))
    return _certificate(extension).public_bytes(Encoding.DER)


def certificate_of_names(size: int) -> bytes:
    """A certificate with many alternative names."""
    names = [x509.DNSName(f"n{number}.example") for number in range(size // 18)]
    return _certificate(x509.SubjectAlternativeName(names)).public_bytes(Encoding.DER)


def certificates(size: int) -> bytes:
    """Many certificates in PEM."""
    one = _certificate().public_bytes(Encoding.PEM)
    return one * (size // len(one))


def revocation_list(size: int) -> bytes:
    """A revocation list with many serial numbers."""
    entry = der.sequence(der.integer(0x40000000), der.time(NOON))
    start = 0x40000000
    builder = x509.CertificateRevocationListBuilder(_name("Worst"), NOON, NOON + timedelta(days=30))
    revoked = x509.RevokedCertificateBuilder(start, NOON).build()
    one = builder.add_revoked_certificate(revoked).sign(_key(), hashes.SHA256()).public_bytes(Encoding.DER)
    whole = der.read(one)
    tbs, algorithm, value = (part.whole(one) for part in der.children(one, whole))
    fields = [part.whole(tbs) for part in der.children(tbs, der.read(tbs))]
    many = b"".join(der.sequence(der.integer(start + number), der.time(NOON)) for number in range(size // len(entry)))
    fields[-1] = der.sequence(many)
    return der.sequence(der.sequence(*fields), algorithm, value)


def pfx(size: int) -> bytes:
    """A PFX with many certificates, without iterations to speak of."""
    count = size // len(_certificate().public_bytes(Encoding.DER)) // 2
    others = [_certificate(serial=number + 9) for number in range(count)]
    return pkcs12.serialize_key_and_certificates(b"x", _key(), _certificate(), others, BestAvailableEncryption(b"x"))


def catalog(size: int) -> bytes:
    """An unsigned catalog with as many files as fit."""
    rng = random.Random(1)  # the same file on every run
    model = hash_file(memoryview(b"x"))

    def entries(number: int) -> list[TrustedSubject]:
        digests = {one: rng.randbytes(len(digest)) for one, digest in model.digests.items()}
        contents = {one: part.replace(model.digests[one], digests[one]) for one, part in model.contents.items()}
        file = replace(model, digests=digests, contents=contents)
        return subjects(file, [NameValue("File", MEMBER_FLAGS, f"f{number}.sys")], 2)

    length = sum(len(one.encoded) for one in entries(10_000))
    return _catalog(entry for number in range(size // length) for entry in entries(number))


def catalog_of_tags(size: int) -> bytes:
    """An unsigned catalog whose members have no attributes."""
    rng = random.Random(1)
    length = len(TrustedSubject.of(bytes(32), ()).encoded)
    return _catalog(TrustedSubject.of(rng.randbytes(32), ()) for _ in range(size // length))


def _catalog(entries: Iterable[TrustedSubject]) -> bytes:
    return Catalog(CertificateTrustList(2, bytes(16), NOON, tuple(entries), ())).to_bytes()


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
    most = (8 << 20) - 200
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


def setupapi(number: int) -> str:
    """A section of setupapi.dev.log about a driver that is refused."""
    return (
        f">>>  [Device Install (Hardware initiated) - PCI\\VEN_{number:04X}]\n"
        ">>>  Section start 2026/01/01 10:00:00.000\n"
        f"     sto: Driver package 'c:\\d{number}.inf' failed\n!!!  sig: Driver package failed signature validation. "
        f"Error = 0x800B0109\n<<<  Section end 2026/01/01 10:00:01.000\n<<<  [Exit status: FAILURE(0xe0000247)]\n"
    )
