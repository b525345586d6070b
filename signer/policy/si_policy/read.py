"""Read an App Control policy in any form."""

from __future__ import annotations

from signer.asn1 import der
from signer.policy.si_policy.binary import read_binary
from signer.policy.si_policy.policy import SiPolicy
from signer.policy.si_policy.xml import read_xml


def read_policy(data: bytes) -> SiPolicy:
    """Read a policy in XML or binary form, signed or not. Raises ConfigError for other data."""
    is_signed = data[:1] == bytes((der.SEQUENCE,))
    is_binary = data[:1] > b"\0" and data[1:4] == b"\0\0\0"  # the version number
    return read_binary(data) if is_signed or is_binary else read_xml(data)
