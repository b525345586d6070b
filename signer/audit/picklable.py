"""Let CRLs be sent to other processes and machines: cryptography's objects can't be pickled."""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


def _reduced_crl(one: x509.CertificateRevocationList) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
    return _crl, (one.public_bytes(Encoding.DER),)


def _crl(der: bytes) -> x509.CertificateRevocationList:
    """Return a CRL. Functions of cryptography itself can't be pickled either."""
    return x509.load_der_x509_crl(der)


def register() -> None:
    """Tell Python how to pickle CRLs, in this process. `signer.certificates` does so for certificates."""
    copyreg.pickle(x509.CertificateRevocationList, _reduced_crl)
