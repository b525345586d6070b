"""Let certificates and CRLs be sent to other processes and machines: cryptography's objects can't be pickled."""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


def _reduced_certificate(one: x509.Certificate) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
    return _certificate, (one.public_bytes(Encoding.DER),)


def _reduced_crl(one: x509.CertificateRevocationList) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
    return _crl, (one.public_bytes(Encoding.DER),)


def _certificate(der: bytes) -> x509.Certificate:
    """Return a certificate. Functions of cryptography itself can't be pickled either."""
    return x509.load_der_x509_certificate(der)


def _crl(der: bytes) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(der)


def register() -> None:
    """Tell Python how to pickle certificates and CRLs, in this process."""
    copyreg.pickle(x509.Certificate, _reduced_certificate)
    copyreg.pickle(x509.CertificateRevocationList, _reduced_crl)
