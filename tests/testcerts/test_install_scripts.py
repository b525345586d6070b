"""The scripts for test machines: the certificates that they install, escaping of names, and encoding."""

from __future__ import annotations

import base64
import re

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from signer.certificates import load_der, thumbprint
from testcerts import install_script, store
from testcerts.issue import Order
from testcerts.profiles import KeyKind

EVIL = "%PATH% & calc ^|<> \"q\" 'r' \u2018s\u2019 (t)! `u` $v \u00fc"
BASE64 = r"[A-Za-z0-9+/=]+"


@pytest.fixture(scope="module")
def trusted(hierarchy):
    return install_script.trusted_of(hierarchy)


@pytest.fixture(scope="module")
def evil(tmp_path_factory, now):
    """The trusted certificates of a hierarchy whose name contains special characters of every shell."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, EVIL)])
    created = store.create(tmp_path_factory.mktemp("evil") / "certs", Order(subject, now, KeyKind.P256))
    return install_script.trusted_of(created.hierarchy)


def lines(script: bytes) -> list[str]:
    return script.decode("utf-8-sig").split("\r\n")


def test_roots_issuing_ca_and_publishers_are_trusted_but_flawed_ones_are_not(hierarchy, trusted):
    names = {thumbprint(certificate): name for name, certificate in hierarchy.certificates.items()}
    stores: dict[str, set[str]] = {}
    for one in trusted:
        stores.setdefault(one.store, set()).add(names[thumbprint(one.certificate)])
    assert stores == {
        "Root": {"root", "self-signed"},
        "CA": {"issuing-ca"},
        "TrustedPublisher": {
            "code-signing", "whql", "ev-whql", "attested", "elam", "hal", "lifetime", "protected-process-light",
            "windows-tcb", "protected-process", "drm", "self-signed",
        },
    }  # fmt: skip


@pytest.mark.parametrize("write", [install_script.cmd, install_script.ps1])
def test_newlines_are_cr_lf(trusted, write):
    script = write(trusted)
    assert script.endswith(b"\r\n")
    assert script.count(b"\n") == script.count(b"\r\n") == script.count(b"\r")


def test_the_batch_file_is_ascii_and_the_powershell_script_utf_8(evil):
    assert install_script.cmd(evil).isascii()
    assert install_script.ps1(evil).startswith(b"\xef\xbb\xbf")


def test_the_batch_file_adds_each_certificate_to_its_store(trusted):
    text = install_script.cmd(trusted).decode()
    block = rf'>"%FILE%" echo -----BEGIN CERTIFICATE-----\r\n((?:>>"%FILE%" echo {BASE64}\r\n)+)'
    block += r'>>"%FILE%" echo -----END CERTIFICATE-----\r\n'
    block += r'"%SYSTEM%\\certutil.exe" -f -addstore (\w+) "%FILE%"'
    found = [
        (name, load_der(base64.b64decode(data.replace('>>"%FILE%" echo ', ""))))
        for data, name in re.findall(block, text)
    ]
    assert found == [(one.store, one.certificate) for one in trusted]


def test_the_batch_file_can_undo_its_changes(trusted):
    text = lines(install_script.cmd(trusted))
    done, undone = text[: text.index(":undo")], text[text.index(":undo") : text.index(":usage")]
    assert '"%SYSTEM%\\bcdedit.exe" -set TESTSIGNING ON' in done
    assert '"%SYSTEM%\\bcdedit.exe" -set TESTSIGNING OFF' in undone
    removed = [line.split()[-2:] for line in undone if "-delstore" in line]
    assert removed == [[one.store, thumbprint(one.certificate)] for one in trusted]
    assert not any("-delstore" in line for line in done)


def test_the_powershell_script_contains_each_certificate_with_its_store(trusted):
    text = install_script.ps1(trusted).decode("utf-8-sig")
    found = re.findall(rf"Store = '(\w+)'; Name = '(?:[^']|'')*'; Data = '\r\n((?:{BASE64}\r\n)+)' }}", text)
    assert [(name, load_der(base64.b64decode(data))) for name, data in found] == [
        (one.store, one.certificate) for one in trusted
    ]
    assert "-set TESTSIGNING $state" in text


@pytest.mark.parametrize("write", [install_script.cmd, install_script.ps1])
def test_the_scripts_check_for_administrator_and_secure_boot(trusted, write):
    text = write(trusted).decode("utf-8-sig")
    assert "with Secure Boot on, Windows does not allow test signing" in text
    assert "UEFISecureBootEnabled" in text
    assert "started as administrator" in text


def test_names_are_escaped_in_the_batch_file(evil):
    text = lines(install_script.cmd(evil))
    for line in text:
        if "calc" not in line:
            continue
        if line.startswith("rem "):
            assert not set(line) & set("%^&|<>"), line
        else:
            assert line.startswith("echo ")
            assert re.fullmatch(r"""(?:[^%^&|<>()"]|\^[&|<>()"^]|%%)+""", line), line


def test_names_are_escaped_in_the_powershell_script(evil):
    text = lines(install_script.ps1(evil))
    names = [re.search(r"Name = '(.*)'; Data = '$", line) for line in text if "Name = '" in line]
    assert [name[1] for name in names if name][2] == (
        "%PATH% & calc ^|<> \"q\" ''r'' \u2018\u2018s\u2019\u2019 (t)! `u` $v \u00fc"
    )
    assert all("calc" not in line for line in text if not line.startswith("#") and "Name = '" not in line)
