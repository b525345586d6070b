"""Have signatures timestamped: several authorities, each asked again where that may help, and what answers is checked.

`TimestampClient` is a `Timestamper`: what `signer.pkcs7.signed_data` calls between signing and writing. The home of
HTTP, through `signer.pkcs7.http_post`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from signer.algorithms import DigestAlgorithm
from signer.errors import TimestampError
from signer.pkcs7.http_post import Unreachable, post, require_http
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

Kind = Literal["rfc3161", "authenticode"]
Post = Callable[[str, bytes, str, float], bytes]
"""Sends a body of a content type to a URL and returns the answer's, within so many seconds. Raises TimestampError."""

_NONCE_BITS = 64


@dataclass(frozen=True, slots=True)
class Answered:
    """Which authority has made a timestamp, and how often any had to be asked for it."""

    url: str
    kind: Kind
    tries: int


@dataclass(frozen=True, slots=True)
class TimestampClient:
    """Asks authorities for timestamps, the first first; calling it with a signature gives its `TimestampAttribute`.

    All are asked once before any is asked again, after a pause that doubles, and only those whose failure may pass.
    One that failed for a file is asked last for the next.
    """

    urls: Sequence[str]
    kind: Kind = "rfc3161"
    digest: DigestAlgorithm = DigestAlgorithm.SHA256
    """What the signature is hashed with for RFC 3161; the legacy protocol leaves that to the authority."""
    seconds: float = 20.0
    """How long one try may last, all in all."""
    rounds: int = 3
    pause: float = 1.0
    """Seconds before the second round."""
    report: Callable[[Answered], None] = lambda answered: None
    """Is told who answered."""
    complain: Callable[[str], None] = lambda message: None
    """Is told about each try that failed, and about timestamps that come without their chain."""
    post: Post = field(default=post)
    sleep: Callable[[float], None] = field(default=time.sleep)
    nonce: Callable[[], int] = field(default=lambda: secrets.randbits(_NONCE_BITS))
    _failed: set[str] = field(default_factory=set, repr=False, compare=False)
    """Who failed when last asked: for the next file they are asked last."""

    def __post_init__(self) -> None:
        for url in self.urls:
            require_http(url)

    def __call__(self, signature: bytes) -> TimestampAttribute:
        """The timestamp of a signature's octets. Raises TimestampError, naming each authority and what went wrong."""
        left, failures, tries = sorted(dict.fromkeys(self.urls), key=self._failed.__contains__), dict[str, str](), 0
        for number in range(self.rounds):
            if not left:
                break
            if number:
                self.sleep(self.pause * 2 ** (number - 1))
            for url in tuple(left):
                tries += 1
                try:
                    stamp = self._ask(url, signature)
                except TimestampError as error:
                    failures[url] = error.message
                    self._failed.add(url)
                    self.complain(f"{url}: {error.message}")
                    if not (isinstance(error, (Refused, Unreachable)) and error.passing):
                        left.remove(url)
                    continue
                self._failed.discard(url)
                self._complain_of_chain(url, stamp)
                self.report(Answered(url, self.kind, tries))
                return stamp
        raise TimestampError(
            "no timestamp could be had: " + "; ".join(f"{url}: {message}" for url, message in failures.items()),
            hint="Name several authorities with --timestamp, or sign without and use `drvsign timestamp` later.",
        )

    def _complain_of_chain(self, url: str, stamp: TimestampAttribute) -> None:
        """Others need the certificates between the authority and its root, and may have no way to get them."""
        for note in stamp.notes:
            if note.code == "timestamp-issuer-missing":
                self.complain(f"{url}: {note.message}")

    def _ask(self, url: str, signature: bytes) -> TimestampAttribute:
        if self.kind == "authenticode":
            return legacy_answer(self.post(url, legacy_request(signature), LEGACY, self.seconds), signature)
        nonce = self.nonce()
        request = rfc3161_request(signature, self.digest, nonce)
        return rfc3161_answer(self.post(url, request, RFC3161_QUERY, self.seconds), signature, self.digest, nonce)
