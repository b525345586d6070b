"""Calls that every front end refuses: the exit code of the tool, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.cli.front_ends.tools import run_tool
from tests.support.images import PeSpec

SIGN = ["signtool", "sign", "/fd", "SHA256", "/f", "x.pfx"]
TR, TD = ["/tr", "http://x"], ["/td", "SHA256"]
REFUSALS = {
    # SignTool's sentences for the same calls.
    "no digest": (["signtool", "sign", "/f", "x.pfx", "x.sys"], 1, "No file digest algorithm specified."),
    "options after the file": (
        ["signtool", "sign", "x.sys", "/fd", "SHA256"],
        1,
        "No file digest algorithm specified.",
    ),
    "an option that is taken for a file": ([*SIGN, "x.sys", "/q"], 1, "File not found: /q"),
    "MD5": (["signtool", "sign", "/fd", "MD5", "x.sys"], 1, "The specified algorithm cannot be used or is invalid."),
    "no timestamp digest": (["signtool", "timestamp", *TR, "x.sys"], 1, "No file timestamp algorithm specified."),
    "no authority": (["signtool", "timestamp", "x.sys"], 1, "A required parameter is missing."),
    "two timestamps": (
        [*SIGN, "/t", "http://x", *TR, "x.sys"],
        1,
        "The /t option is incompatible with the /tr option.",
    ),
    "a digest for /t": (
        [*SIGN, "/t", "http://x", *TD, "x.sys"],
        1,
        "The /t option is incompatible with the /td option.",
    ),
    "an authority that is no URL": (["signtool", "timestamp", "/t", "x", "x.sys"], 1, "Invalid Timestamp URL: x"),
    "a switch twice": ([*SIGN, "/fd", "SHA256", "x.sys"], 1, "You cannot use the /fd option twice."),
    "a colon": (["signtool", "sign", "/fd:SHA256", "x.sys"], 1, "Invalid option: /fd:SHA256"),
    "a value that looks like a switch": ([*SIGN[:-1], "/p", "x.sys"], 1, "File not found: /p"),
    "quiet and verbose": ([*SIGN, "/q", "/v", "x.sys"], 1, "The /q option is incompatible with the /v option."),
    "a password without a PFX": (
        ["signtool", "sign", "/fd", "SHA256", "/p", "x", "x.sys"],
        1,
        "/p option requires the /f",
    ),
    "no value": ([*SIGN, "x.sys"][:-2], 1, "The /f option requires a parameter."),
    "no file": (["signtool", "verify", "/pa"], 1, "Missing filename."),
    "a missing file": (["signtool", "verify", "/pa", "x.sys", "none.sys"], 1, "File not found: none.sys"),
    "a folder": (["signtool", "sign", "/fd", "SHA256", "folder"], 1, "folder is a folder"),
    "an unknown switch": (["signtool", "sign", "/zz", "x.sys"], 1, "Invalid option: /zz"),
    "a bad hash": (["signtool", "sign", "/fd", "SHA256", "/sha1", "BAD", "x.sys"], 1, "Invalid SHA1 hash format: BAD"),
    "a bad usage": (["signtool", "sign", "/fd", "SHA256", "/u", "x y", "x.sys"], 1, "Invalid Enhanced Key Usage: x y"),
    "no command": (["signtool"], 1, "A required parameter is missing."),
    "an unknown command": (["signtool", "seal", "x.sys"], 1, "Invalid command: seal"),
    "a call without options": (["signtool", "sign"], 1, "signtool sign /?"),
    "two policies": (["signtool", "verify", "/kp", "/pa", "x.sys"], 1, "incompatible"),
    "an unknown policy": (["signtool", "verify", "/pg", "bad", "x.sys"], 1, "Invalid GUID format: bad"),
    "page hashes without /v": (["signtool", "verify", "/ph", "x.sys"], 1, "The /ph option requires the /v option."),
    "nothing to remove": (["signtool", "remove", "x.sys"], 1, "A required parameter is missing."),
    "all and a part": (["signtool", "remove", "/s", "/u", "x.sys"], 1, "incompatible"),
    # What SignTool does and drvsign does not.
    "the machine's store": (["signtool", "sign", "/fd", "SHA256", "/sm", "x.sys"], 1, "remove /sm"),
    "an empty store": (["signtool", "sign", "/fd", "SHA256", "/s", "None", "x.sys"], 1, "makecert -ss"),
    "a key container": (["signtool", "sign", "/fd", "SHA256", "/csp", "X", "x.sys"], 1, "--identity URI"),
    "a store name that is a path": (["signtool", "sign", "/fd", "SHA256", "/s", "../x", "x.sys"], 1, "name of a store"),
    "the catalog database": (["signtool", "catdb", "x.cat"], 1, "pnputil"),
    "Inf2Cat without releases": (["inf2cat", "/driver:."], 2, "/os:10_X64"),
    "an unknown release": (["inf2cat", "/driver:.", "/os:Nonsense"], 2, "Nonsense"),
    "a deprecated switch": (["inf2cat", "/driver:.", "/os:10_X64", "/drm"], 2, "[SignatureAttributes]"),
    "InfVerif without an INF": (["infverif", "/w"], 87, "infverif /w FILE.inf"),
    "two modes": (["infverif", "/w", "/k", "x.inf"], 87, "only one mode"),
    "a file that is no INF": (["infverif", "/w", "x.sys"], 87, ".inf extension"),
    "an unknown build": (["infverif", "/rulever", "eleven", "x.inf"], 87, "10.0.17763"),
    "an unknown code": (["infverif", "/code", "1"], 87, "drvsign inf rules"),
    "a product": (["infverif", "/product", "x.ias", "x.inf"], 87, ".ias"),
    "StampInf without a file": (["stampinf", "-d", "*"], 2, "-f FILE"),
    "MakeCat without a file": (["makecat", "-v"], 2, "FILE.cdf"),
    "MakeCat with an INF": (["makecat", "x.inf"], 2, "drvsign catalog build DIR"),
    "MakeCat with errors": (["makecat", "-n", "x.cdf"], 2, "correct the .cdf file"),
    "a certificate for nobody": (["makecert", "-r", "-n", "CN=X"], 1, "-ss"),
    "a name without =": (["makecert", "-r", "-n", "O=X", "x.cer"], 1, "no common name"),
    "a bad date": (["makecert", "-b", "2025-01-01", "x.cer"], 1, "12/31/2039"),
    "the end before the beginning": (["makecert", "-e", "01/01/2001", "x.cer"], 1, "before it begins"),
    "a short key": (["makecert", "-len", "1024", "x.cer"], 1, "2048"),
    "too many months": (["makecert", "-m", "999999", "x.cer"], 1, "-m 999999"),
    "a bad usage of a certificate": (["makecert", "-eku", "codesign", "x.cer"], 1, "1.3.6.1.5.5.7.3.3"),
    "a certificate of the machine": (["makecert", "-sr", "LocalMachine", "-ss", "My"], 1, "certs install-script"),
    "an issuer without its key": (["makecert", "-iv", "x.pvk", "x.cer"], 1, "-ic"),
    "no issuer": (["makecert", "-is", "None", "x.cer"], 1, "0 certificates"),
    "two output files": (["makecert", "-r", "a.cer", "b.cer"], 1, "a.cer, b.cer"),
    "PVK2PFX without a PFX": (["pvk2pfx", "-pvk", "x.pvk", "-spc", "x.cer"], 1, "-pfx is missing"),
    "a key that is none": (["makecert", "-r", "-sv", "x.sys", "x.cer"], 1, "x.sys: the PVK file is damaged"),
    "an issuer that is none": (["makecert", "-ic", "x.sys", "-iv", "x.sys", "x.cer"], 1, "x.sys: no certificate"),
    "a missing definition": (["makecat", "none.cdf"], 1, "none.cdf"),
    "a missing key": (["pvk2pfx", "-pvk", "x.pvk", "-spc", "x.cer", "-pfx", "x.pfx"], 1, "x.cer"),
    "a store of the machine": (
        ["certmgr", "/add", "x.cer", "/s", "/r", "localMachine", "root"],
        1,
        "certs install-script",
    ),
    "a store that trusts": (["certmgr", "-add", "x.cer", "-s", "TrustedPublisher"], 1, "x.cer"),
    "no source": (["certmgr", "-add", "-c"], 1, "source"),
    "two actions": (["certmgr", "-add", "-put", "a", "b"], 1, "-put"),
    "an empty list": (["cert2spc", "x.spc"], 1, "OUTPUT.spc"),
    "an unknown tool": (["makecab"], 2, "signtool"),
    "no tool": ([], 2, "signtool"),
}


@pytest.mark.parametrize(("words", "code", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_wrong_call_says_what_to_write(
    work: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    work.joinpath("folder").mkdir()
    work.joinpath("x.sys").write_bytes(PeSpec().build())
    assert run_tool(words) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("Error: ") == int(code != 0)
    assert "Traceback" not in printed.err
