"""Signatures in PEM."""

from __future__ import annotations

import base64

import pytest

from signer.errors import SigningError
from signer.pkcs7.armor import unarmored

DER = bytes(range(200))


def pem(label: str, data: bytes = DER, newline: str = "\n") -> bytes:
    lines = base64.encodebytes(data).decode("ascii").split()
    return newline.join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", "")).encode("ascii")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(DER, id="DER"),
        pytest.param(pem("PKCS7"), id="PKCS7"),
        pytest.param(pem("CMS"), id="CMS"),
        pytest.param(pem("PKCS7", newline="\r\n"), id="CRLF"),
        pytest.param(b"\n" + pem("PKCS7"), id="empty line before"),
    ],
)
def test_the_der_of_a_signature(data: bytes) -> None:
    assert unarmored(data) == DER


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(pem("CERTIFICATE"), "contains a CERTIFICATE", id="certificate"),
        pytest.param(pem("PKCS7")[:-5], "one complete block", id="cut"),
        pytest.param(pem("PKCS7") + b"trailer", "one complete block", id="trailer"),
        pytest.param(pem("PKCS7").replace(b"AAEC", b"AA*C"), "base64", id="wrong base64"),
        pytest.param(pem("PKCS7").replace(b"AAEC", b"****"), "base64", id="other characters"),
    ],
)
def test_other_pem_files_are_named(data: bytes, message: str) -> None:
    with pytest.raises(SigningError, match=message):
        unarmored(data)
