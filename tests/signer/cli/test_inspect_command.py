"""`drvsign inspect`: what it finds and how it says it."""

from __future__ import annotations

from pathlib import Path

from tests.support.files import corpus_files
from tests.support.program import drvsign

SIGNATURE_KEYS = {
    "index",
    "source",
    "intact",
    "digest_algorithm",
    "digest",
    "signer_digest_algorithm",
    "signer",
    "program_name",
    "url",
    "statement",
    "page_hashes",
    "page_hashes_intact",
    "timestamp",
    "certificates",
    "problems",
    "notes",
}


def test_everything_that_was_signed_is_shown(driver):
    drvsign("sign", driver, "--dual", "--page-hashes", "--description", "Tøaster", "--url", "https://example.org/t")
    (entry,) = drvsign("inspect", driver, "--json").document["files"]
    assert (entry["kind"], entry["architecture"], entry["problems"], entry["error"]) == ("image", "x64", [], None)
    first, second = entry["signatures"]
    assert set(first) == SIGNATURE_KEYS
    assert (first["source"], first["digest_algorithm"], first["page_hashes"]) == ("embedded", "sha1", "sha1")
    assert (second["source"], second["digest_algorithm"], second["page_hashes"]) == ("nested", "sha256", "sha256")
    assert second["digest"] == entry["digests"]["sha256"]
    assert first["intact"] and first["page_hashes_intact"] and second["intact"]
    assert (first["program_name"], first["url"]) == ("Tøaster", "https://example.org/t")
    assert first["signer"]["common_name"] == "drvsign Test"
    assert {"subject", "issuer", "sha1", "sha256", "not_before", "not_after", "usages"} <= set(first["certificates"][0])
    text = drvsign("inspect", driver, "-v").stdout
    for shown in ("Tøaster", "https://example.org/t", first["digest"], second["digest"], "drvsign Test Issuing CA"):
        assert shown in text


def test_a_changed_image_is_shown_as_broken(driver):
    drvsign("sign", driver)
    data = bytearray(driver.read_bytes())
    data[0x410] ^= 1
    driver.write_bytes(data)
    ran = drvsign("inspect", driver, "--json")
    assert ran.code == 0
    (signature,) = ran.document["files"][0]["signatures"]
    assert [problem["code"] for problem in signature["problems"]] == ["digest-mismatch"]
    assert "broken signature 0" in drvsign("inspect", driver).stdout


def test_what_can_not_be_read_is_reported_and_does_not_hide_the_others(driver, work):
    Path("cut.sys").write_bytes(driver.read_bytes()[:0x300])
    ran = drvsign("inspect", "cut.sys", driver, "gone.sys", "--json")
    assert ran.code == 3
    assert [bool(entry["error"]) for entry in ran.document["files"]] == [True, False, True]
    assert len(ran.errors) == 2


def test_real_signatures_of_every_kind_are_shown(corpus):
    paths = corpus_files("drivers/*.sys")[::9] + corpus_files("catalogs/*.cat")[::40]
    ran = drvsign("inspect", *paths, "--json")
    assert ran.code == 0
    signatures = [one for entry in ran.document["files"] for one in entry["signatures"]]
    assert {one["timestamp"]["kind"] for one in signatures if one["timestamp"]} == {"rfc3161", "authenticode"}
    assert {entry["kind"] for entry in ran.document["files"]} == {"image", "catalog"}
