"""Signers and certificates out of signed files, read with asn1crypto alone: a second reader beside our own."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from asn1crypto import cms
from cryptography import x509

from signer.certificates import load_der

NESTED_SIGNATURE = "1.3.6.1.4.1.311.2.4.1"
SECURITY_DIRECTORY = 4


@dataclass(frozen=True)
class Signed:
    """One SignerInfo: its certificate, and all that came with it."""

    leaf: x509.Certificate
    pool: tuple[x509.Certificate, ...]


def signatures(data: bytes) -> Iterator[Signed]:
    """Every signature of an image or a catalog, the nested ones after the one that holds them."""
    der = _certificate_table(data) if data[:2] == b"MZ" else data
    if der:
        yield from _signatures(der)


def _certificate_table(data: bytes) -> bytes:
    """The first PKCS#7 of an image; empty if there is none."""
    (header,) = struct.unpack_from("<I", data, 0x3C)
    (magic,) = struct.unpack_from("<H", data, header + 24)
    directories = header + 24 + (112 if magic == 0x20B else 96)
    offset, size = struct.unpack_from("<II", data, directories + 8 * SECURITY_DIRECTORY)
    if not offset or not size:
        return b""
    (length,) = struct.unpack_from("<I", data, offset)
    return data[offset + 8 : offset + length]


def _signatures(der: bytes) -> Iterator[Signed]:
    content = cms.ContentInfo.load(der)["content"]
    pool = tuple(load_der(item.chosen.dump()) for item in content["certificates"] if item.name == "certificate")
    for info in content["signer_infos"]:
        sid = info["sid"].chosen
        serial, issuer = sid["serial_number"].native, sid["issuer"].dump()
        (leaf,) = {c for c in pool if c.serial_number == serial and c.issuer.public_bytes() == issuer}
        yield Signed(leaf, pool)
        for attribute in info["unsigned_attrs"]:
            if attribute["type"].dotted == NESTED_SIGNATURE:
                for value in attribute["values"]:
                    yield from _signatures(value.dump())
