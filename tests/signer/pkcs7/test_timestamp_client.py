"""Timestamps are requested and checked, and invalid answers are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import TimestampError, UsageError
from signer.keys.identity import SigningIdentity
from signer.pkcs7.http_post import Unreachable
from signer.pkcs7.signed_data import Content, SigningOptions, TimestampAttribute, sign
from signer.pkcs7.timestamp import TimestampClient, TimestampSource
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


def local_post(url: str, body: bytes, content_type: str, seconds: float) -> bytes:
    """Answer a request with an authority in this process."""
    return tsa().answer(body) if content_type == RFC3161_QUERY else tsa().answer_legacy(body)


def client(**options: object) -> TimestampClient:
    return TimestampClient(**{"urls": URLS[:1], "post": local_post, "sleep": lambda seconds: None, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_a_token_is_requested_and_accepted(kind: str, algorithm: str) -> None:
    digest = DigestAlgorithm.named(algorithm)
    authority = tsa(tsa_identity(kind))
    timestamper = client(digest=digest, post=lambda url, body, content_type, seconds: authority.answer(body))
    oid, (token,) = timestamper(SIGNATURE).attribute
    parsed = parse_token(token)
    assert (oid, parsed.time, parsed.imprint_algorithm) == (oids.RFC3161_TIMESTAMP, NOON, digest)
    assert parsed.policy == POLICY
    assert parsed.signer() == tsa_identity(kind).certificate


def test_a_legacy_timestamp_has_its_certificates() -> None:
    timestamp = client(kind="authenticode")(SIGNATURE)
    assert timestamp.attribute[0] == oids.COUNTER_SIGNATURE
    assert len(timestamp.certificates) == 2


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
    "garbage": (lambda body: b"<html>No service today</html>", "not an RFC 3161 response"),
    "empty": (lambda body: b"", "not an RFC 3161 response"),
    "truncated": (lambda body: tsa().answer(body)[:-1], "not an RFC 3161 response"),
    "an error status": (lambda body: tsa().answer(b"0\x00"), "rejection: .*wrong format"),
    "a status of 2,000 bytes": (  # found by fuzzing: Python refuses to print such a number
        lambda body: der.sequence(der.sequence(der.tlv(der.INTEGER, b"\x7f" * 2000))),
        "not an RFC 3161 response: the status has more than 4 bytes",
    ),
    "the status waiting": (waiting, "waiting"),
    "granted without a token": (lambda body: der.sequence(der.sequence(der.integer(0))), "not an RFC 3161 response"),
    "other content than a token": (
        lambda body: der.sequence(der.sequence(der.integer(0)), der.sequence(der.null())),
        "no valid timestamp token",
    ),
    "another nonce": (other_nonce, "nonce"),
    "no nonce": (no_nonce, "nonce"),
    "another imprint": (other_imprint, "a different signature"),
    "another digest": (other_digest, "digest algorithm of the timestamp differs"),
    "a forged signature": (forged, "does not match the key"),
    "a forged time": (later, "message digest differs from the digest of the content"),
    "no certificate": (without_certificates, "does not contain the signer's certificate"),
    "a certificate without EKU": (lambda body: tsa(tsa_identity(usages=())).answer(body), "has no EKU"),
    "a code-signing certificate": (
        lambda body: tsa(tsa_identity("p256", usages=(CODE_SIGNING,))).answer(body),
        "does not contain time stamping",
    ),
    "a certificate for more than timestamps": (
        lambda body: tsa(tsa_identity(usages=(TIME_STAMPING, CODE_SIGNING))).answer(body),
        "not restricted to time stamping",
    ),
    "an expired certificate": (
        lambda body: tsa(tsa_identity("p384", ends=NOON - timedelta(days=1))).answer(body),
        "outside of the validity period",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_refused(name: str) -> None:
    answer, message = BAD[name]
    with pytest.raises(TimestampError, match=message):
        rfc3161_answer(answer(request()), SIGNATURE, SHA256, 7)


def test_the_reason_of_a_refusal_is_short() -> None:
    """An answer can have a megabyte of texts and failures."""
    texts = der.sequence(*[der.tlv(der.UTF8_STRING, b"no " * 1000)] * 100)
    status = der.sequence(der.integer(2), texts, der.tlv(der.BIT_STRING, b"\0" + b"\xff" * 100_000))
    with pytest.raises(TimestampError, match="rejection: no no") as caught:
        rfc3161_answer(der.sequence(status), SIGNATURE, SHA256, 7)
    assert len(caught.value.message) < 600


def test_the_valid_answer_to_the_same_request_is_accepted() -> None:
    assert isinstance(rfc3161_answer(tsa().answer(request()), SIGNATURE, SHA256, 7), TimestampAttribute)


def test_an_eku_that_is_not_critical_is_accepted() -> None:
    """Windows accepts it, and Microsoft's own authorities have it."""
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
        (lambda body: b"", "not a valid timestamp"),
        (lambda body: b"\xff\xfe no", "not a valid timestamp"),
        (lambda body: b"TUlJ", "not a valid timestamp"),
        (of_another, "a different signature"),
        (legacy_forged, "does not match the key"),
        (
            lambda body: tsa(tsa_identity("p256", usages=(CODE_SIGNING,))).answer_legacy(body),
            "does not contain time stamping",
        ),
    ],
    ids=["empty", "garbage", "truncated", "another signature", "forged", "a code-signing certificate"],
)
def test_a_bad_legacy_answer_is_refused(answer: Answer, message: str) -> None:
    timestamper = client(kind="authenticode", post=lambda url, body, content_type, seconds: answer(body))
    with pytest.raises(TimestampError, match=message):
        timestamper(SIGNATURE)


class Network:
    """Simulated authorities by URL: exceptions are raised, bytes are returned. Records requests and pauses."""

    def __init__(self, **answers: list[object]) -> None:
        self.answers = {url: answers.get(name, []) for name, url in zip(("one", "two", "three"), URLS, strict=True)}
        self.requests: list[str] = []
        self.pauses: list[float] = []

    def post(self, url: str, body: bytes, content_type: str, seconds: float) -> bytes:
        self.requests.append(url)
        answer = self.answers[url].pop(0) if self.answers[url] else local_post
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else local_post(url, body, content_type, seconds)

    def client(self, count: int, **options: object) -> TimestampClient:
        return client(urls=URLS[:count], post=self.post, sleep=self.pauses.append, **options)


def down() -> Unreachable:
    return Unreachable("the server refused the connection", transient=True)


def test_the_source_of_the_timestamp_is_reported() -> None:
    network, sources = Network(one=[down()]), list[TimestampSource]()
    network.client(2, report=sources.append)(SIGNATURE)
    assert network.requests == list(URLS[:2])
    assert sources == [TimestampSource(URLS[1], "rfc3161", 2)]
    assert network.pauses == []


def test_each_round_tries_all_authorities_after_a_longer_pause() -> None:
    network = Network(one=[down(), down()], two=[down(), down()])
    network.client(2)(SIGNATURE)
    assert network.requests == [*URLS[:2], *URLS[:2], URLS[0]]
    assert network.pauses == [1.0, 2.0]


def test_an_authority_with_an_invalid_answer_is_not_tried_again() -> None:
    network = Network(one=[b"garbage"], two=[down()])
    network.client(2)(SIGNATURE)
    assert network.requests == [*URLS[:2], URLS[1]]


def test_clients_with_the_same_settings_are_equal_whatever_failed() -> None:
    network = Network(one=[down()])
    first = network.client(2)
    second = replace(first, _failed=set())
    first(SIGNATURE)
    assert first == second


def test_an_authority_without_its_time_source_is_tried_again() -> None:
    no_clock = der.sequence(der.sequence(der.integer(2), der.tlv(der.BIT_STRING, b"\x01\x00\x02")))
    network = Network(one=[no_clock])
    network.client(1)(SIGNATURE)
    assert network.requests == [URLS[0]] * 2


def test_the_error_lists_each_authority_with_its_reason() -> None:
    network, warnings = Network(one=[down()] * 9, two=[b"garbage"]), list[str]()
    with pytest.raises(TimestampError) as caught:
        network.client(2, warn=warnings.append)(SIGNATURE)
    assert f"{URLS[0]}: the server refused the connection" in caught.value.message
    assert f"{URLS[1]}: the answer is not an RFC 3161 response" in caught.value.message
    assert caught.value.hint
    assert len(warnings) == 4


@pytest.mark.parametrize("kind", ["rfc3161", "authenticode"])
def test_a_timestamp_without_its_chain_is_accepted_with_a_warning(kind: str) -> None:
    alone = SigningIdentity(tsa_identity().key, tsa_identity().certificate)
    warnings: list[str] = []

    def post(url: str, body: bytes, content_type: str, seconds: float) -> bytes:
        return tsa(alone).answer(body) if content_type == RFC3161_QUERY else tsa(alone).answer_legacy(body)

    assert client(kind=kind, post=post, warn=warnings.append)(SIGNATURE)
    (warning,) = warnings
    assert "does not contain the certificate of 'Drvsign Stamp Root'" in warning


def test_a_request_has_a_nonce_of_64_bits_and_20_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.pkcs7.timestamp.secrets.randbits", lambda bits: 1 << (bits - 1))
    asked: list[tuple[bytes, float]] = []

    def post(url: str, body: bytes, content_type: str, seconds: float) -> bytes:
        asked.append((body, seconds))
        return local_post(url, body, content_type, seconds)

    client(post=post)(SIGNATURE)
    assert asked == [(rfc3161_request(SIGNATURE, SHA256, 1 << 63), 20.0)]


@pytest.mark.parametrize("url", ["ftp://x.example/", "file:///etc/passwd", "tsa.example", "http://", "http://[x/", ""])
def test_other_urls_than_http_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not the URL of a timestamp authority"):
        TimestampClient((url,))


def test_adding_timestamps_keeps_existing_ones() -> None:
    from signer.pkcs7 import nested

    content = Content(oids.CTL, der.sequence(der.null()))
    outer, inner = (sign(content, identity(), SigningOptions(digest)) for digest in (DigestAlgorithm.SHA1, SHA256))
    both = nested.append(outer, inner)
    digests: list[DigestAlgorithm | None] = []

    def choose(digest: DigestAlgorithm | None) -> TimestampClient:
        digests.append(digest)
        return client(kind="authenticode" if digest is DigestAlgorithm.SHA1 else "rfc3161")

    once = add_timestamps(both, choose)
    assert (once.added, once.kept, digests) == (2, 0, [SHA256, DigestAlgorithm.SHA1])
    again = add_timestamps(once.signature, choose)
    assert (again.added, again.kept, again.signature) == (0, 2, once.signature)
    replaced = add_timestamps(once.signature, lambda digest: client(), replace=True)
    assert (replaced.added, replaced.kept) == (2, 0)
    assert der.oid(oids.COUNTER_SIGNATURE) not in replaced.signature


def test_a_timestamp_added_while_signing_equals_one_added_later() -> None:
    content = Content(oids.CTL, der.sequence(der.null()))
    for kind in ("rfc3161", "authenticode"):
        timestamper = client(kind=kind, nonce=lambda: 7)
        while_signing = sign(content, identity(), SigningOptions(), timestamper)
        added_later = add_timestamps(
            sign(content, identity(), SigningOptions()), lambda digest, timestamper=timestamper: timestamper
        )
        assert while_signing == added_later.signature
