"""A timestamp authority requires a time stamping certificate, and includes it in answers on request."""

from __future__ import annotations

import itertools

import pytest
from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der
from signer.errors import IdentityError
from signer.pkcs7.timestamp_authority import authority
from signer.pkcs7.timestamp_request import rfc3161_request
from signer.pkcs7.timestamp_token import parse_token
from tests.support.timestamping import CODE_SIGNING, NOON, TIME_STAMPING, tsa, tsa_identity


@pytest.mark.parametrize("usages", [(), (CODE_SIGNING,)], ids=["no usage", "another usage"])
def test_a_certificate_that_is_not_for_time_stamping_is_refused(usages: tuple[x509.ObjectIdentifier, ...]) -> None:
    with pytest.raises(IdentityError):
        authority(tsa_identity("p256", usages), lambda: NOON, itertools.count(1).__next__)


def test_a_certificate_for_time_stamping_is_accepted() -> None:
    identity = tsa_identity("p256", (TIME_STAMPING,))
    assert authority(identity, lambda: NOON, itertools.count(1).__next__).identity == identity


@pytest.mark.parametrize("requested", [True, False])
def test_the_answer_contains_the_certificate_if_it_is_requested(requested: bool) -> None:
    """certReq of TimeStampReq (RFC 3161, 2.4.1)."""
    request = rfc3161_request(b"a signature", DigestAlgorithm.SHA256, 7)
    assert request.count(bytes.fromhex("0101ff")) == 1
    if not requested:
        content = der.read(request).contents(request).replace(bytes.fromhex("0101ff"), b"")
        request = der.sequence(content)
    response = tsa(tsa_identity("p256")).answer(request)
    _, token = der.children(response, der.read(response))
    certificates = parse_token(token.whole(response)).signed_data.certificates
    assert (tsa_identity("p256").certificate in certificates) == requested
