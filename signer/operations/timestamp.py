"""Timestamps for files that were signed before: images, cabinets and catalogs."""

from __future__ import annotations

from signer.cab import embed as cab_embed
from signer.cab.cabinet import Cabinet
from signer.errors import SigningError
from signer.pe import certificate_table
from signer.pe.embed import embed
from signer.pe.image import Image
from signer.pkcs7.timestamping import Timestamped, TimestamperSelector, add_timestamps
from signer.storage.patching import PatchSet


def timestamp_image(
    data: memoryview | bytes, choose: TimestamperSelector, *, replace: bool = False
) -> tuple[PatchSet, int]:
    """The changes that give each signature of an image a timestamp, and how many they add.

    Raises SigningError for an unsigned image, ImageError, SignatureFormatError, TimestampError.
    """
    image = Image.parse(data)
    entries = certificate_table.read(image)
    old = [entry.signed_data() for entry in entries if entry.is_signed_data]
    if not old:
        raise _unsigned("image")
    new = [add_timestamps(signature, choose, replace=replace) for signature in old]
    return embed(image, [one.signature for one in new]), sum(one.added for one in new)


def timestamp_cabinet(
    data: memoryview | bytes, choose: TimestamperSelector, *, replace: bool = False
) -> tuple[PatchSet, int]:
    """The same for a cabinet. Raises SigningError, MalformedInput, TimestampError."""
    cabinet = Cabinet.parse(data)
    if not cabinet.is_signed:
        raise _unsigned("cabinet")
    new = add_timestamps(cabinet.signed_data(), choose, replace=replace)
    whole = cab_embed.embed(cab_embed.prepare(cabinet), new.signature)
    return PatchSet(((0, whole),), len(whole)), new.added


def timestamp_catalog(data: bytes, choose: TimestamperSelector, *, replace: bool = False) -> Timestamped:
    """The same for a catalog, which is its signature. Raises SigningError, SignatureFormatError, TimestampError."""
    from signer.pkcs7.parse import parse

    if not parse(data).signers:
        raise _unsigned("catalog")
    return add_timestamps(data, choose, replace=replace)


def _unsigned(kind: str) -> SigningError:
    return SigningError(
        f"the {kind} is not signed, so there is nothing to timestamp", hint="Sign it: drvsign sign --timestamp URL FILE"
    )
