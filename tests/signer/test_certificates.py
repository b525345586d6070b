"""Loading old certificates in threads, and the ends of validity periods."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from signer.certificates import distinct, load_der, per_certificate, valid_at
from tests.support.files import ROOT
from tests.support.hierarchy import NOW, YEAR, issue

CERTIFICATE = issue("Leaf", start=NOW, end=NOW + YEAR).certificate
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("time", "valid"),
    [
        pytest.param(NOW - SECOND, False, id="one second before"),
        pytest.param(NOW, True, id="the first second"),
        pytest.param(NOW + YEAR, True, id="the last second"),
        pytest.param(NOW + YEAR + SECOND, False, id="one second after"),
    ],
)
def test_both_ends_are_included(time, valid) -> None:
    assert valid_at(CERTIFICATE, time) == valid


LOADED_IN_THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signer.certificates import common_name, load_all, load_der, serial_hex, subject_name

sys.setswitchinterval(1e-6)
old = Path(sys.argv[1]).read_bytes()

def load(number):
    data = old[:-2] + number.to_bytes(2, "big")  # another signature, so that no cache has it
    certificate = load_der(data)
    load_all(data)
    return common_name(certificate), subject_name(certificate), serial_hex(certificate), certificate.extensions

with ThreadPoolExecutor(8) as pool:
    assert len(list(pool.map(load, range(400)))) == 400
"""


@pytest.mark.parametrize("options", [(), ("-W", "error")], ids=["default-filters", "warnings-are-errors"])
def test_threads_load_old_certificates_without_a_warning(tmp_path, options) -> None:
    """A negative serial number breaks RFC 5280; `cryptography` warns about it each time."""
    der = bytearray(CERTIFICATE.public_bytes(Encoding.DER))
    der[der.index(b"\xa0\x03\x02\x01\x02\x02") + 7] |= 0x80  # the first byte of the serial number, after the version
    path = tmp_path / "old.cer"
    path.write_bytes(der)
    assert load_der(bytes(der)).serial_number < 0
    done = subprocess.run(
        [sys.executable, *options, "-c", LOADED_IN_THREADS, path], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_no_module_changes_the_filters_of_all_threads_for_one_call() -> None:
    modules = [path for package in ("signer", "catalogs", "testcerts") for path in (ROOT / package).rglob("*.py")]
    assert len(modules) > 100
    assert [path for path in modules if re.search(r"\bcatch_warnings\(", path.read_text(encoding="utf-8"))] == []


def test_a_cached_value_is_computed_once_for_each_object_and_argument():
    calls = []

    @per_certificate
    def described(certificate, name):
        calls.append(name)
        return f"{name} {certificate.serial_number}"

    other = issue("Other", start=NOW, end=NOW + YEAR).certificate
    found = [described(one, name) for one in (CERTIFICATE, other) for name in ("a", "b", "a")]
    expected = [f"{name} {one.serial_number}" for one in (CERTIFICATE, other) for name in ("a", "b", "a")]
    assert (found, calls) == (expected, ["a", "b"] * 2)


def test_each_certificate_is_kept_once_in_order():
    other = issue("Other", start=NOW, end=NOW + YEAR).certificate
    again = load_der_x509_certificate(CERTIFICATE.public_bytes(Encoding.DER))
    assert distinct([other, CERTIFICATE, again, other]) == (other, CERTIFICATE)


def test_a_certificate_from_another_process_is_the_object_of_this_one() -> None:
    """Values are cached by the object (`per_certificate`)."""
    certificate = load_der(issue("Drvsign Pickled").certificate.public_bytes(Encoding.DER))
    assert pickle.loads(pickle.dumps(certificate)) is certificate
