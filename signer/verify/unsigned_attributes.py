"""What else stands among the attributes that no signature covers, where anything can be put.

Source: the attributes that SignTool writes; "SigFlip" and its kind hide payloads in signed files.
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.asn1 import oids
from signer.pkcs7.parse import ParsedSignerInfo
from signer.verify.evidence import Problem

_EXPECTED = frozenset({oids.NESTED_SIGNATURE, oids.RFC3161_TIMESTAMP, oids.COUNTER_SIGNATURE})


def about_unsigned_attributes(signer: ParsedSignerInfo) -> Iterator[Problem]:
    """Attributes that are neither a timestamp nor a nested signature: data that anyone could have added."""
    for oid, values in signer.unsigned_attributes.items():
        if oid not in _EXPECTED:
            size = sum(map(len, values))
            message = (
                f"{size} bytes stand in an unsigned attribute of no known meaning ({oid}), where data can be hidden"
            )
            yield Problem("unsigned-attribute", message)
