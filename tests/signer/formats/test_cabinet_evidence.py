"""Bytes of a signed cabinet that neither its digest covers nor its format defines are reported."""

from __future__ import annotations

import struct

import pytest

from signer.formats.cabinet import CabinetSubject
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from tests.support.cabinets import cabinet
from tests.support.files import patched
from tests.support.identities import identity

_PLAIN = cabinet({"a.inf": b"[Version]"})
SIGNED = patched(_PLAIN, sign_file(_PLAIN, identity(), SigningOptions()).changes)
OFFSET, SIZE = struct.unpack_from("<II", SIGNED, 44)
LENGTH = 4 + int.from_bytes(SIGNED[OFFSET + 2 : OFFSET + 4], "big")
"""Length of the signature's DER, whose header has four bytes."""


def with_padding(padding: bytes) -> bytes:
    """Replace what follows the DER of the signature; the cabinet's header counts it."""
    data = bytearray(SIGNED[: OFFSET + LENGTH] + padding)
    data[48:52] = (LENGTH + len(padding)).to_bytes(4, "little")
    return bytes(data)


def with_reserved(place: int) -> bytes:
    """Change a byte of the reserved area."""
    data = bytearray(SIGNED)
    data[place] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        pytest.param(SIGNED, [], id="as drvsign writes it"),
        pytest.param(with_padding(b""), [], id="no padding"),
        pytest.param(with_padding(bytes(7)), [], id="zeros up to a multiple of eight"),
        pytest.param(with_padding(bytes(8)), ["cabinet-trailing-data"], id="more zeros than padding"),
        pytest.param(with_padding(b"\0\0x\0"), ["cabinet-trailing-data"], id="padding with data"),
        pytest.param(with_padding(bytes(7) + b"x"), ["cabinet-trailing-data"], id="data after the padding"),
        pytest.param(with_reserved(52), ["cabinet-reserved-data"], id="reserved area with data"),
        pytest.param(with_reserved(40), ["cabinet-reserved-data"], id="reserved area with other sizes"),
    ],
)
def test_uncovered_bytes_are_reported(data: bytes, codes: list[str]) -> None:
    assert [problem.code for problem in CabinetSubject(data).embedded().problems] == codes
