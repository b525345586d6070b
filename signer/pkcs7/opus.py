"""Read the Authenticode attributes of a signer: program name and URL, and the statement type.

Source: "Windows Authenticode Portable Executable Signature Format", sections "SpcSpOpusInfo" and "SpcStatementType".
"""

from __future__ import annotations

from typing import Any

from signer.asn1 import der, oids
from signer.asn1.spc import SpcSpOpusInfo
from signer.errors import SignatureFormatError
from signer.pkcs7.parse import ParsedSignerInfo
from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class Opus:
    """SpcSpOpusInfo: name and URL of the program."""

    program_name: str | None = None
    url: str | None = None


def read_opus(signer: ParsedSignerInfo) -> Opus:
    """Read SpcSpOpusInfo of a signer; an empty `Opus` if the attribute is absent. Raises SignatureFormatError."""
    value = signer.signed(oids.SPC_SP_OPUS_INFO)
    if value is None:
        return Opus()
    try:
        info = SpcSpOpusInfo.load(value, strict=True)
        return Opus(_text(info["program_name"]), _text(info["more_info"]))
    except (ValueError, TypeError, UnicodeError) as error:
        raise SignatureFormatError("the SpcSpOpusInfo of the signer is malformed") from error


def read_statement(signer: ParsedSignerInfo) -> str | None:
    """Read SpcStatementType of a signer: the OID of individual or commercial code signing, or None if it is absent.

    SpcStatementType ::= SEQUENCE OF OBJECT IDENTIFIER; only the first OID is read. Raises SignatureFormatError.
    """
    value = signer.signed(oids.SPC_STATEMENT_TYPE)
    if value is None:
        return None
    first = der.expect(
        value, der.expect(value, 0, der.SEQUENCE, "SpcStatementType").body, der.OID, "an OID", len(value)
    )
    return der.read_oid(first.contents(value))


def _text(field: Any) -> str | None:
    """Return the text of an SpcString or SpcLink, or None if it is absent, empty or not a text."""
    from asn1crypto.core import Void

    while hasattr(field, "chosen"):
        field = field.chosen
    if isinstance(field, Void) or not isinstance(field.native, str):
        return None
    return field.native.rstrip("\0") or None
