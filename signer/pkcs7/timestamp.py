"""Request timestamps from one or more authorities, with retries, and check the answers.

`TimestampClient` is a `Timestamper`, which `signer.pkcs7.signed_data` calls after signing. Only this module uses HTTP,
through `signer.pkcs7.http_post`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Literal

from signer.algorithms import DigestAlgorithm
from signer.errors import TimestampError
from signer.pkcs7.http_post import Unreachable, post, require_http, shown_url
from signer.pkcs7.signed_data import TimestampAttribute
from signer.pkcs7.timestamp_request import (
    LEGACY,
    RFC3161_QUERY,
    Refused,
    legacy_answer,
    legacy_request,
    rfc3161_answer,
    rfc3161_request,
)
from signer.records import dataclass

Kind = Literal["rfc3161", "authenticode"]
Post = Callable[[str, bytes, str, float], bytes]
"""Posts a body with a content type to a URL within a number of seconds, and returns the body of the answer.

Called with URL, body, content type and seconds. Raises TimestampError.
"""

_NONCE_BITS = 64


@dataclass(frozen=True, slots=True)
class TimestampSource:
    """The authority that issued a timestamp, its protocol, and the number of requests to all authorities."""

    url: str
    kind: Kind
    attempts: int


@dataclass(frozen=True, slots=True)
class TimestampClient:
    """A client of timestamp authorities. Calling it with the octets of a signature returns a `TimestampAttribute`.

    Each round tries all authorities in order. Further rounds, after a pause that doubles, retry those with a transient
    failure. An authority whose last request failed is tried last for the next signature.
    """

    urls: Sequence[str] = field(repr=False)
    """URLs of the authorities; a user name and password in one are sent, and never shown."""
    kind: Kind = "rfc3161"
    digest: DigestAlgorithm = DigestAlgorithm.SHA256
    """Digest algorithm of the message imprint (RFC 3161). With the legacy protocol, the authority chooses."""
    seconds: float = 20.0
    """Deadline of one request."""
    rounds: int = 3
    pause: float = 1.0
    """Seconds before the second round."""
    report: Callable[[TimestampSource], None] = lambda source: None
    """Called with the source of each timestamp."""
    warn: Callable[[str], None] = lambda message: None
    """Called with a message for each failed request, and for each timestamp without its chain."""
    post: Post = field(default=post)
    sleep: Callable[[float], None] = field(default=time.sleep)
    nonce: Callable[[], int] = field(default=lambda: secrets.randbits(_NONCE_BITS))
    _failed: set[str] = field(default_factory=set, repr=False, compare=False)
    """Authorities whose last request failed."""

    def __post_init__(self) -> None:
        for url in self.urls:
            require_http(url)

    def __call__(self, signature: bytes) -> TimestampAttribute:
        """Request a timestamp for the octets of a signature.

        Raises TimestampError with the failure of each authority.
        """
        candidates = sorted(dict.fromkeys(self.urls), key=self._failed.__contains__)
        failures, attempts = dict[str, str](), 0
        for number in range(self.rounds):
            if not candidates:
                break
            if number:
                self.sleep(self.pause * 2 ** (number - 1))
            for url in tuple(candidates):
                attempts += 1
                try:
                    timestamp = self._request(url, signature)
                except TimestampError as error:
                    failures[shown_url(url)] = error.message
                    self._failed.add(url)
                    self.warn(f"{shown_url(url)}: {error.message}")
                    if not (isinstance(error, (Refused, Unreachable)) and error.transient):
                        candidates.remove(url)
                    continue
                self._failed.discard(url)
                self._warn_of_missing_issuer(url, timestamp)
                self.report(TimestampSource(shown_url(url), self.kind, attempts))
                return timestamp
        raise TimestampError(
            "no timestamp authority answered: " + "; ".join(f"{url}: {message}" for url, message in failures.items()),
            hint="Add another authority with --timestamp URL, or sign now and run `drvsign timestamp` later.",
        )

    def _warn_of_missing_issuer(self, url: str, timestamp: TimestampAttribute) -> None:
        """Warn if the timestamp lacks intermediate certificates: verifiers need them and can't always download them."""
        for note in timestamp.notes:
            if note.code == "timestamp-issuer-missing":
                self.warn(f"{shown_url(url)}: {note.message}")

    def _request(self, url: str, signature: bytes) -> TimestampAttribute:
        if self.kind == "authenticode":
            return legacy_answer(self.post(url, legacy_request(signature), LEGACY, self.seconds), signature)
        nonce = self.nonce()
        request = rfc3161_request(signature, self.digest, nonce)
        return rfc3161_answer(self.post(url, request, RFC3161_QUERY, self.seconds), signature, self.digest, nonce)
