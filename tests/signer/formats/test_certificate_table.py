"""The certificate table of an image: the signature that Windows reads, and data hidden next to it."""

from __future__ import annotations

import pytest

from signer.asn1 import der
from signer.formats.certificate_table import find_signature
from signer.operations.sign import sign_file
from signer.pe.image import Image
from signer.pkcs7 import nested
from signer.pkcs7.signed_data import SigningOptions
from tests.support.identities import identity
from tests.support.tables import UNSIGNED, entry, image_with, padded

SIGNATURE = sign_file(UNSIGNED, identity(), SigningOptions()).signature
ODD = SIGNATURE if len(SIGNATURE) % 8 else nested.with_unsigned(SIGNATURE, "2.999.1", (der.null(),))
"""A signature whose length is not a multiple of 8, so its entry needs padding."""
FILL = -len(ODD) % 8
OTHER = nested.with_unsigned(ODD, "2.999.2", (der.null(),))
BROKEN = b"\x30\x80" + bytes(62)


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (entry(padded(ODD)), []),
        (padded(entry(ODD)), []),
        (entry(ODD + b"\x01" * FILL), ["nonzero-padding"]),
        (entry(ODD) + b"\x01" * FILL, ["certificate-table-padding"]),
        (entry(ODD) + b"\x01" + bytes(FILL - 1), ["certificate-table-padding"]),
        (entry(ODD) + bytes(FILL - 1) + b"\x01", ["certificate-table-padding"]),
        (entry(padded(ODD) + bytes(8)), ["certificate-padding"]),
        (entry(padded(ODD) + b"\x90" * 64), ["certificate-padding", "nonzero-padding"]),
        (entry(padded(ODD)) + entry(padded(ODD)), ["several-certificates"]),
        (entry(padded(ODD)) + entry(b"\x90" * 64, kind=9), ["certificate-kind"]),
        (entry(b"\x90" * 64, kind=1) + entry(padded(ODD)), ["certificate-kind"]),
        (entry(b"\x90" * 64, revision=0x0100) + entry(padded(ODD)), ["certificate-kind"]),
    ],
    ids=[
        "as SignTool pads",
        "as the specification pads",
        "nonzero padding",
        "nonzero alignment",
        "nonzero first byte of the alignment",
        "nonzero last byte of the alignment",
        "eight more zeros",
        "SigFlip: a payload after the signature",
        "a second signature in the table",
        "a payload in a separate entry",
        "a payload before the signature",
        "an entry of the old revision",
    ],
)
def test_hidden_data_in_the_certificate_table_is_reported(table: bytes, codes: list[str]) -> None:
    found = find_signature(Image.parse(image_with(table)))
    assert [problem.code for problem in found.problems] == codes
    assert found.signatures == (ODD,)
    assert all(problem.message[0].islower() or problem.message[0].isdigit() for problem in found.problems)


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (entry(b"", length=0) + bytes(8), "certificate-table"),
        (entry(padded(ODD), length=7), "certificate-table"),
        (entry(padded(ODD), length=1 << 20), "certificate-table"),
        (entry(padded(ODD)) + bytes(16), "certificate-table"),
    ],
    ids=["no length", "shorter than its header", "longer than the table", "zeros after the entries"],
)
def test_an_unreadable_table_is_reported(table: bytes, code: str) -> None:
    found = find_signature(Image.parse(image_with(table)))
    assert [problem.code for problem in found.problems] == [code]
    assert found.signatures == ()


@pytest.mark.parametrize(
    ("table", "signature", "codes"),
    [
        (b"", None, []),
        (entry(b"\x90" * 64, kind=9), None, ["certificate-kind"]),
        (entry(padded(ODD)) + entry(padded(OTHER)), ODD, ["several-certificates"]),
        (entry(padded(OTHER)) + entry(padded(ODD)), OTHER, ["several-certificates"]),
        (entry(b"\x90" * 64, kind=9) + entry(padded(ODD)), ODD, ["certificate-kind"]),
        (entry(ODD + bytes(7)), ODD, []),
        (entry(ODD + bytes(8)), ODD, ["certificate-padding"]),
        (entry(BROKEN), BROKEN, []),
        (entry(ODD) + bytes(FILL) + entry(padded(ODD)), ODD, ["several-certificates"]),
        (entry(ODD) + b"\x01".rjust(FILL, b"\0") + entry(padded(ODD)), ODD, None),
    ],
    ids=[
        "no table",
        "no signature",
        "the first of two",
        "the first of two, swapped",
        "a signature after another entry",
        "seven zeros",
        "eight zeros",
        "an entry that is not DER, for the reader of signatures to report",
        "two signatures with padding between them",
        "data between two signatures",
    ],
)
def test_windows_reads_the_first_signature(table: bytes, signature: bytes | None, codes: list[str] | None) -> None:
    found = find_signature(Image.parse(image_with(table) if table else UNSIGNED))
    assert found.signatures == ((signature,) if signature is not None else ())
    assert [one.code for one in found.problems] == (
        codes if codes is not None else ["several-certificates", "certificate-table-padding"]
    )


def test_an_entry_of_another_kind_is_named_with_its_numbers() -> None:
    (problem,) = find_signature(Image.parse(image_with(entry(bytes(8), kind=9, revision=0x0100)))).problems
    assert "(revision 0x0100, type 9)" in problem.message
