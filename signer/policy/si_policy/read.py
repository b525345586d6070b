"""An App Control policy in whatever form it is given."""

from __future__ import annotations

from signer.asn1 import der
from signer.policy.si_policy.binary import read_binary
from signer.policy.si_policy.policy import SiPolicy
from signer.policy.si_policy.xml import read_xml


def read_policy(data: bytes) -> SiPolicy:
    """The policy in a file, be it XML, binary, or binary and signed. Raises ConfigError for anything else."""
    is_signed = data[:1] == bytes((der.SEQUENCE,))
    is_binary = data[:1] > b"\0" and data[1:4] == b"\0\0\0"  # the number of its version
    return read_binary(data) if is_signed or is_binary else read_xml(data)
