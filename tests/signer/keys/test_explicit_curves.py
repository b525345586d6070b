"""Keys on a curve of an attacker's choice are refused in every file that can contain one (CVE-2020-0601)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from signer.asn1 import der, oids
from signer.errors import IdentityError, KeyCertificateMismatch, SignerError
from signer.keys.local import load_pair, load_pfx
from signer.pkcs7.encode import signer_info
from tests.attacks.cases.public_keys import reissue, with_key
from tests.support.explicit_curves import GENERATOR, explicit_key, explicit_private_key
from tests.support.hierarchy import issue, key
from tests.support.signed_samples import CA, SHA256

NAMED = issue("Curve", CA, usages=[oids.EKU_CODE_SIGNING], private_key=key("Curve"))
assert isinstance(NAMED.private_key, ec.EllipticCurvePrivateKey)
POINT = NAMED.private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SECRET = NAMED.private_key.private_numbers().private_value
CERTIFICATE = NAMED.certificate.public_bytes(Encoding.DER)


def certificate(generator: bytes) -> x509.Certificate:
    return reissue(with_key(NAMED.certificate, explicit_key(POINT, generator)), CA)


def pfx(private: bytes) -> bytes:
    """Return a PFX without a password and a MAC (RFC 7292, 4)."""
    key_bag = der.sequence(der.oid("1.2.840.113549.1.12.10.1.1"), der.explicit(0, private))
    own = der.sequence(der.oid("1.2.840.113549.1.9.22.1"), der.explicit(0, der.octets(CERTIFICATE)))
    certificate_bag = der.sequence(der.oid("1.2.840.113549.1.12.10.1.3"), der.explicit(0, own))
    contents = (data(der.sequence(bag)) for bag in (key_bag, certificate_bag))
    return der.sequence(der.integer(3), data(der.sequence(*contents)))


def data(octets: bytes) -> bytes:
    return der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(octets)))


LOADS: dict[str, Callable[[bytes], object]] = {
    "a key file": lambda private: load_pair(CERTIFICATE, private, None),
    "a PFX": lambda private: load_pfx(pfx(private), None),
}


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS.keys())
def test_a_private_key_on_another_curve_is_refused(load: Callable[[bytes], object]) -> None:
    with pytest.raises(IdentityError):
        load(explicit_private_key(1, POINT, generator=POINT))


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS.keys())
def test_explicit_parameters_of_the_named_curve_are_read(load: Callable[[bytes], object]) -> None:
    load(explicit_private_key(SECRET, POINT, GENERATOR))


def test_a_certificate_with_a_key_on_another_curve_is_refused() -> None:
    private = NAMED.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    load_pair(certificate(GENERATOR).public_bytes(Encoding.DER), private, None)
    with pytest.raises(KeyCertificateMismatch):
        load_pair(certificate(POINT).public_bytes(Encoding.DER), private, None)


def test_a_signer_info_of_a_key_on_another_curve_is_refused() -> None:
    with pytest.raises(SignerError, match="public key"):
        signer_info(certificate(POINT), SHA256, der.set_of([]), bytes(64))
