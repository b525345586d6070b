"""`signtool`: what it signs with, timestamps, the lines and the exit codes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer.certificates import thumbprint
from signer.cli.tsa_server import serving
from signer.operations.signatures import is_signed, signatures
from signer.pkcs7.parse import parse
from testcerts.hierarchy import read_hierarchy
from tests.support.front_ends import PASSWORD, tool
from tests.support.images import PeSpec
from tests.support.inf_files import BASE
from tests.support.program import drvsign
from tests.support.timestamping import tsa

DEAD = "http://127.0.0.1:1/"
UNREACHABLE = (
    "SignTool Error: The specified timestamp server either could not be reached or\nreturned an invalid response.\n"
)


@pytest.fixture
def sys_(work: Path) -> Path:
    path = work / "x.sys"
    path.write_bytes(PeSpec().build())
    return path


@pytest.fixture
def url() -> Iterator[str]:
    with serving(tsa()) as server:
        yield server.url


def signers(path: Path) -> list[str]:
    """Return the names of the signers."""
    return [
        file["signer"]["common_name"] for file in drvsign("inspect", path, "--json").document["files"][0]["signatures"]
    ]


def test_foreign_signatures_are_not_replaced(
    sys_: Path, pfx: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drvsign("sign", sys_, "--certs", work / "others").code == 0
    before = sys_.read_bytes()
    sign = ("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD)
    assert tool(*sign, sys_) == 1
    assert sys_.read_bytes() == before
    err = capsys.readouterr().err
    assert "signtool remove /s FILE" in err
    assert "--append" not in err
    assert err.endswith(f"SignTool Error: An error occurred while attempting to sign: {sys_}\n")
    assert tool(*sign, "/as", sys_) == 0
    assert len(signatures(sys_.read_bytes())) == 2


def test_a_password_on_the_command_line_is_a_warning(sys_: Path, pfx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("signtool", "sign", "/q", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, sys_) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "password of /p" in printed.err


def test_a_wrong_password(sys_: Path, pfx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("/p", "wrong"), ()):
        assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, *words, sys_) == 1
        assert "SignTool Error: The specified PFX password is not correct." in capsys.readouterr().err


def test_an_error_is_printed_once(sys_: Path, work: Path, pfx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = work / "broken.sys"
    broken.write_bytes(b"MZ" + bytes(100))
    assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, broken, sys_) == 1
    printed = capsys.readouterr()
    assert printed.err.count("SignTool Error: ") == 2  # the cause, and the file
    assert "error: " not in printed.err
    assert f"Successfully signed: {sys_}\n" in printed.out
    assert printed.out.endswith("\nNumber of errors: 1\n")


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("switch", [("/t",), ("/td", "SHA256", "/tr")], ids=["/t", "/tr"])
def test_a_missing_timestamp_is_a_warning(
    sys_: Path, pfx: Path, capsys: pytest.CaptureFixture[str], switch: tuple[str, ...]
) -> None:
    """The lines of a report about SignTool (chocolatey/choco, issue 2293); exit code 2 as its page says."""
    assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, *switch, DEAD, sys_) == 2
    printed = capsys.readouterr()
    assert UNREACHABLE in printed.err
    said = "SignTool Warning: Signing succeeded, but an error occurred while attempting to\n\ttimestamp: "
    assert f"{said}{sys_}\n" in printed.err
    assert printed.out.endswith("\nNumber of warnings: 1\n")
    assert is_signed(sys_.read_bytes())


@pytest.mark.usefixtures("no_pauses")
def test_a_timestamp_that_fails_alone_is_an_error(sys_: Path, pfx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, sys_) == 0
    before = sys_.read_bytes()
    assert tool("signtool", "timestamp", "/tr", DEAD, "/td", "SHA256", sys_) == 1
    assert UNREACHABLE in capsys.readouterr().err
    assert sys_.read_bytes() == before


def test_timestamps_replace_others(sys_: Path, pfx: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, "/tr", url, "/td", "sha256", sys_) == 0
    before = sys_.read_bytes()
    assert tool("signtool", "timestamp", "/t", url, sys_) == 0
    assert f"Successfully timestamped: {sys_}\n" in capsys.readouterr().out
    assert sys_.read_bytes() != before
    found = drvsign("inspect", sys_, "--json").document["files"][0]["signatures"]
    assert [one["timestamp"]["kind"] for one in found] == ["authenticode"]


def test_options_of_the_signature(sys_: Path, pfx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A description that looks like a switch is one all the same, as by SignTool."""
    monkeypatch.setenv("SIGNTOOL_PAGE_HASHES", "1")
    sign = ("signtool", "sign", "/f", pfx, "/p", PASSWORD, "/fd", "SHA256", "/d", "/s", "/du", "https://example.test/")
    assert tool(*sign, sys_) == 0
    (found,) = drvsign("inspect", sys_, "--json").document["files"][0]["signatures"]
    assert (found["program_name"], found["url"], found["digest_algorithm"]) == ("/s", "https://example.test/", "sha256")
    assert found["page_hashes"] != "none"
    assert tool(*sign, "/nph", sys_) == 0
    (found,) = drvsign("inspect", sys_, "--json").document["files"][0]["signatures"]
    assert found["page_hashes"] == "none"


def test_hints_name_switches(sys_: Path, pfx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("signtool", "sign", "/ph", "/fd", "SHA512", "/f", pfx, "/p", PASSWORD, sys_) == 1
    assert "\tUse /fd sha256 (or sha1) with /ph.\n" in capsys.readouterr().err


def test_cert_hash_is_the_digest_of_the_certificate(sys_: Path, pfx: Path) -> None:
    assert tool("signtool", "sign", "/fd", "certHash", "/f", pfx, "/p", PASSWORD, sys_) == 0
    (found,) = drvsign("inspect", sys_, "--json").document["files"][0]["signatures"]
    assert found["digest_algorithm"] == "sha256"


def test_the_test_identity_is_in_the_store_my(sys_: Path, made_identity: Path) -> None:
    sha1 = thumbprint(read_hierarchy(made_identity).code_signing)
    for words in (
        ("/sha1", sha1.lower()),
        ("/n", "DRVSIGN test"),
        ("/i", "Issuing CA"),
        ("/r", "Root CA"),
        ("/a",),
        (),
    ):
        assert tool("signtool", "sign", "/fd", "SHA256", *words, sys_) == 0, words
    assert signers(sys_) == ["drvsign Test"]
    for words in (
        ("/n", "Contoso"),
        ("/sha1", "00" * 20),
        ("/i", "Contoso"),
        ("/r", "Contoso"),
        ("/uw",),
        ("/s", "Other"),
    ):
        assert tool("signtool", "sign", "/fd", "SHA256", *words, sys_) == 1, words


def test_the_identity_of_a_runner_is_in_the_store_my(sys_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DRVSIGN_TEST_PFX has it, as in continuous integration."""
    assert drvsign("certs", "create", "runner", "--subject", "CN=Runner").code == 0
    assert drvsign("certs", "export", "runner", "--output", "runner.pfx").code == 0
    monkeypatch.setenv("DRVSIGN_TEST_PFX", base64.b64encode(Path("runner.pfx").read_bytes()).decode())
    assert tool("signtool", "sign", "/fd", "SHA256", "/n", "Runner", sys_) == 0
    assert signers(sys_) == ["Runner"]


def test_several_certificates(sys_: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make = ("makecert", "-r", "-ss", "Build", "-eku", "1.3.6.1.5.5.7.3.3")
    assert tool(*make, "-n", "CN=Contoso Short", "-e", "12/31/2030") == 0
    assert tool(*make, "-n", "CN=Contoso Long", "-e", "12/31/2038") == 0
    assert tool(*make, "-n", "CN=Contoso Ended", "-b", "01/01/2001", "-e", "12/31/2001") == 0
    assert tool("makecert", "-r", "-ss", "Build", "-n", "CN=Contoso Server", "-eku", "1.3.6.1.5.5.7.3.1") == 0
    sign = ("signtool", "sign", "/fd", "SHA256", "/s", "build", "/n", "contoso")
    capsys.readouterr()
    assert tool(*sign, sys_) == 1
    err = capsys.readouterr().err
    assert "SignTool Error: Multiple certificates were found" in err
    assert "Contoso Short" in err
    assert "Contoso Ended" not in err
    assert "Contoso Server" not in err
    assert tool(*sign, "/a", sys_) == 0
    assert signers(sys_) == ["Contoso Long"]


def test_the_criteria_hold_for_a_pfx_as_well(sys_: Path, pfx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, "/n", "Contoso", sys_) == 1
    assert "No certificates were found that met all the given criteria." in capsys.readouterr().err
    assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, "/n", "drvsign", sys_) == 0


def test_verify_says_why_not(sys_: Path, pfx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("signtool", "verify", "/pa", sys_) == 1
    assert "SignTool Error: No signature found.\n" in capsys.readouterr().err
    assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, sys_) == 0
    assert tool("signtool", "verify", "/pa", "/v", sys_) == 1
    printed = capsys.readouterr()
    assert f"SignTool Error: {sys_}: " in printed.err
    assert "drvsign verify FILE --test-machine" in printed.err
    assert "Number of files successfully Verified: 0\nNumber of warnings: 0\nNumber of errors: 1\n" in printed.out
    assert "Signature Index: 0 (Primary Signature)" in printed.out


def test_verify_of_a_driver_from_the_field(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = corpus / "drivers" / "Velocidex+WinPmem__winpmem_x64.sys"
    assert tool("signtool", "verify", "/kp", path) == 0
    assert capsys.readouterr().out == f"Successfully verified: {path}\n"
    assert tool("signtool", "verify", "/kp", "/r", "Contoso", path) == 1
    assert "does not chain to the specified Root Cert." in capsys.readouterr().err
    assert tool("signtool", "verify", "/kp", "/sha1", "00" * 20, path) == 1
    assert tool("signtool", "verify", "/kp", "/ca", "00" * 20, path) == 1
    (signature, *_) = drvsign("inspect", path, "--json").document["files"][0]["signatures"]
    assert tool("signtool", "verify", "/kp", "/sha1", "00" * 20, "/sha1", signature["signer"]["sha1"], path) == 0


def test_remove_takes_signatures_away(sys_: Path, pfx: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    unsigned = sys_.read_bytes()
    sign = ("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, "/tr", url, "/td", "SHA256")
    assert (tool(*sign, sys_), tool(*sign, "/as", sys_)) == (0, 0)
    whole = parse(signatures(sys_.read_bytes())[0])
    assert len(whole.certificates) > 1
    assert len(whole.signers[0].unsigned_attributes) == 2
    assert tool("signtool", "remove", "/c", sys_) == 0
    without = parse(signatures(sys_.read_bytes())[0])
    assert without.certificates == (whole.certificate_of(whole.signers[0]),)
    assert len(without.signers[0].unsigned_attributes) == 2
    assert tool("signtool", "remove", "/u", sys_) == 0
    (left,) = signatures(sys_.read_bytes())
    assert not parse(left).signers[0].unsigned_attributes
    assert drvsign("inspect", sys_, "--json").document["files"][0]["signatures"][0]["intact"]
    assert tool("signtool", "remove", "/s", "/v", sys_) == 0
    assert "Number of files successfully processed: 1\n" in capsys.readouterr().out
    assert not is_signed(sys_.read_bytes())
    assert len(sys_.read_bytes()) <= len(unsigned) + 8
    assert tool("signtool", "remove", "/s", sys_) == 1
    assert "is not signed" in capsys.readouterr().err


def test_appending_to_an_unsigned_catalog_signs_it(
    package: Path, pfx: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As tap-windows6 does; SignTool makes the first signature the primary one."""
    package.joinpath("sample.inf").write_text(BASE, newline="\r\n")
    assert tool("inf2cat", f"/driver:{package}", "/os:10_X64") == 0
    sign = ("signtool", "sign", "/as", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD)
    assert tool(*sign, package / "sample.cat", package / "sample.sys") == 0
    capsys.readouterr()
    assert tool(*sign, package / "sample.cat", package / "sample.sys") == 1
    printed = capsys.readouterr()
    assert "a catalog has one signature" in printed.err
    assert f"Successfully signed: {package / 'sample.sys'}\n" in printed.out


@pytest.mark.parametrize("index", ["0", "x", "-1"])
def test_a_bad_index_of_a_timestamp(sys_: Path, capsys: pytest.CaptureFixture[str], index: str) -> None:
    assert tool("signtool", "timestamp", "/tr", DEAD, "/td", "SHA256", "/tp", index, sys_) == 1
    assert "Invalid index selected for timestamping." in capsys.readouterr().err


def test_a_list_of_files(sys_: Path, pfx: Path, work: Path) -> None:
    work.joinpath("my driver.sys").write_bytes(sys_.read_bytes())
    work.joinpath("options.rsp").write_text(f'/fd SHA256 /f "{pfx}"\n/p {PASSWORD}\n')
    work.joinpath("files.txt").write_text("x.sys\nmy driver.sys\n")
    assert tool("signtool", "sign", "@options.rsp", "@files.txt") == 0
    assert all(is_signed(path.read_bytes()) for path in work.glob("*.sys"))


def test_the_help_lists_what_is_supported(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("signtool", "sign", "/?") == 0
    text = capsys.readouterr().err
    assert text.startswith("Usage: signtool sign [options] <files>\n")
    assert "/fd VALUE" in text
    assert "not supported: " in text
    assert tool("signtool", "/?") == 0
