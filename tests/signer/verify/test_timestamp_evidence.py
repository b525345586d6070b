"""Timestamps as evidence: a faulty timestamp does not count, and its signature remains intact."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignerError
from signer.keys.identity import SigningIdentity
from signer.operations.sign import sign_file
from signer.pkcs7.counter_signature import signer_info_of
from signer.pkcs7.encode import attribute, signer_info
from signer.pkcs7.nested import with_unsigned
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import SigningOptions, TimestampAttribute
from signer.pkcs7.timestamp import Kind
from signer.pkcs7.timestamp_request import legacy_request, rfc3161_request
from signer.pkcs7.timestamping import add_timestamps
from signer.verify.evidence import Signature, Timestamp
from signer.verify.gather import gather
from tests.support.identities import identity
from tests.support.tables import UNSIGNED, entry, image_with, padded
from tests.support.timestamping import CODE_SIGNING, NOON, TIME_STAMPING, tsa, tsa_identity

SHA256 = DigestAlgorithm.SHA256
SIGNED = sign_file(UNSIGNED, identity(), SigningOptions(description="Drv")).signature
VALUE = parse(SIGNED).signers[0].signature
KINDS: tuple[Kind, ...] = ("rfc3161", "authenticode")
TYPES: dict[Kind, str] = {"rfc3161": oids.RFC3161_TIMESTAMP, "authenticode": oids.COUNTER_SIGNATURE}
Change = Callable[[bytes], bytes]


def stamp(
    kind: Kind, by: SigningIdentity | None = None, over: bytes = VALUE, change: Change = bytes
) -> TimestampAttribute:
    """Request a timestamp from an authority and change its bytes, without checking it."""
    if kind == "rfc3161":
        response = tsa(by).answer(rfc3161_request(over, SHA256, 7))
        _, token = der.children(response, der.read(response))
        return TimestampAttribute((TYPES[kind], (change(token.whole(response)),)))
    answer = base64.b64decode(tsa(by).answer_legacy(legacy_request(over)))
    return TimestampAttribute((TYPES[kind], (change(signer_info_of(answer)),)), parse(answer).certificates_der)


def with_stamp(given_: TimestampAttribute) -> bytes:
    return add_timestamps(SIGNED, lambda digest: lambda octets: given_).signature


def read(signature: bytes) -> Signature:
    (found,) = gather(image_with(entry(padded(signature))), "image", "a.sys").signatures
    return found


def timestamp(given_: TimestampAttribute) -> Timestamp:
    """Return the timestamp as evidence, after asserting that its signature is intact."""
    found = read(with_stamp(given_))
    assert found.intact and found.timestamp is not None
    return found.timestamp


def codes(found: Timestamp) -> list[str]:
    return [problem.code for problem in found.problems]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["rsa2048", "p256", "p384"])
def test_a_timestamp_is_intact(kind: Kind, key: str) -> None:
    signature = read(with_stamp(stamp(kind, tsa_identity(key))))
    found = signature.timestamp
    assert found is not None and signature.notes == ()
    assert (found.kind, found.time, found.problems, found.notes) == (kind, NOON, (), ())
    assert found.digest_algorithm is SHA256
    assert found.signer == tsa_identity(key).certificate
    assert found.signer in found.certificates


def swap(old: bytes, new: bytes) -> Change:
    def change(data: bytes) -> bytes:
        assert old in data and len(old) == len(new)
        return data.replace(old, new)

    return change


def flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 1,))


def with_more(data: bytes) -> bytes:
    """Append a field to a SEQUENCE."""
    return der.sequence(der.read(data).contents(data), der.octets(b"hidden data"))


@pytest.mark.parametrize("kind", KINDS)
def test_undefined_fields_of_a_timestamp_are_noted(kind: Kind) -> None:
    """They are in the ContentInfo of a token, or in the SignerInfo of a legacy timestamp."""
    found = timestamp(stamp(kind, change=with_more))
    assert found.intact
    assert [note.code for note in found.notes] == ["trailing-fields"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_timestamp_with_a_version_of_many_bytes_is_not_intact(kind: Kind) -> None:
    version = der.tlv(der.INTEGER, b"\x01", bytes(100))

    def signer_version(data: bytes) -> bytes:
        return der.sequence(version, *[one.whole(data) for one in der.children(data, der.read(data))][1:])

    def token_version(data: bytes) -> bytes:
        oid, wrapped = der.children(data, der.read(data))
        return der.sequence(oid.whole(data), der.explicit(0, signer_version(wrapped.contents(data))))

    change = token_version if kind == "rfc3161" else signer_version
    assert "malformed-structure" in codes(timestamp(stamp(kind, change=change)))


AUTHORITY = tsa_identity().certificate.public_bytes(Encoding.DER)
IMPRINT = SHA256.hash(VALUE)
OTHER_ATTRIBUTE = oids.SIGNING_CERTIFICATE_V2[:-2] + "48"


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("rfc3161", swap(IMPRINT, bytes(32)), "timestamp-imprint"),
        ("rfc3161", swap(b"20250601120000Z", b"20240601120000Z"), "message-digest-mismatch"),
        ("rfc3161", swap(b"250601120000Z", b"240601120000Z"), "signature-mismatch"),
        ("rfc3161", swap(der.oid(oids.SIGNING_CERTIFICATE_V2), der.oid(OTHER_ATTRIBUTE)), "signing-certificate"),
        ("rfc3161", swap(SHA256.hash(AUTHORITY), bytes(32)), "signing-certificate"),
        ("rfc3161", flip_last, "signature-mismatch"),
        ("rfc3161", lambda data: der.octets(data), "timestamp-format"),
        ("rfc3161", lambda data: SIGNED, "timestamp-format"),
        ("authenticode", swap(IMPRINT, bytes(32)), "timestamp-imprint"),
        ("authenticode", swap(b"250601120000Z", b"240601120000Z"), "signature-mismatch"),
        ("authenticode", swap(b"250601120000Z", b"259901120000Z"), "timestamp-format"),
        ("authenticode", swap(der.oid(oids.DATA), der.oid(oids.SIGNED_DATA)), "signature-mismatch"),
        ("authenticode", swap(der.oid(oids.SIGNING_TIME), der.oid(oids.CONTENT_TYPE)), "timestamp-format"),
        ("authenticode", flip_last, "signature-mismatch"),
        ("authenticode", lambda data: der.null(), "timestamp-format"),
    ],
    ids=[
        "the imprint",
        "the time",
        "the signing time",
        "the signing-certificate attribute",
        "the certificate digest",
        "the value",
        "no token",
        "a signature instead of a token",
        "the legacy message digest",
        "the legacy time",
        "an impossible legacy time",
        "the legacy content type",
        "no legacy time",
        "the legacy value",
        "no counter-signature",
    ],
)
def test_a_changed_timestamp_is_reported(kind: Kind, change: Change, code: str) -> None:
    assert code in codes(timestamp(stamp(kind, change=change)))


@pytest.mark.parametrize(
    ("types", "notes"),
    [((), []), ((oids.DATA,), []), ((oids.TST_INFO,), ["timestamp-content-type"])],
    ids=["none", "data", "TSTInfo"],
)
def test_the_content_type_of_a_legacy_timestamp_is_ignored(types: tuple[str, ...], notes: list[str]) -> None:
    """Certum's legacy timestamps declare TSTInfo, and Windows accepts them."""
    by = tsa_identity()
    attributes = der.set_of(
        [
            *(attribute(oids.CONTENT_TYPE, (der.oid(one),)) for one in types),
            attribute(oids.SIGNING_TIME, (der.time(NOON),)),
            attribute(oids.MESSAGE_DIGEST, (der.octets(IMPRINT),)),
        ]
    )
    value = by.key.sign(SHA256.hash(attributes), SHA256)
    counter = signer_info(by.certificate, SHA256, attributes, value)
    carried = tuple(one.public_bytes(Encoding.DER) for one in (by.certificate, *by.chain))
    found = timestamp(TimestampAttribute((oids.COUNTER_SIGNATURE, (counter,)), carried))
    assert (found.problems, [note.code for note in found.notes]) == ((), notes)


@pytest.mark.parametrize("kind", KINDS)
def test_a_timestamp_of_a_different_signature_is_rejected(kind: Kind) -> None:
    assert codes(timestamp(stamp(kind, over=b"another signature"))) == ["timestamp-imprint"]


FOR_CODE = tsa_identity("p256", (CODE_SIGNING,))
FOR_BOTH = tsa_identity("p256", (TIME_STAMPING, CODE_SIGNING))
FOR_ANYTHING = tsa_identity("p256", ())
EXPIRED = tsa_identity("p256", ends=NOON - timedelta(days=1))
NOT_CRITICAL = tsa_identity("p256", critical=False)


@pytest.mark.parametrize(
    ("kind", "by", "problems", "notes"),
    [
        ("rfc3161", FOR_CODE, ["timestamp-usage"], []),
        ("rfc3161", FOR_BOTH, ["timestamp-usage"], []),
        ("rfc3161", FOR_ANYTHING, ["timestamp-usage"], []),
        ("rfc3161", EXPIRED, ["timestamp-lifetime"], []),
        ("rfc3161", NOT_CRITICAL, [], ["timestamp-usage-not-critical"]),
        ("authenticode", FOR_CODE, ["timestamp-usage"], []),
        ("authenticode", FOR_BOTH, ["timestamp-usage"], []),
        ("authenticode", FOR_ANYTHING, ["timestamp-usage"], []),
        ("authenticode", EXPIRED, ["timestamp-lifetime"], []),
        ("authenticode", NOT_CRITICAL, [], ["timestamp-usage-not-critical"]),
    ],
)
def test_the_authority_s_certificate_must_be_for_timestamps(
    kind: Kind, by: SigningIdentity, problems: list[str], notes: list[str]
) -> None:
    found = timestamp(stamp(kind, by))
    assert (codes(found), [note.code for note in found.notes]) == (problems, notes)


def test_a_legacy_timestamp_without_its_certificates_has_no_signer() -> None:
    bare = TimestampAttribute(stamp("authenticode").attribute)
    found = timestamp(bare)
    assert found.signer is None and codes(found) == ["signer-certificate-missing"]


def test_the_first_intact_of_several_timestamps_counts() -> None:
    broken, good = stamp("rfc3161", change=flip_last), stamp("authenticode")
    both = with_unsigned(with_stamp(good), oids.RFC3161_TIMESTAMP, broken.attribute[1])
    found = read(both)
    assert found.timestamp is not None and found.timestamp.intact and found.timestamp.kind == "authenticode"
    assert [note.code for note in found.notes] == ["several-timestamps"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unreadable_timestamp_does_not_hide_an_intact_one(kind: Kind) -> None:
    good = stamp(kind)
    values = (der.octets(b"no timestamp"), *good.attribute[1])
    found = read(with_unsigned(with_stamp(good), TYPES[kind], values))
    assert found.timestamp is not None and found.timestamp.intact
    assert [note.code for note in found.notes] == ["several-timestamps"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_time_of_an_unreadable_timestamp_is_the_epoch(kind: Kind) -> None:
    """A caller that ignores `intact` gets a time before any certificate."""
    assert timestamp(stamp(kind, change=lambda data: der.null())).time == datetime(1601, 1, 1, tzinfo=UTC)


def test_a_token_whose_certificate_can_not_be_read_is_nobody_s() -> None:
    found = timestamp(stamp("rfc3161", change=swap(b"240805120000Z", b"24080512000XZ")))
    assert found.signer is None and codes(found) == ["signer-certificate-unreadable"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("before", "intact"), [(7, True), (8, False)])
def test_eight_timestamps_are_read(kind: Kind, before: int, intact: bool) -> None:
    good = stamp(kind)
    values = (*(der.octets(b"no timestamp"),) * before, *good.attribute[1])
    found = read(with_unsigned(with_stamp(good), TYPES[kind], values))
    assert found.timestamp is not None and found.timestamp.intact == intact


def test_a_nested_signature_has_its_own_timestamp() -> None:
    inner = sign_file(UNSIGNED, identity(), SigningOptions(DigestAlgorithm.SHA384)).signature
    outer = with_unsigned(with_stamp(stamp("rfc3161")), oids.NESTED_SIGNATURE, (inner,))
    first, second = gather(image_with(entry(padded(outer))), "image", "a.sys").signatures
    assert first.timestamp is not None and second.timestamp is None


STAMPED = {kind: with_stamp(stamp(kind)) for kind in KINDS}


def essence(found: Signature) -> tuple[object, ...]:
    """Return the values that must not change while signature and timestamp are intact.

    A changed certificate fails path building, because its issuer signed it; here only its key matters.
    """
    stamped = found.timestamp
    assert stamped is not None and stamped.signer is not None and found.signer is not None
    keys = found.signer.public_key(), stamped.signer.public_key()
    return found.digest, found.digest_algorithm, found.program_name, stamped.time, stamped.kind, *keys


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_changed_byte_alters_intact_evidence(kind: Kind, data: st.DataObject) -> None:
    """Any changed byte of a signature is detected, or it changes no value that matters."""
    original = image_with(entry(padded(STAMPED[kind])))
    place = data.draw(st.integers(len(UNSIGNED), len(original) - 1))
    changed = bytearray(original)
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        evidence = gather(changed, "image", "a.sys")
    except SignerError:
        return
    for found in evidence.signatures:
        if found.intact and found.timestamp is not None and found.timestamp.intact:
            assert essence(found) == essence(read(STAMPED[kind]))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_mangled_signatures_raise_only_signer_errors(data: st.DataObject) -> None:
    """Ranges that are cut out, doubled, moved or overwritten yield evidence or a SignerError."""
    body = bytearray(STAMPED[data.draw(st.sampled_from(KINDS))])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body) - 1))
        length = data.draw(st.integers(1, 64))
        piece = data.draw(st.binary(max_size=64)) if data.draw(st.booleans()) else bytes(body[-length:])
        body[start : start + length] = piece
    try:
        evidence = gather(image_with(entry(padded(bytes(body)))), "image", "a.sys")
    except SignerError:
        return
    assert all(one.digest or one.problems for one in evidence.signatures)
