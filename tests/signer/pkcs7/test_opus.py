"""The name and URL of a program, which SpcSpOpusInfo may have beside information about the publisher."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.opus import Opus, read_opus
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from tests.support.identities import identity

(SIGNER,) = parse(sign(Content(oids.DATA, der.octets(b"content")), identity(), SigningOptions())).signers
NAME, URL = der.explicit(0, der.tlv(0x81, b"Driver")), der.explicit(1, der.tlv(0x80, b"https://example.com"))
PUBLISHER, UNDEFINED = (der.explicit(number, der.tlv(0x80, b"https://example.org")) for number in (2, 3))


def read(*fields: bytes) -> Opus:
    attributes = {oids.SPC_SP_OPUS_INFO: (der.sequence(*fields),)}
    return read_opus(replace(SIGNER, signed_attributes=attributes))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param((), Opus(), id="no fields"),
        pytest.param((NAME, URL), Opus("Driver", "https://example.com"), id="name and URL"),
        pytest.param((NAME, URL, PUBLISHER), Opus("Driver", "https://example.com"), id="every field"),
        pytest.param((PUBLISHER,), Opus(), id="the publisher alone"),
    ],
)
def test_name_and_url_are_read(fields: tuple[bytes, ...], expected: Opus) -> None:
    """The URL of the publisher is not that of the program."""
    assert read(*fields) == expected


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param((PUBLISHER, URL), id="the publisher before the URL"),
        pytest.param((PUBLISHER, PUBLISHER), id="two publishers"),
        pytest.param((NAME, UNDEFINED), id="an undefined field"),
    ],
)
def test_other_fields_are_refused(fields: tuple[bytes, ...]) -> None:
    with pytest.raises(SignatureFormatError, match="SpcSpOpusInfo"):
        read(*fields)
