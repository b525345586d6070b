"""Read signers and certificates with asn1crypto only: a parser independent of drvsign's."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from asn1crypto import cms
from cryptography import x509

from signer.certificates import load_der

NESTED_SIGNATURE = "1.3.6.1.4.1.311.2.4.1"
COUNTER_SIGNATURE = "1.2.840.113549.1.9.6"
RFC3161_TOKEN = "1.3.6.1.4.1.311.3.3.1"
SECURITY_DIRECTORY = 4


@dataclass(frozen=True)
class Signed:
    """One SignerInfo: its certificate and all embedded certificates."""

    leaf: x509.Certificate
    pool: tuple[x509.Certificate, ...]
    stamps: tuple[Signed, ...] = ()
    """The signer of the timestamp."""


def signatures(data: bytes) -> Iterator[Signed]:
    """Return every signature of an image or catalog; nested ones follow their parent."""
    der = _certificate_table(data) if data[:2] == b"MZ" else data
    if der:
        yield from _signatures(der)


def _certificate_table(data: bytes) -> bytes:
    """Return the first PKCS #7 of an image, or empty bytes."""
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
        yield Signed(_signer(info, pool), pool, tuple(_stamps(info, pool)))
        for attribute in info["unsigned_attrs"]:
            if attribute["type"].dotted == NESTED_SIGNATURE:
                for value in attribute["values"]:
                    yield from _signatures(value.dump())


def _stamps(info: cms.SignerInfo, pool: tuple[x509.Certificate, ...]) -> Iterator[Signed]:
    for attribute in info["unsigned_attrs"]:
        for value in attribute["values"]:
            if attribute["type"].dotted == COUNTER_SIGNATURE:
                yield Signed(_signer(value, pool), pool)
            elif attribute["type"].dotted == RFC3161_TOKEN:
                yield from _signatures(value.dump())


def _signer(info: cms.SignerInfo, pool: tuple[x509.Certificate, ...]) -> x509.Certificate:
    """Return the certificate that the SignerInfo identifies by issuer and serial number."""
    sid = info["sid"].chosen
    serial, issuer = sid["serial_number"].native, sid["issuer"].dump()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (signer,) = {c for c in pool if c.serial_number == serial and c.issuer.public_bytes() == issuer}
    return signer
