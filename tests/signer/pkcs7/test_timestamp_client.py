"""Timestamps are asked for, checked, and refused when anything about the answer is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import TimestampError, UsageError
from signer.keys.identity import SigningIdentity
from signer.pkcs7.http_post import Unreachable
from signer.pkcs7.signed_data import Content, SigningOptions, TimestampAttribute, sign
from signer.pkcs7.timestamp import Answered, TimestampClient
from signer.pkcs7.timestamp_authority import POLICY
from signer.pkcs7.timestamp_request import RFC3161_QUERY, rfc3161_answer, rfc3161_request
from signer.pkcs7.timestamp_token import parse_token
from signer.pkcs7.timestamping import add_timestamps
from tests.support.identities import identity
from tests.support.timestamping import CODE_SIGNING, NOON, TIME_STAMPING, tsa, tsa_identity

SIGNATURE = b"the octets of a signature"
SHA256 = DigestAlgorithm.SHA256
URLS = ("http://one.example/", "http://two.example/tsa", "https://three.example/")

Answer = Callable[[bytes], bytes]


def ours(url: str, body: bytes, content_type: str, seconds: float) -> bytes:
    """The post of a client, answered by a good authority in this process."""
    return tsa().answer(body) if content_type == RFC3161_QUERY else tsa().answer_legacy(body)


def client(**options: object) -> TimestampClient:
    return TimestampClient(**{"urls": URLS[:1], "post": ours, "sleep": lambda seconds: None, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_a_token_is_asked_for_and_taken(kind: str, algorithm: str) -> None:
    digest = DigestAlgorithm.named(algorithm)
    authority = tsa(tsa_identity(kind))
    asks = client(digest=digest, post=lambda url, body, content_type, seconds: authority.answer(body))
    oid, (token,) = asks(SIGNATURE).attribute
    parsed = parse_token(token)
    assert (oid, parsed.time, parsed.imprint_algorithm) == (oids.RFC3161_TIMESTAMP, NOON, digest)
    assert parsed.policy == POLICY
    assert parsed.signer() == tsa_identity(kind).certificate


def test_a_legacy_timestamp_brings_its_certificates() -> None:
    stamp = client(kind="authenticode")(SIGNATURE)
    assert stamp.attribute[0] == oids.COUNTER_SIGNATURE
    assert len(stamp.certificates) == 2


def request() -> bytes:
    return rfc3161_request(SIGNATURE, SHA256, 7)


def other_nonce(body: bytes) -> bytes:
    return tsa().answer(rfc3161_request(SIGNATURE, SHA256, 8))


def no_nonce(body: bytes) -> bytes:
    return tsa().answer(body.replace(der.integer(7), b"").replace(b"\x30\x3c", b"\x30\x39", 1))


def other_imprint(body: bytes) -> bytes:
    return tsa().answer(rfc3161_request(b"another signature", SHA256, 7))


def other_digest(body: bytes) -> bytes:
    return tsa().answer(rfc3161_request(SIGNATURE, DigestAlgorithm.SHA1, 7))


def forged(body: bytes) -> bytes:
    answer = tsa().answer(body)
    return answer[:-9] + bytes((answer[-9] ^ 1,)) + answer[-8:]


def later(body: bytes) -> bytes:
    return tsa().answer(body).replace(b"20250601120000Z", b"20250602120000Z")


def without_certificates(body: bytes) -> bytes:
    return tsa().answer(body.replace(bytes.fromhex("0101ff"), bytes.fromhex("010100")))


def waiting(body: bytes) -> bytes:
    return der.sequence(der.sequence(der.integer(3)))


BAD: dict[str, tuple[Answer, str]] = {
    "garbage": (lambda body: b"<html>No service today</html>", "no RFC 3161 response"),
    "nothing": (lambda body: b"", "no RFC 3161 response"),
    "cut short": (lambda body: tsa().answer(body)[:-1], "no RFC 3161 response"),
    "an error status": (lambda body: tsa().answer(b"0\x00"), "rejection: .*wrong format"),
    "a status that means later": (waiting, "waiting"),
    "granted, and no token": (lambda body: der.sequence(der.sequence(der.integer(0))), "no RFC 3161 response"),
    "something else than a token": (
        lambda body: der.sequence(der.sequence(der.integer(0)), der.sequence(der.null())),
        "no timestamp token",
    ),
    "another nonce": (other_nonce, "nonce"),
    "no nonce": (no_nonce, "nonce"),
    "another imprint": (other_imprint, "another signature"),
    "another digest": (other_digest, "another digest algorithm"),
    "a forged signature": (forged, "not one of"),
    "a forged time": (later, "message digest is not that of the content"),
    "no certificate": (without_certificates, "certificate of the signer is not in it"),
    "a certificate without usages": (lambda body: tsa(tsa_identity(usages=())).answer(body), "does not say"),
    "a certificate for signing code": (
        lambda body: tsa(tsa_identity("p256", usages=(CODE_SIGNING,))).answer(body),
        "not for timestamps",
    ),
    "a certificate for more than timestamps": (
        lambda body: tsa(tsa_identity(usages=(TIME_STAMPING, CODE_SIGNING))).answer(body),
        "not for timestamps alone",
    ),
    "a certificate that has expired": (
        lambda body: tsa(tsa_identity("p384", ends=NOON - timedelta(days=1))).answer(body),
        "lifetime",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_refused(name: str) -> None:
    answer, message = BAD[name]
    with pytest.raises(TimestampError, match=message):
        rfc3161_answer(answer(request()), SIGNATURE, SHA256, 7)


def test_the_good_answer_beside_the_bad_ones_is_taken() -> None:
    assert isinstance(rfc3161_answer(tsa().answer(request()), SIGNATURE, SHA256, 7), TimestampAttribute)


def test_a_usage_that_is_not_critical_is_taken_as_windows_does() -> None:
    """Microsoft's own authorities are like that."""
    authority = tsa(tsa_identity("p256", critical=False, ends=NOON + timedelta(days=9)))
    assert rfc3161_answer(authority.answer(request()), SIGNATURE, SHA256, 7)


def legacy_forged(body: bytes) -> bytes:
    import base64

    answer = base64.b64decode(tsa().answer_legacy(body))
    return base64.b64encode(answer[:-9] + bytes((answer[-9] ^ 1,)) + answer[-8:])


def of_another(body: bytes) -> bytes:
    from signer.pkcs7.timestamp_request import legacy_request

    return tsa().answer_legacy(legacy_request(b"another signature"))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda body: b"", "can be read"),
        (lambda body: b"\xff\xfe no", "can be read"),
        (lambda body: b"TUlJ", "can be read"),
        (of_another, "another signature"),
        (legacy_forged, "not one of"),
        (lambda body: tsa(tsa_identity("p256", usages=(CODE_SIGNING,))).answer_legacy(body), "not for timestamps"),
    ],
    ids=["nothing", "garbage", "cut short", "another signature", "forged", "a certificate for signing code"],
)
def test_a_bad_legacy_answer_is_refused(answer: Answer, message: str) -> None:
    asks = client(kind="authenticode", post=lambda url, body, content_type, seconds: answer(body))
    with pytest.raises(TimestampError, match=message):
        asks(SIGNATURE)


class Network:
    """Authorities by URL, and what was asked of them; an exception is raised, bytes are answered."""

    def __init__(self, **answers: list[object]) -> None:
        self.answers = {url: answers.get(name, []) for name, url in zip(("one", "two", "three"), URLS, strict=True)}
        self.asked: list[str] = []
        self.pauses: list[float] = []

    def post(self, url: str, body: bytes, content_type: str, seconds: float) -> bytes:
        self.asked.append(url)
        answer = self.answers[url].pop(0) if self.answers[url] else ours
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else ours(url, body, content_type, seconds)

    def client(self, count: int, **options: object) -> TimestampClient:
        return client(urls=URLS[:count], post=self.post, sleep=self.pauses.append, **options)


def down() -> Unreachable:
    return Unreachable("nothing listens there", passing=True)


def test_the_first_that_answers_is_named() -> None:
    network, named = Network(one=[down()]), list[Answered]()
    network.client(2, report=named.append)(SIGNATURE)
    assert network.asked == list(URLS[:2])
    assert named == [Answered(URLS[1], "rfc3161", 2)]
    assert network.pauses == []


def test_all_are_asked_before_any_is_asked_again_after_growing_pauses() -> None:
    network = Network(one=[down(), down()], two=[down(), down()])
    network.client(2)(SIGNATURE)
    assert network.asked == [*URLS[:2], *URLS[:2], URLS[0]]
    assert network.pauses == [1.0, 2.0]


def test_who_answers_wrongly_is_not_asked_again() -> None:
    network = Network(one=[b"garbage"], two=[down()])
    network.client(2)(SIGNATURE)
    assert network.asked == [*URLS[:2], URLS[1]]


def test_who_is_without_its_clock_is_asked_again() -> None:
    no_clock = der.sequence(der.sequence(der.integer(2), der.tlv(der.BIT_STRING, b"\x01\x00\x02")))
    network = Network(one=[no_clock])
    network.client(1)(SIGNATURE)
    assert network.asked == [URLS[0]] * 2


def test_when_nobody_answers_each_is_named_with_its_reason() -> None:
    network, complaints = Network(one=[down()] * 9, two=[b"garbage"]), list[str]()
    with pytest.raises(TimestampError) as caught:
        network.client(2, complain=complaints.append)(SIGNATURE)
    assert f"{URLS[0]}: nothing listens there" in caught.value.message
    assert f"{URLS[1]}: the answer is no RFC 3161 response" in caught.value.message
    assert caught.value.hint
    assert len(complaints) == 4


@pytest.mark.parametrize("kind", ["rfc3161", "authenticode"])
def test_an_authority_that_keeps_its_chain_to_itself_is_taken_with_a_complaint(kind: str) -> None:
    alone = SigningIdentity(tsa_identity().key, tsa_identity().certificate)
    complaints: list[str] = []

    def post(url: str, body: bytes, content_type: str, seconds: float) -> bytes:
        return tsa(alone).answer(body) if content_type == RFC3161_QUERY else tsa(alone).answer_legacy(body)

    assert client(kind=kind, post=post, complain=complaints.append)(SIGNATURE)
    (complaint,) = complaints
    assert "'Drvsign Stamp Root', did not come along" in complaint


@pytest.mark.parametrize("url", ["ftp://x.example/", "file:///etc/passwd", "tsa.example", "http://", "http://[x/", ""])
def test_only_addresses_of_http_are_asked(url: str) -> None:
    with pytest.raises(UsageError, match="not the address"):
        TimestampClient((url,))


def test_a_signature_gets_its_timestamp_later_and_keeps_what_it_has() -> None:
    from signer.pkcs7 import nested

    content = Content(oids.CTL, der.sequence(der.null()))
    outer, inner = (sign(content, identity(), SigningOptions(digest)) for digest in (DigestAlgorithm.SHA1, SHA256))
    both = nested.append(outer, inner)
    asked: list[DigestAlgorithm | None] = []

    def choose(digest: DigestAlgorithm | None) -> TimestampClient:
        asked.append(digest)
        return client(kind="authenticode" if digest is DigestAlgorithm.SHA1 else "rfc3161")

    once = add_timestamps(both, choose)
    assert (once.added, once.kept, asked) == (2, 0, [SHA256, DigestAlgorithm.SHA1])
    again = add_timestamps(once.signature, choose)
    assert (again.added, again.kept, again.signature) == (0, 2, once.signature)
    anew = add_timestamps(once.signature, lambda digest: client(), replace=True)
    assert (anew.added, anew.kept) == (2, 0)
    assert der.oid(oids.COUNTER_SIGNATURE) not in anew.signature


def test_signing_with_a_timestamp_is_signing_and_timestamping_later() -> None:
    content = Content(oids.CTL, der.sequence(der.null()))
    for kind in ("rfc3161", "authenticode"):
        asks = client(kind=kind, nonce=lambda: 7)
        at_once = sign(content, identity(), SigningOptions(), asks)
        later_on = add_timestamps(sign(content, identity(), SigningOptions()), lambda digest, asks=asks: asks)
        assert at_once == later_on.signature
