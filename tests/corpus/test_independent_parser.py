"""drvsign's readers agree with asn1crypto about the structures of real signatures, and accept no more than it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from asn1crypto.core import Void
from asn1crypto.tsp import TSTInfo

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError, SignerError
from signer.formats.detect import opened
from signer.pkcs7 import indirect_data, opus, timestamp_token
from signer.pkcs7.nested import nested_in
from signer.pkcs7.parse import ParsedSignedData, parse
from tests.support import spc_types
from tests.support.files import corpus_files

FLIPPED = 120
"""Bytes of each structure that are changed, one at a time: its tags and lengths, and much of its contents."""


def signatures() -> Iterator[ParsedSignedData]:
    for path in corpus_files("drivers/*", "catalogs/*.cat", "packages/**/*.sys", "packages/**/*.cat"):
        try:
            _, adapter = opened(path.read_bytes())
            for outer in adapter.signatures():
                yield from (parse(one) for one in (outer, *nested_in(outer)))
        except SignerError:
            continue


def structures() -> dict[str, list[bytes]]:
    """Return the distinct structures of each kind."""
    found: dict[str, dict[bytes, None]] = {"opus": {}, "timestamp": {}, "file type": {}}
    for parsed in signatures():
        (signer,) = parsed.signers
        found["opus"] |= dict.fromkeys(signer.signed_attributes.get(oids.SPC_SP_OPUS_INFO, ()))
        tokens = signer.unsigned_attributes.get(oids.RFC3161_TIMESTAMP, ())
        found["timestamp"] |= dict.fromkeys(parse(one).content_octets for one in tokens)
        if parsed.content_type == oids.SPC_INDIRECT_DATA:
            content = parsed.inner_content
            found["file type"][next(der.children(content, der.read(content))).whole(content)] = None
    return {kind: list(distinct)[:40] for kind, distinct in found.items()}


def our_opus(data: bytes) -> object:
    read = opus.read_opus(SimpleNamespace(signed=lambda oid: data))
    return read.program_name, read.url


def their_opus(data: bytes) -> object:
    info = spc_types.SpcSpOpusInfo.load(data, strict=True)
    return text_of(info["program_name"]), text_of(info["more_info"])


def text_of(field: Any) -> str | None:
    while hasattr(field, "chosen"):
        field = field.chosen
    if isinstance(field, Void) or not isinstance(field.native, str):
        return None
    return field.native.rstrip("\0") or None


def our_timestamp(data: bytes) -> object:
    read = timestamp_token._token(None, data)
    return read.policy, read.imprint_oid, read.imprint, read.serial, read.time, read.nonce


def their_timestamp(data: bytes) -> object:
    info = TSTInfo.load(data, strict=True)
    imprint, time = info["message_imprint"], info["gen_time"].dump()
    return (
        info["policy"].dotted,
        imprint["hash_algorithm"]["algorithm"].dotted,
        imprint["hashed_message"].native,
        int(info["serial_number"].native),
        der.read_time(time, der.read(time)),
        info["nonce"].native,
    )


def our_file_type(data: bytes) -> object:
    type_oid, hashes = indirect_data._parse_file_type(data)
    return type_oid, hashes.table if isinstance(hashes, indirect_data.PageHashes) else hashes


def their_file_type(data: bytes) -> object:
    attribute = spc_types.SpcAttributeTypeAndOptionalValue.load(data, strict=True)
    type_oid, value = attribute["type"].dotted, attribute["value"].dump()
    if not value or type_oid not in (oids.SPC_PE_IMAGE_DATA, oids.SPC_CAB_DATA, oids.SPC_LINK):
        return type_oid, None
    is_image = type_oid == oids.SPC_PE_IMAGE_DATA
    link = spc_types.SpcPeImageData.load(value)["file"] if is_image else spc_types.SpcLink.load(value)
    if isinstance(link, Void) or link.name != "moniker" or link.chosen["class_id"].native != oids.PAGE_HASH_CLASS:
        return type_oid, None
    hashes = link.chosen["serialized_data"].native
    attribute = der.read(hashes, der.expect(hashes, 0, der.SET, "a SET").body)
    version, values = der.children(hashes, attribute)
    table = der.expect(hashes, values.body, der.OCTET_STRING, "the table").contents(hashes)
    sizes = {oids.SPC_PAGE_HASHES_V1: 24, oids.SPC_PAGE_HASHES_V2: 36, oids.ENHANCED_HASH: 1}
    size = sizes.get(der.read_oid(version.contents(hashes)))
    if size is None or len(table) % size:
        raise ValueError
    return type_oid, table


def answer(read: Callable[[bytes], object], data: bytes) -> object:
    try:
        return read(data)
    except (SignatureFormatError, ValueError, TypeError, KeyError):
        return None


READERS = {
    "opus": (our_opus, their_opus),
    "timestamp": (our_timestamp, their_timestamp),
    "file type": (our_file_type, their_file_type),
}


@pytest.mark.parametrize("kind", READERS)
def test_real_structures_and_their_damaged_copies_are_read_alike_or_refused(kind: str) -> None:
    ours, theirs = READERS[kind]
    found = structures()[kind]
    if not found:
        pytest.skip("no corpus")
    for data in found:
        assert answer(ours, data) == answer(theirs, data) is not None
        for at in range(min(len(data), FLIPPED)):
            damaged = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
            assert answer(ours, damaged) in (None, answer(theirs, damaged)), damaged.hex()
