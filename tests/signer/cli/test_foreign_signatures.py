"""Signatures of other signers are replaced only on request, and a refused call changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs import build_catalogs
from catalogs.catalog.file import Catalog
from signer import attach_signature, open_identity
from signer.cli.tsa_server import serving
from signer.errors import ForeignSignature
from signer.operations.signatures import signatures
from testcerts.store import ensure
from tests.support.identities import public_pfx
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import Ran, drvsign, state
from tests.support.timestamping import tsa


@pytest.fixture(scope="session")
def colleague(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test certificates of somebody else, with the same names and other keys."""
    folder = tmp_path_factory.mktemp("colleague") / "certs"
    ensure(folder, datetime.now(UTC))
    return folder


@pytest.fixture
def theirs(colleague: Path) -> list[object]:
    """The options that sign with the colleague's identity."""
    return ["--cert", colleague / "code-signing.pem", "--key", colleague / "code-signing.key.pem"]


@pytest.fixture
def foreign(driver: Path, theirs: Sequence[object]) -> Path:
    """A driver that the colleague signed."""
    assert drvsign("sign", driver, *theirs).code == 0
    return driver


@pytest.fixture
def package(work: Path) -> Path:
    """A driver package."""
    folder = work / "hello"
    folder.mkdir()
    (folder / "hello.inf").write_bytes(HELLO.encode())
    (folder / "hello.sys").write_bytes(PeSpec().build())
    return folder


def assert_refused(ran: Ran, folder: Path, before: dict[str, str]) -> None:
    assert ran.code == 3
    assert "another key" in ran.stderr or "signed by drvsign Test" in ran.stderr
    assert "--replace" in ran.stderr
    assert state(folder) == before


def test_sign_refuses_before_any_file_changes(work: Path, foreign: Path) -> None:
    (work / "first.sys").write_bytes(PeSpec(fill=3).build())
    before = state(work)
    ran = drvsign("sign", "first.sys", foreign, "--json")
    assert_refused(ran, work, before)
    assert "--append" in ran.stderr and "--output" in ran.stderr
    first, second = ran.document["files"]
    assert (first["action"], first["error"]) == ("skipped", None)
    assert (second["action"], second["error"]["code"]) == ("failed", "foreign-signature")


def test_replace_says_what_it_replaced(foreign: Path) -> None:
    (entry,) = drvsign("sign", foreign, "--replace", "--json").document["files"]
    assert (entry["action"], entry["replaced"]) == ("signed", ["drvsign Test"])
    assert drvsign("sign", foreign).code == 0, "it is ours now"


def test_the_text_names_the_replaced_signer(foreign: Path) -> None:
    assert "replaced the signature of drvsign Test" in drvsign("sign", foreign, "--replace").stdout


def test_append_keeps_both(foreign: Path) -> None:
    assert drvsign("sign", foreign, "--append").code == 0
    assert len(signatures(foreign.read_bytes())) == 2


def test_a_nested_signature_of_another_signer_is_protected(work: Path, driver: Path, theirs: Sequence[object]) -> None:
    assert drvsign("sign", driver).code == 0
    assert drvsign("sign", driver, "--append", *theirs).code == 0
    assert_refused(drvsign("sign", driver), work, state(work))


@pytest.mark.parametrize("destination", [("--output", "out.sys"), ("--output-dir", "out")], ids=["file", "folder"])
def test_a_copy_leaves_the_original_alone(work: Path, foreign: Path, destination: tuple[str, str]) -> None:
    before = foreign.read_bytes()
    for _ in range(2):  # the second call replaces its own result
        assert drvsign("sign", foreign, *destination).code == 0
    assert foreign.read_bytes() == before


def test_an_output_that_only_others_signed_is_protected(work: Path, foreign: Path) -> None:
    (work / "mine.sys").write_bytes(PeSpec(fill=3).build())
    before = state(work)
    ran = drvsign("sign", "mine.sys", "--output", foreign)
    assert (ran.code, state(work)) == (3, before)
    (entry,) = drvsign("sign", "mine.sys", "--output", foreign, "--replace", "--json").document["files"]
    assert (entry["action"], entry["replaced"]) == ("signed", ["drvsign Test"])


def test_an_output_with_a_signature_that_the_input_lacks_is_protected(work: Path, foreign: Path) -> None:
    """Ours beside it, as after --append, does not make the other one ours."""
    assert drvsign("sign", foreign, "--append").code == 0
    (work / "mine.sys").write_bytes(PeSpec().build())
    assert_refused(drvsign("sign", "mine.sys", "--output", foreign), work, state(work))
    for _ in range(2):  # its own earlier result: the input still has the signature
        assert drvsign("sign", foreign, "--append", "--output", "copy.sys").code == 0


def test_an_output_that_is_the_input_under_another_name_is_protected(work: Path, foreign: Path) -> None:
    (work / "link.sys").symlink_to(foreign)
    assert_refused(drvsign("sign", foreign, "--output", "link.sys"), work, state(work))


def test_skip_signed_and_detached_replace_nothing(work: Path, foreign: Path) -> None:
    before = foreign.read_bytes()
    assert drvsign("sign", foreign, "--skip-signed").code == 0
    assert drvsign("sign", foreign, "--detached", "out.p7").code == 0
    assert foreign.read_bytes() == before


def test_another_identity_of_a_known_authority_is_ours(driver: Path, made_identity: Path, work: Path) -> None:
    shutil.copytree(made_identity, work / "copy")
    options = ["--cert", "copy/time-stamping.pem", "--key", "copy/time-stamping.key.pem", "--any-usage"]
    assert drvsign("sign", driver, *options).code == 0
    assert drvsign("sign", driver).code == 0


def test_a_signature_that_can_not_be_read_is_protected(work: Path, foreign: Path) -> None:
    data = bytearray(foreign.read_bytes())
    (der,) = signatures(bytes(data))
    start = bytes(data).index(der)
    data[start + 4] ^= 0x40  # the tag of the content type
    foreign.write_bytes(data)
    before = state(work)
    ran = drvsign("sign", foreign)
    assert (ran.code, state(work)) == (3, before)
    assert "can't be read" in ran.stderr
    assert drvsign("sign", foreign, "--replace").code == 0


def test_attach_obeys_the_same_rule(work: Path, foreign: Path) -> None:
    assert drvsign("sign", foreign, "--detached", "mine.p7").code == 0
    assert_refused(drvsign("attach", foreign, "--signature", "mine.p7"), work, state(work))
    assert drvsign("attach", foreign, "--signature", "mine.p7", "--output", "copy.sys").code == 0
    assert drvsign("attach", foreign, "--signature", "mine.p7", "--replace").code == 0
    assert drvsign("attach", foreign, "--signature", "mine.p7").code == 0, "the same signer"


def test_attach_protects_the_file_that_it_writes_to(work: Path, foreign: Path) -> None:
    (work / "mine.sys").write_bytes(PeSpec().build())
    assert drvsign("sign", "mine.sys", "--detached", "mine.p7").code == 0
    attach = ["attach", "mine.sys", "--signature", "mine.p7", "--output", foreign]
    assert_refused(drvsign(*attach), work, state(work))
    (entry,) = drvsign(*attach, "--replace", "--json").document["files"]
    assert entry["replaced"] == ["drvsign Test"]
    assert drvsign(*attach).code == 0, "an earlier call wrote it"


def test_the_library_attaches_by_the_same_rule(work: Path, foreign: Path) -> None:
    (work / "mine.sys").write_bytes(PeSpec().build())
    assert drvsign("sign", "mine.sys", "--detached", "mine.p7").code == 0
    before = state(work)
    with pytest.raises(ForeignSignature):
        attach_signature("mine.sys", "mine.p7", output=foreign)
    assert state(work) == before
    attach_signature("mine.sys", "mine.p7", output=foreign, replace=True)
    attach_signature("mine.sys", "mine.p7", output=foreign)


def test_certs_names_the_authority_whose_signatures_attach_and_catalog_build_replace(
    package: Path, foreign: Path, colleague: Path, theirs: Sequence[object]
) -> None:
    assert drvsign("sign", foreign, "--detached", "mine.p7").code == 0
    assert drvsign("attach", foreign, "--signature", "mine.p7", "--certs", colleague).code == 0
    assert drvsign("package", package, *theirs).code == 0
    assert drvsign("catalog", "build", package).code == 3
    assert drvsign("catalog", "build", package, "--certs", colleague).code == 0


def test_cert_names_the_signer_whose_catalogs_are_replaced(
    package: Path, colleague: Path, theirs: Sequence[object]
) -> None:
    assert drvsign("package", package, *theirs).code == 0
    assert drvsign("catalog", "build", package, "--cert", colleague / "time-stamping.cer").code == 3
    assert drvsign("catalog", "build", package, "--cert", colleague / "code-signing.cer").code == 0


def test_catalog_build_says_what_it_replaced(package: Path, theirs: Sequence[object]) -> None:
    assert drvsign("package", package, *theirs).code == 0
    (entry,) = drvsign("catalog", "build", package, "--replace", "--json").document["files"]
    assert entry["replaced"] == ["drvsign Test"]


def test_the_library_replaces_a_signed_catalog_by_the_same_rule(
    package: Path, colleague: Path, theirs: Sequence[object]
) -> None:
    assert drvsign("package", package, *theirs).code == 0
    before = state(package)
    with pytest.raises(ForeignSignature):
        build_catalogs(package)
    assert state(package) == before
    identity = open_identity(colleague / "code-signing.pem", key=colleague / "code-signing.key.pem")
    build_catalogs(package, identity=identity)
    assert drvsign("package", package, *theirs).code == 0
    build_catalogs(package, replace=True)
    build_catalogs(package)


@pytest.mark.parametrize("unsigned", [True, False], ids=["unsigned", "signed"])
def test_submission_build_protects_the_cabinet_of_another_signer(
    package: Path, theirs: Sequence[object], monkeypatch: pytest.MonkeyPatch, unsigned: bool
) -> None:
    Path("contoso.pfx").write_bytes(public_pfx(b"secret"))
    monkeypatch.setenv("PFX_PASSWORD", "secret")
    ours = ["--pfx", "contoso.pfx", "--password-env", "PFX_PASSWORD"]
    build = ["submission", "build", package, "--output", "hello.cab", *(["--unsigned"] if unsigned else ours)]
    assert drvsign(*build).code == 0
    assert drvsign(*build).code == 0, "an earlier call wrote it"
    assert drvsign("sign", "hello.cab", *theirs, "--replace").code == 0
    before = state(Path())
    assert_refused(drvsign(*build), Path(), before)
    entry, _ = drvsign(*build, "--replace", "--json").document["files"]
    assert entry["replaced"] == ["drvsign Test"]


@pytest.mark.parametrize("command", ["strip", "timestamp"])
def test_a_copy_of_strip_and_timestamp_does_not_replace_what_others_signed(
    work: Path, foreign: Path, command: str
) -> None:
    (work / "mine.sys").write_bytes(PeSpec(fill=3).build())
    assert drvsign("sign", "mine.sys").code == 0
    before = state(work)
    with serving(tsa()) as server:
        more = ["--timestamp", server.url] if command == "timestamp" else []
        ran = drvsign(command, "mine.sys", *more, "--output", foreign)
        assert (ran.code, state(work)) == (3, before)
        assert "another path" in ran.stderr
        for _ in range(2):  # a copy of a foreign file is the result of an earlier call
            assert drvsign(command, foreign, *more, "--output", "copy.sys").code == 0


def test_an_output_folder_with_drivers_of_others_is_protected(
    work: Path, package: Path, theirs: Sequence[object]
) -> None:
    """Without a catalog of ours the folder is not the result of an earlier call."""
    (work / "out").mkdir()
    shutil.copy(package / "hello.sys", work / "out" / "hello.sys")
    assert drvsign("sign", "out/hello.sys", *theirs).code == 0
    before = state(work)
    ran = drvsign("package", package, "--output-dir", "out")
    assert (ran.code, state(work)) == (3, before)
    assert "--replace" in ran.stderr and "--output-dir" not in ran.stderr
    shutil.copy("out/hello.sys", package / "hello.sys")
    assert drvsign("package", package, "--output-dir", "out").code == 0, "nothing is lost: the original has it"


def test_a_catalog_of_another_signer_is_protected(package: Path, theirs: Sequence[object]) -> None:
    catalog = package / "hello.cat"
    assert drvsign("package", package, "--output-dir", "theirs", *theirs).code == 0
    shutil.copy("theirs/hello.cat", catalog)
    before = state(package)
    assert_refused(drvsign("catalog", "sign", catalog), package, before)
    assert_refused(drvsign("catalog", "build", package), package, before)
    assert_refused(drvsign("package", package), package, before)
    assert drvsign("package", package, "--output-dir", "ours").code == 0
    assert_refused(drvsign("package", package, "--output-dir", "theirs"), package, before)
    ran = drvsign("package", package, "--replace", "--json")
    assert ran.document["files"][-1]["replaced"] == ["drvsign Test"]
    assert drvsign("catalog", "build", package).code == 0
    assert not Catalog.parse(catalog.read_bytes()).is_signed


def test_a_package_with_a_driver_of_another_signer(package: Path, theirs: Sequence[object]) -> None:
    driver = package / "hello.sys"
    assert drvsign("sign", driver, *theirs).code == 0
    before, bytes_before = state(package), driver.read_bytes()
    ran = drvsign("package", package, "--json")
    assert_refused(ran, package, before)
    assert ran.document["files"][-1]["path"] == str(driver)
    assert drvsign("package", package, "--output-dir", "out").code == 0
    assert driver.read_bytes() == bytes_before != Path("out/hello.sys").read_bytes()
    assert drvsign("package", package, "--skip-signed").code == 0
    assert driver.read_bytes() == bytes_before
    assert drvsign("package", package, "--replace").code == 0
    assert driver.read_bytes() != bytes_before


def test_the_options_that_keep_drivers_are_named_whole(package: Path, theirs: Sequence[object]) -> None:
    driver = package / "hello.sys"
    assert drvsign("sign", driver, *theirs).code == 0
    assert "To keep drivers as they are: --skip-signed." in drvsign("package", package).stderr
    assert drvsign("package", package, "--replace", *theirs).code == 0
    before = driver.read_bytes()
    assert "To keep drivers as they are: --skip-signed --replace." in drvsign("package", package).stderr
    assert drvsign("package", package, "--skip-signed", "--replace").code == 0
    assert driver.read_bytes() == before


def test_an_output_folder_says_whose_signatures_were_replaced(package: Path, theirs: Sequence[object]) -> None:
    """Also those of files that the package only copies."""
    inf = package / "hello.inf"
    inf.write_text(
        HELLO.replace("hello.sys=1\n", "hello.sys=1\nhelper.dll=1\n").replace("[Files]\n", "[Files]\nhelper.dll\n")
    )
    image = bytearray(PeSpec().build())
    subsystem = int.from_bytes(image[0x3C:0x40], "little") + 24 + 68
    image[subsystem : subsystem + 2] = b"\x03\x00"
    (package / "helper.dll").write_bytes(image)
    assert drvsign("package", package, "--output-dir", "out", *theirs).code == 0
    assert drvsign("sign", "out/helper.dll", *theirs, "--replace").code == 0
    ran = drvsign("package", package, "--output-dir", "out", "--replace", "--json")
    assert [entry.get("replaced") for entry in ran.document["files"]] == [["drvsign Test"]] * 2
    assert "replaced out/helper.dll, which had the signature of drvsign Test" in ran.stderr.replace("\\", "/")


def test_skipped_drivers_keep_their_place_in_the_result(package: Path, theirs: Sequence[object]) -> None:
    inf = package / "hello.inf"
    names = ["a.sys", "b.sys", "c.sys"]
    inf.write_text(
        HELLO.replace("hello.sys=1\n", "hello.sys=1\n" + "".join(f"{name}=1\n" for name in names)).replace(
            "[Files]\n", "[Files]\n" + "".join(f"{name}\n" for name in names)
        )
    )
    for name in names:
        (package / name).write_bytes(PeSpec().build())
    assert drvsign("sign", package / "b.sys", *theirs).code == 0
    before = (package / "b.sys").read_bytes()
    files = drvsign("package", package, "--skip-signed", "--json").document["files"]
    actions = {Path(one["path"]).name: one["action"] for one in files}
    assert actions == {
        "a.sys": "signed",
        "b.sys": "skipped",
        "c.sys": "signed",
        "hello.sys": "signed",
        "hello.cat": "built",
    }
    assert list(actions) == ["a.sys", "b.sys", "c.sys", "hello.sys", "hello.cat"]
    assert (package / "b.sys").read_bytes() == before
