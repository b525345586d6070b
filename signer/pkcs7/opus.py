"""What a publisher says about the program, and how it claims to sign: the Authenticode attributes of a signer.

Source: "Windows Authenticode Portable Executable Signature Format", sections "SpcSpOpusInfo" and "SpcStatementType".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signer.asn1 import der, oids
from signer.asn1.spc import SpcSpOpusInfo
from signer.errors import SignatureFormatError
from signer.pkcs7.parse import ParsedSignerInfo


@dataclass(frozen=True, slots=True)
class Opus:
    """SpcSpOpusInfo: the program's name and where to read more."""

    program_name: str | None = None
    url: str | None = None


def read_opus(signer: ParsedSignerInfo) -> Opus:
    """SpcSpOpusInfo of a signer; nothing in it where it has none. Raises SignatureFormatError."""
    value = signer.signed(oids.SPC_SP_OPUS_INFO)
    if value is None:
        return Opus()
    try:
        info = SpcSpOpusInfo.load(value, strict=True)
        return Opus(_text(info["program_name"]), _text(info["more_info"]))
    except (ValueError, TypeError, UnicodeError) as error:
        raise SignatureFormatError("the SpcSpOpusInfo of the signer can't be read") from error


def read_statement(signer: ParsedSignerInfo) -> str | None:
    """Individual or commercial code signing, as its OID; of several, the first counts. None without the attribute.

    SpcStatementType ::= SEQUENCE OF OBJECT IDENTIFIER. Raises SignatureFormatError.
    """
    value = signer.signed(oids.SPC_STATEMENT_TYPE)
    if value is None:
        return None
    first = der.expect(
        value, der.expect(value, 0, der.SEQUENCE, "SpcStatementType").body, der.OID, "an OID", len(value)
    )
    return der.read_oid(first.contents(value))


def _text(field: Any) -> str | None:
    """The text of an SpcString or SpcLink, at whatever depth its choices have it; None when it is absent or empty."""
    from asn1crypto.core import Void

    while hasattr(field, "chosen"):
        field = field.chosen
    if isinstance(field, Void) or not isinstance(field.native, str):
        return None
    return field.native.rstrip("\0") or None
