"""Add timestamps to signed files of any format."""

from __future__ import annotations

from signer.errors import SigningError, TimestampError
from signer.formats.detect import opened
from signer.pkcs7.timestamping import TimestamperSelector, add_timestamps
from signer.storage.patching import PatchSet


def timestamp(
    data: memoryview | bytes, choose: TimestamperSelector, *, replace: bool = False
) -> tuple[PatchSet | None, int]:
    """Return the changes that timestamp each signature of a file, and the number of added timestamps.

    None if every signature has one already. Raises SigningError for an unsigned file, MalformedInput,
    TimestampError.
    """
    row, file = opened(data)
    old = file.signatures()
    if not old:
        raise SigningError(
            f"the {row.name} is not signed, so it can't be timestamped",
            hint="Sign it: drvsign sign --timestamp URL FILE",
        )
    try:
        new = [add_timestamps(signature, choose, replace=replace) for signature in old]
    except TimestampError as error:  # its hint is for signing: to add the timestamp later
        error.hint = "Add another authority, or run the command again later."
        raise
    added = sum(one.added for one in new)
    return (file.with_signatures([one.signature for one in new]) if added else None), added
