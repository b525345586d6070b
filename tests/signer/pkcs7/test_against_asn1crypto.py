"""Opus, timestamps and digests of files are read as asn1crypto reads them, which was their reader before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from asn1crypto.core import ObjectIdentifier, Void
from asn1crypto.tsp import TSTInfo
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7 import indirect_data, opus
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo
from signer.pkcs7.structure import Structure
from signer.pkcs7.timestamp_token import _token
from tests.support.spc_types import SpcAttributeTypeAndOptionalValue, SpcLink, SpcPeImageData, SpcSpOpusInfo

MALFORMED = "malformed"
SIGNED = ParsedSignedData(3, (), "", b"", (), (), Structure())
SIGNER = ParsedSignerInfo(1, b"", 1, None, "", {}, b"", b"", b"", {})

texts = st.one_of(
    st.text("aé😀", min_size=1, max_size=4).map(lambda text: der.tlv(0x80, text.encode("utf-16-be"))),
    st.text("ab/\0", min_size=1, max_size=4).map(lambda text: der.tlv(0x81, text.encode())),
    st.binary(min_size=1, max_size=3).map(lambda data: der.tlv(0x80, data)),
    st.binary(min_size=1, max_size=2).map(lambda data: der.tlv(0x82, data)),
)
objects = st.builds(
    lambda kind, data: der.explicit(1, der.octets(kind), der.octets(data)),
    st.sampled_from([oids.PAGE_HASH_CLASS, b"other class"]),
    st.sampled_from(
        [
            der.tlv(der.SET, der.sequence(der.oid(oid), der.tlv(der.SET, der.octets(bytes(size)))))
            for oid in (oids.SPC_PAGE_HASHES_V1, oids.SPC_PAGE_HASHES_V2, oids.ENHANCED_HASH, oids.DATA)
            for size in (0, 24, 36, 37)
        ]
    ),
)
links = st.one_of(
    st.binary(min_size=1, max_size=4).map(lambda data: der.tlv(0x80, data)),
    objects,
    texts.map(lambda text: der.explicit(2, text)),
    texts,
)
opus_infos = st.tuples(
    *(st.just(b"") | values.map(partial(der.explicit, number)) for number, values in enumerate((texts, links, links)))
).map(lambda parts: der.sequence(*parts))
optional = [
    der.sequence(der.integer(1)),
    b"\x01\x01\xff",
    der.integer(1 << 70),
    der.explicit(0, der.explicit(4, der.sequence())),
    der.explicit(1),
]
tst_infos = st.builds(
    lambda number, time, digest, more: der.sequence(
        der.integer(1),
        der.oid("1.2.3.4"),
        der.sequence(der.sequence(der.oid(oids.DATA), *digest), der.octets(b"digest")),
        der.integer(number),
        time,
        *more,
    ),
    st.integers(-(1 << 70), 1 << 70),
    st.sampled_from(
        [der.tlv(der.GENERALIZED_TIME, text) for text in (b"20260101120000Z", b"20260101120000.5Z", b"2026")]
        + [der.tlv(der.UTC_TIME, b"260101120000Z")]
    ),
    st.lists(st.just(der.null()), max_size=1),
    st.sets(st.sampled_from(range(5))).map(lambda chosen: [optional[one] for one in sorted(chosen)]),
)
file_types = st.builds(
    lambda oid, value: der.sequence(der.oid(oid), *value),
    st.sampled_from([oids.SPC_PE_IMAGE_DATA, oids.SPC_CAB_DATA, oids.SPC_LINK, oids.DATA]),
    st.lists(
        st.one_of(
            links.filter(lambda link: link[0] != 0x80),  # asn1crypto takes a URL for the explicit tag [0]
            links.map(lambda link: der.sequence(indirect_data.NO_FLAGS, der.explicit(0, link))),
            links.map(lambda link: der.sequence(der.explicit(0, link))),
            st.just(der.sequence()),
        ),
        max_size=1,
    ),
)


def dotted(identifier: ObjectIdentifier) -> str:
    """Return the dotted form of an identifier; asn1crypto has none for those that begin with a zero."""
    return der.read_oid(identifier.contents)


def opus_by_asn1crypto(data: bytes) -> Any:
    def text(field: Any) -> str | None:
        while hasattr(field, "chosen"):
            field = field.chosen
        return (
            None if isinstance(field, Void) or not isinstance(field.native, str) else field.native.rstrip("\0") or None
        )

    info = SpcSpOpusInfo.load(data, strict=True)
    return opus.Opus(text(info["program_name"]), text(info["more_info"]))


def token_by_asn1crypto(data: bytes) -> Any:
    info = TSTInfo.load(data, strict=True)
    imprint, time = info["message_imprint"], info["gen_time"].dump()
    return (
        dotted(info["policy"]),
        dotted(imprint["hash_algorithm"]["algorithm"]),
        imprint["hashed_message"].native,
        int(info["serial_number"].native),
        der.read_time(time, der.read(time)),
        info["nonce"].native,
    )


def token(data: bytes) -> Any:
    found = _token(SIGNED, data)
    return found.policy, found.imprint_oid, found.imprint, found.serial, found.time, found.nonce


def file_type_by_asn1crypto(data: bytes) -> Any:
    attribute = SpcAttributeTypeAndOptionalValue.load(data, strict=True)
    oid = dotted(attribute["type"])
    if oid not in (oids.SPC_PE_IMAGE_DATA, oids.SPC_CAB_DATA, oids.SPC_LINK):
        return oid, None
    value = attribute.contents[len(attribute["type"].dump()) :]  # an Any refuses tags that have no type of their own
    if not value:
        return oid, None
    link = SpcPeImageData.load(value)["file"] if oid == oids.SPC_PE_IMAGE_DATA else SpcLink.load(value)
    if isinstance(link, Void) or link.name != "moniker" or link.chosen["class_id"].native != oids.PAGE_HASH_CLASS:
        return oid, None
    return oid, indirect_data._hashes(link.chosen["serialized_data"].native)


def file_type(data: bytes) -> Any:
    content = der.sequence(data, der.sequence(der.sequence(der.oid(oids.DATA)), der.octets(b"")))
    found = indirect_data.parse(content)
    return found.type_oid, found.page_hashes or found.enhanced_hash


def answer(read: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return read(data)
    except (SignatureFormatError, ValueError, TypeError, KeyError):
        return MALFORMED


def read_opus(data: bytes) -> opus.Opus:
    return opus.read_opus(replace(SIGNER, signed_attributes={oids.SPC_SP_OPUS_INFO: (data,)}))


READERS = [
    pytest.param(opus_infos, read_opus, opus_by_asn1crypto, id="opus"),
    pytest.param(tst_infos, token, token_by_asn1crypto, id="timestamp"),
    pytest.param(file_types, file_type, file_type_by_asn1crypto, id="file-type"),
]


@pytest.mark.parametrize(
    ("read", "data"),
    [
        pytest.param(read_opus, der.sequence(der.explicit(0, b"\x80\0"), der.explicit(0, b"\x80\0")), id="name-twice"),
        pytest.param(read_opus, der.sequence(der.explicit(1, b"\x80\0"), der.explicit(0, b"\x80\0")), id="order"),
        pytest.param(read_opus, der.sequence(der.explicit(0, b"\x80\0", b"\x80\0")), id="two-names"),
        pytest.param(read_opus, der.sequence(der.explicit(3)), id="undefined-field"),
        pytest.param(read_opus, der.sequence() + b"\0", id="trailing-octet"),
        pytest.param(token, der.sequence(), id="empty-timestamp"),
        pytest.param(file_type, der.sequence(der.tlv(der.OID, b"\x80\x2a\x03")), id="identifier-with-padding"),
        pytest.param(file_type, der.sequence(), id="no-type"),
        pytest.param(file_type, der.sequence(der.oid(oids.SPC_LINK), b"\x80\0", b"\x80\0"), id="two-links"),
    ],
)
def test_undefined_fields_are_malformed(read: Callable[[bytes], Any], data: bytes) -> None:
    with pytest.raises(SignatureFormatError):
        read(data)


@pytest.mark.parametrize(("values", "ours", "theirs"), READERS)
def test_both_read_the_same(values: Any, ours: Callable[[bytes], Any], theirs: Callable[[bytes], Any]) -> None:
    @given(values)
    @settings(max_examples=150)
    def check(data: bytes) -> None:
        assert answer(ours, data) == answer(theirs, data)

    check()


@pytest.mark.parametrize(("values", "ours", "theirs"), READERS)
def test_no_damaged_der_is_read_otherwise(
    values: Any, ours: Callable[[bytes], Any], theirs: Callable[[bytes], Any]
) -> None:
    """Ours may refuse what asn1crypto accepts; it reads no value that asn1crypto does not."""

    @given(values, st.data())
    @settings(max_examples=250)
    def check(data: bytes, draw: st.DataObject) -> None:
        damaged = bytearray(data)
        for _ in range(draw.draw(st.integers(1, 2))):
            damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
        found = answer(ours, bytes(damaged))
        assert found in (MALFORMED, answer(theirs, bytes(damaged)))

    check()
