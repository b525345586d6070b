"""Every byte of a signed file is flipped, and the file truncated: only what docs/security.md lists can change."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest

from catalogs.catalog.file import Catalog
from catalogs.catalog.trust_list import TrustedSubject
from signer.cab.cabinet import Cabinet
from signer.cab.embed import embed as embed_in_cabinet
from signer.cab.embed import prepare
from signer.pe.embed import embed
from signer.pe.image import Image
from signer.verify.gather import gather_file
from tests.support.cabinets import cabinet
from tests.support.files import patched
from tests.support.signed_samples import CABINET, MEMBERS, OTHER, UNSIGNED, catalog, samples, signature_of
from tests.support.tampering import Flip, Sample, Verified, documented

NAMES = list(samples())
FULL = ("image with page hashes", "catalog")
STAMPED = ("image with an RFC 3161 timestamp", "image with a legacy timestamp")
CERTIFICATES = {"certificate of the signer", "certificates of the path"}


def flips(sample: Sample) -> list[Flip]:
    """Return the flips of a sample, without regions that the image with page hashes has too.

    Of the stamped images these are all but the timestamp's, of cabinets and signature files the certificates.
    """
    if sample.name in FULL:
        return [*sample.flips()]
    common = set(samples()[FULL[0]].regions) - {"length of ContentInfo"} if sample.name in STAMPED else CERTIFICATES
    return [flip for flip in sample.flips() if sample.regions[flip[0]] not in common]


def original(sample: Sample) -> Verified:
    found = sample.verified(sample.data)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_exactly_the_listed_regions_can_change_and_no_statement_does(name: str) -> None:
    sample, tried = samples()[name], flips(samples()[name])
    whole, codes = original(sample), defaultdict(set)
    for flip in tried:
        copy, region = sample.verified(sample.flipped(flip)), sample.regions[flip[0]]
        if copy is not None:
            assert copy.statement == whole.statement, (region, flip)
            codes[region] |= copy.codes - whole.codes
    present = {sample.regions[place] for place, _ in tried}
    listed = {region: row for region, row in documented().items() if region in present and sample.kind in row.kinds}
    assert set(codes) == set(listed)
    for region, row in listed.items():
        assert codes[region] == row.codes if sample.kind == "image" else codes[region] <= row.codes


def test_the_page_lists_no_region_that_no_sample_has() -> None:
    present = {(region, sample.kind) for sample in samples().values() for region in sample.regions}
    assert {(region, kind) for region, row in documented().items() for kind in row.kinds} <= present


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_is_flipped(name: str) -> None:
    """Those of regions that are left out are flipped in another sample."""
    sample = samples()[name]
    tried = {place for place, _ in flips(sample)}
    left_out = {region for place, region in enumerate(sample.regions) if place not in tried}
    assert not left_out if name in FULL else left_out <= set(samples()[FULL[0]].regions)
    assert not left_out & {region for region in sample.regions if region.startswith("timestamp")}


@pytest.mark.parametrize("name", NAMES)
def test_no_truncated_copy_is_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "collect", int)  # pefile collects garbage after each error, for 40 ms
    sample = samples()[name]
    assert [size for size in range(len(sample.data)) if sample.verified(sample.data[:size]) is not None] == []


def with_table(image: bytes, signature: bytes) -> bytes:
    return patched(image, embed(Image.parse(image), [signature]))


SIGNATURES = {
    "another image": signature_of(OTHER),
    "a cabinet": signature_of(CABINET),
    "a catalog": catalog().to_bytes(),
}


@pytest.mark.parametrize("source", SIGNATURES)
def test_an_image_with_the_table_of_another_file_is_not_accepted(source: str) -> None:
    sample = samples()["image with page hashes"]
    assert sample.verified(with_table(UNSIGNED, signature_of(UNSIGNED))) is not None
    assert sample.verified(with_table(UNSIGNED, SIGNATURES[source])) is None


@pytest.mark.parametrize("source", SIGNATURES)
def test_another_cabinet_with_the_signature_of_a_file_is_not_accepted(source: str) -> None:
    sample = samples()["cabinet"]
    others = prepare(Cabinet.parse(cabinet({"a.inf": b"[version]"})))
    assert sample.verified(embed_in_cabinet(prepare(Cabinet.parse(CABINET)), SIGNATURES["a cabinet"])) is not None
    assert sample.verified(embed_in_cabinet(others, SIGNATURES[source])) is None


@pytest.mark.parametrize("source", SIGNATURES)
def test_the_signature_of_another_file_is_not_attached(source: str) -> None:
    assert samples()["signature file"].verified(SIGNATURES[source]) is None


def relisted(change: Callable[[list[TrustedSubject]], list[TrustedSubject]]) -> Catalog:
    """Return the signed catalog with other members."""
    signed_catalog = catalog()
    trust_list = signed_catalog.trust_list
    return replace(signed_catalog, trust_list=replace(trust_list, subjects=tuple(change([*trust_list.subjects]))))


MEMBERS_CHANGED: dict[str, Callable[[list[TrustedSubject]], list[TrustedSubject]]] = {
    "the first dropped": lambda members: members[1:],
    "the last dropped": lambda members: members[:-1],
    "all dropped": lambda members: [],
    "the first doubled": lambda members: [members[0], *members],
    "the last doubled": lambda members: [*members, members[-1]],
    "reversed": lambda members: members[::-1],
    "two exchanged": lambda members: [members[1], members[0], *members[2:]],
    "the digest of another file": lambda members: [
        TrustedSubject(members[1].identifier, members[1].attributes),
        *members[1:],
    ],
}


@pytest.mark.parametrize("change", MEMBERS_CHANGED)
def test_a_catalog_with_other_members_signs_no_file(change: str) -> None:
    """Neither alone, nor as the signature of a file that it lists."""
    sample, changed = samples()["catalog"], relisted(MEMBERS_CHANGED[change])
    assert sample.verified(relisted(list).to_bytes()) is not None
    assert sample.verified(changed.to_bytes()) is None
    for name in MEMBERS:
        for signature in gather_file(name.encode(), name, [changed]).signatures:
            assert "message-digest-mismatch" in {problem.code for problem in signature.problems}


def test_a_catalog_signs_the_files_that_it_lists() -> None:
    for name in MEMBERS:
        (signature,) = gather_file(name.encode(), name, [catalog()]).signatures
        assert signature.intact
    assert gather_file(b"another file", "a.inf", [catalog()]).signatures == ()
