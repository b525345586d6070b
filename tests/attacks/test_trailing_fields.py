"""An element is added at every place of a signature: no copy is accepted without a finding."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from signer.asn1 import der
from signer.pe.embed import embed
from signer.pe.image import Image
from tests.support.files import patched
from tests.support.signed_samples import ROOT, UNSIGNED, samples
from tests.support.tampering import Sample

ADDED = (
    der.sequence(der.null()),
    der.explicit(1, der.null()),
    der.null(),
    der.octets(b"x"),
    der.explicit(0, der.null()),
    der.tlv(der.SET, der.null()),
    b"\x85\x01x",
    der.integer(5),
)
CONSTRUCTED = 0x20
Elements = tuple[der.Element, ...]


def places(data: bytes, *above: der.Element) -> Iterator[tuple[Elements, int]]:
    """Yield each place between the parts of an element and of those in it, with the elements around it."""
    parts = list(der.children(data, above[-1]))
    for place in (above[-1].body, *(part.end for part in parts)):
        yield above, place
    for part in parts:
        if part.tag & CONSTRUCTED:
            yield from places(data, *above, part)
        elif part.tag == der.OCTET_STRING and data[part.body : part.body + 1] == b"\x30":
            inner = der.read(data, part.body, part.end)
            if inner.end == part.end:
                yield from places(data, *above, part, inner)


def with_element(data: bytes, around: Elements, place: int, new: bytes) -> bytes:
    """Return the data with another element at a place, and the lengths of those around it mended."""
    start = end = place
    for one in reversed(around):
        new = der.tlv(one.tag, data[one.body : start], new, data[end : one.end])
        start, end = one.start, one.end
    return new


def signature_in(sample: Sample) -> bytes:
    """Return the SignedData of a sample."""
    if sample.kind != "image":
        return sample.data
    data = sample.data[Image.parse(sample.data).table_offset + 8 :]
    return data[: der.total_length(data)]


def with_signature(sample: Sample, signature: bytes) -> bytes:
    return signature if sample.kind != "image" else patched(UNSIGNED, embed(Image.parse(UNSIGNED), [signature]))


def is_in_the_root(data: bytes, place: int) -> bool:
    """Tell whether a place is in the carried root, which the trusted one replaces."""
    root = ROOT.certificate.public_bytes(Encoding.DER)
    starts = itertools.takewhile(lambda at: at >= 0, _found(data, root))
    return any(start < place < start + len(root) for start in starts)


def _found(data: bytes, part: bytes) -> Iterator[int]:
    place = -1
    while True:
        place = data.find(part, place + 1)
        yield place


@pytest.mark.parametrize("name", [name for name, one in samples().items() if one.kind != "cabinet"])
def test_no_further_element_is_accepted_without_a_finding(name: str) -> None:
    sample = samples()[name]
    data, whole = signature_in(sample), sample.verified(sample.data)
    assert whole is not None
    assert sample.verified(with_signature(sample, data)) == whole
    tried = list(places(data, der.read(data)))
    assert len(tried) > 200
    silent = []
    for (around, place), new in zip(tried, itertools.cycle(ADDED)):
        copy = sample.verified(with_signature(sample, with_element(data, around, place, new)))
        if copy is not None and not is_in_the_root(data, place):
            assert copy.statement == whole.statement
            silent += [(place, new)] if copy.codes <= whole.codes else []
    assert silent == []


def test_the_places_include_those_of_every_level() -> None:
    data = der.sequence(der.integer(1), der.explicit(0, der.octets(der.sequence(der.null()))))
    assert len(list(places(data, der.read(data)))) == 3 + 2 + 2
    changed = with_element(data, *list(places(data, der.read(data)))[-1], der.integer(5))
    assert changed == der.sequence(
        der.integer(1), der.explicit(0, der.octets(der.sequence(der.null(), der.integer(5))))
    )
