"""`drvsign catalog` and `drvsign package` as a user calls them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from catalogs.catalog.file import Catalog
from signer.pe.image import Image
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import drvsign, state


@pytest.fixture
def package(work: Path) -> Path:
    folder = work / "driver"
    folder.mkdir()
    (folder / "hello.inf").write_bytes(HELLO.replace("\n", "\r\n").encode())
    (folder / "hello.sys").write_bytes(PeSpec().build())
    return folder


def test_a_package_is_signed_catalogued_and_checked(package: Path) -> None:
    ran = drvsign("package", package, "--os", "10_X64", "--json")
    assert ran.code == 0, ran.stderr
    assert [(Path(f["path"]).name, f["action"]) for f in ran.document["files"]] == [
        ("hello.sys", "signed"),
        ("hello.cat", "built"),
    ]
    assert Image.parse((package / "hello.sys").read_bytes()).is_signed
    assert Catalog.parse((package / "hello.cat").read_bytes()).is_signed
    assert drvsign("catalog", "check", package / "hello.cat", package).code == 0


def test_signing_a_package_twice_leaves_one_signature_of_the_same_size(package: Path) -> None:
    drvsign("package", package, "--os", "10_X64", "--now", "2026-01-02")
    before = state(package)
    assert drvsign("package", package, "--os", "10_X64", "--now", "2026-01-02").code == 0
    assert state(package) == before


def test_with_source_date_epoch_two_builds_are_the_same_byte_for_byte(
    package: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    shutil.copytree(package, work / "again")
    for folder in (package, work / "again"):
        assert drvsign("package", folder, "--os", "10_X64", "--page-hashes", "--description", "Hello").code == 0
    assert state(package) == state(work / "again")
    assert Catalog.parse((package / "hello.cat").read_bytes()).this_update.isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(lambda p: (p / "hello.sys").unlink(), "22.9.1", id="a file is missing"),
        pytest.param(lambda p: (p / "hello.inf").write_text("no inf"), "", id="the INF is none"),
        pytest.param(lambda p: (p / "hello.inf").unlink(), "", id="there is no INF"),
        pytest.param(lambda p: (p / "hello.sys").write_bytes(PeSpec().build()[:700]), "hello.sys", id="a broken image"),
    ],
)
def test_a_package_that_can_t_be_signed_stays_as_it_was(package: Path, spoil, sentence: str) -> None:
    spoil(package)
    before = state(package)
    ran = drvsign("package", package, "--os", "10_X64")
    assert ran.code == 3
    assert sentence in ran.stderr
    assert state(package) == before


def test_a_catalog_is_built_where_the_inf_says(package: Path) -> None:
    ran = drvsign("catalog", "build", package, "--os", "7_X64,10_X64", "--json")
    assert ran.code == 0, ran.stderr
    catalog = Catalog.parse((package / "hello.cat").read_bytes())
    assert (catalog.version, catalog.is_signed) == (1, False)
    assert catalog.attribute("OS") == "7X64,_v100_X64"
    assert {m.os_attribute for m in catalog.members if m.file == "hello.inf"} == {"2:6.1,2:10.0"}


@pytest.mark.parametrize(("version", "listed"), [(1, {"sha1"}), (2, {"sha1", "sha256"})])
def test_a_built_catalog_is_reported_with_an_algorithm_of_its_entries(
    package: Path, version: int, listed: set[str]
) -> None:
    algorithm = max(listed)
    options = ("--os", "10_X64", "--catalog-version", version)
    assert f"({algorithm}, version {version}, " in drvsign("catalog", "build", package, *options).stdout
    (result,) = drvsign("catalog", "build", package, *options, "--json").document["files"]
    data = (package / "hello.cat").read_bytes()
    assert {str(member.digest_algorithm) for member in Catalog.parse(data).members} == listed
    assert (result["digest_algorithm"], result["digest"]) == (algorithm, hashlib.new(algorithm, data).hexdigest())


def test_without_os_the_choice_is_printed(package: Path) -> None:
    ran = drvsign("catalog", "build", package)
    assert ran.code == 0
    assert "from the INF: " in ran.stderr
    assert "10_GE_X64" in ran.stderr


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--os", "10_X46"], 2, "10_X64"),
        (["--os", ""], 2, "empty"),
        (["--now", "yesterday"], 2, "not a date"),
        (["--now", "2023-01-01", "--os", "10_X64"], 3, "22.9.7"),
        (["--catalog-version", "3"], 2, "'3' is not a whole number from 1 to 2"),
    ],
)
def test_wrong_options_are_named(package: Path, options: list[str], code: int, sentence: str) -> None:
    before = state(package)
    ran = drvsign("catalog", "build", package, *options)
    assert ran.code == code
    assert sentence in ran.stderr
    assert state(package) == before


def test_a_catalog_is_shown_as_the_contract_says(package: Path) -> None:
    drvsign("package", package, "--os", "10_X64")
    shown = drvsign("catalog", "show", package / "hello.cat", "--json").document
    assert set(shown) == {"schema", "version", "list_identifier", "this_update", "attributes", "members"}
    assert shown["attributes"] == [["OS", "_v100_X64"], ["HWID1", "root\\hello"]]
    assert {key for member in shown["members"] for key in member} == {
        *("tag", "file", "kind", "digest_algorithm", "digest", "os_attribute", "page_hashes", "attributes")
    }
    assert "hello.sys" in drvsign("catalog", "show", package / "hello.cat").stdout


def test_a_changed_and_a_missing_file_are_found(package: Path) -> None:
    drvsign("package", package, "--os", "10_X64")
    (package / "hello.inf").write_bytes(HELLO.encode())
    (package / "hello.sys").unlink()
    ran = drvsign("catalog", "check", package / "hello.cat", package, "--json")
    assert ran.code == 1
    states = {row["file"]: row for row in ran.document["files"]}
    assert states["hello.sys"]["state"] == "missing"
    assert "only its newlines differ" in states["hello.inf"]["reason"]


def test_catalogs_are_compared(package: Path, work: Path) -> None:
    one, other = work / "one.cat", work / "other.cat"
    drvsign("catalog", "build", package, "--os", "10_X64", "--now", "2026-01-02", "--output", one)
    drvsign("catalog", "build", package, "--os", "10_VB_X64", "--now", "2026-01-02", "--output", other)
    assert drvsign("catalog", "diff", one, one).code == 0
    ran = drvsign("catalog", "diff", one, other, "--json")
    assert ran.code == 1
    assert {row["what"] for row in ran.document["differences"]} == {"identifier", "attribute"}


def test_a_catalog_is_signed_and_re_signed(package: Path) -> None:
    drvsign("catalog", "build", package, "--os", "10_X64")
    path = package / "hello.cat"
    assert drvsign("catalog", "sign", path).code == 0
    once = path.read_bytes()
    assert drvsign("catalog", "sign", path).code == 0
    assert path.read_bytes() == once
    assert drvsign("catalog", "sign", path, "--append").code == 3


@pytest.mark.parametrize("data", [b"", b"garbage", b"MZ" + bytes(200), b"\x30\x03abc"])
@pytest.mark.parametrize("verb", ["show", "diff", "check"])
def test_what_is_no_catalog_is_named_so(work: Path, data: bytes, verb: str) -> None:
    path = work / "no.cat"
    path.write_bytes(data)
    ran = drvsign("catalog", verb, path, *{"show": [], "diff": [path], "check": [work]}[verb])
    assert ran.code == 3
    assert len(ran.errors) == 1
    assert "no.cat" in ran.errors[0]


@pytest.mark.parametrize(
    ("name", "says", "hint"),
    [("hello.sys", "this is a PE image, not a catalog", "inspect"), ("hello.inf", "this is an INF, not", "inf show")],
)
def test_another_file_of_the_package_in_a_catalog_s_place_is_called_what_it_is(package, name, says, hint) -> None:
    ran = drvsign("catalog", "show", package / name)
    assert ran.code == 3
    assert f"{name}: {says}" in ran.stderr
    assert f"drvsign {hint} FILE" in ran.stderr


@pytest.mark.parametrize(("name", "what"), [("hello.sys", "a PE image"), ("hello.cat", "a catalog")])
def test_what_no_catalog_is_built_from_is_called_what_it_is(package: Path, name: str, what: str) -> None:
    assert drvsign("catalog", "build", package, "--os", "10_X64").code == 0
    before = state(package)
    ran = drvsign("catalog", "build", package / name)
    assert ran.code == 3
    assert f"{name}: this is {what}, and catalogs are built from an INF" in ran.stderr
    assert f"drvsign catalog build {package}" in ran.stderr
    assert state(package) == before


@pytest.mark.parametrize(("name", "first"), [("hello.sys", "0x4d"), ("a.zip", "0x50")])
def test_another_file_as_the_catalog_of_verify_is_not_called_by_a_der_tag(package: Path, name: str, first: str) -> None:
    (package / "a.zip").write_bytes(b"PK\x03\x04")
    ran = drvsign("verify", package / "hello.sys", "--catalog", package / name)
    assert (ran.code, f"not a catalog: the file begins with {first}, not with 0x30" in ran.stderr) == (3, True)


def test_a_file_that_a_cdf_names_and_that_is_missing_could_not_be_read(work: Path) -> None:
    Path("x.cdf").write_text("[CatalogHeader]\nName=x.cat\n[CatalogFiles]\n<HASH>a=gone.sys\n")
    ran = drvsign("catalog", "build", "x.cdf")
    assert ran.errors == ["error: x.cdf:4: gone.sys: could not read the file: no such file or directory"]


def test_a_hint_of_a_problem_is_not_repeated_as_that_of_the_error(package: Path) -> None:
    (package / "hello.inf").write_text("[Version\n")
    ran = drvsign("verify", package)
    assert (ran.code, ran.stderr.count("Write the header as [Name].")) == (3, 1)


def test_of_several_packages_each_catalog_is_named_by_its_path(package: Path) -> None:
    for name in ("one", "two"):
        (package / name).mkdir()
        for file in ("hello.inf", "hello.sys"):
            (package / name / file).write_bytes((package / file).read_bytes())
    for file in ("hello.inf", "hello.sys"):
        (package / file).unlink()
    ran = drvsign("catalog", "build", package, "-o", "x.cat")
    places = [str(package / name / "hello.cat") for name in ("one", "two")]
    assert (ran.code, f"--output file: {', '.join(places)}" in ran.stderr) == (2, True)
    assert [line.partition(": ")[0] for line in ran.stderr.splitlines()[:2]] == places


@pytest.mark.parametrize("words", ["package", "init", "inf files", "submission build --unsigned -o s.cab"])
def test_a_file_in_a_folder_s_place_is_not_called_missing(package: Path, words: str) -> None:
    for name, what in {"hello.sys": "this is a file, not a folder", "gone": "folder not found"}.items():
        ran = drvsign(*words.split(), package / name)
        assert (ran.code, ran.stderr.splitlines()[0]) == (3, f"error: {package / name}: {what}")


def test_a_cdf_s_result_folder_is_made_and_the_version_that_was_asked_for_counts(work: Path) -> None:
    (work / "a.txt").write_bytes(b"a")
    (work / "x.cdf").write_text("[CatalogHeader]\nName=x.cat\nResultDir=out\\deep\n[CatalogFiles]\n<HASH>a=a.txt\n")
    assert drvsign("catalog", "build", "x.cdf", "--catalog-version", 2).code == 0
    assert Catalog.parse((work / "out/deep/x.cat").read_bytes()).version == 2


def test_a_command_that_is_suggested_can_be_pasted_where_names_have_spaces(work: Path) -> None:
    folder = work / "my driver"
    folder.mkdir()
    (folder / "hello.inf").write_bytes(HELLO.replace("\n", "\r\n").encode())
    (folder / "hello.sys").write_bytes(PeSpec().build())
    quoted = '"{}"' if os.name == "nt" else "'{}'"
    built = drvsign("catalog", "build", folder, "--os", "10_X64")
    assert f"Sign it: drvsign catalog sign {quoted.format(folder / 'hello.cat')}\n" in built.stderr
    signed = drvsign("package", folder, "--os", "10_X64")
    assert f"drvsign verify {quoted.format(folder)} --test-machine" in signed.stderr
    asked = drvsign("sign", folder / "hello.sys", "--detached-request", work / "a request")
    assert f"drvsign attach {quoted.format(folder / 'hello.sys')} --signed-digest" in asked.stderr
    assert f"--request {quoted.format(work / 'a request')} --cert" in asked.stderr


def test_a_driverver_after_source_date_epoch_is_explained(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is often set by a build system; the message must lead to it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    ran = drvsign("catalog", "build", package, "--os", "10_X64")
    assert ran.code == 3
    assert "The build date is 2001-09-09 (from --now, SOURCE_DATE_EPOCH or the clock)" in ran.stderr
    hint = re.search(r"or give a later build date: (--now \S+)", ran.stderr)
    assert hint is not None
    assert drvsign("catalog", "build", package, "--os", "10_X64", *hint[1].split()).code == 0
