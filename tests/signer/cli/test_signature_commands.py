"""`drvsign extract`, `drvsign attach`, and signing in two steps with a key that is elsewhere."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der
from signer.operations import signatures as surgery
from signer.operations.signatures import signatures
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from tests.support.files import content_of, corpus_files
from tests.support.identities import identity, private_key
from tests.support.images import PeSpec
from tests.support.program import drvsign, state


@pytest.fixture
def signed(driver: Path) -> Path:
    drvsign("sign", driver)
    return driver


def sign_elsewhere(kind: str, request: Path, algorithm: hashes.HashAlgorithm, name: str = "Drvsign Unit Test") -> bytes:
    """What a service with the key answers."""
    key = private_key(kind, name)
    if kind.startswith("rsa"):
        return key.sign(request.read_bytes(), padding.PKCS1v15(), algorithm)
    return key.sign(request.read_bytes(), ec.ECDSA(algorithm))


def certificate_file(kind: str = "rsa2048") -> Path:
    """The signer's certificate and its root in one PEM file, root first."""
    who = identity(kind)
    path = Path(f"{kind}.pem")
    path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in (*who.chain, who.certificate)))
    return path


def test_what_is_extracted_and_attached_again_gives_the_same_file(work, signed):
    before = signed.read_bytes()
    assert drvsign("extract", signed, "--output", "sig.p7").code == 0
    assert drvsign("strip", signed).code == 0
    ran = drvsign("attach", signed, "--signature", "sig.p7", "--json")
    assert ran.document["files"][0]["action"] == "attached"
    assert signed.read_bytes() == before


def test_a_signature_in_pem_is_attached(work, signed):
    drvsign("extract", signed, "--output", work / "signature.p7")
    text = base64.encodebytes((work / "signature.p7").read_bytes()).decode("ascii")
    (work / "signature.pem").write_text(f"-----BEGIN PKCS7-----\n{text}-----END PKCS7-----\n")
    ran = drvsign("attach", signed, "--signature", work / "signature.pem", "--output", work / "again.sys")
    assert ran.code == 0, ran.stderr
    assert (work / "again.sys").read_bytes() == signed.read_bytes()


def test_a_signature_as_dot_net_writes_it_is_attached_again(work, driver):
    """.NET's SignedCms has what is signed in an OCTET STRING, and Windows takes it."""
    _, content = content_of(driver.read_bytes(), DigestAlgorithm.SHA256)
    wrapped = Content(content.oid, der.octets(content.der))
    Path("net.p7").write_bytes(sign(wrapped, identity(), SigningOptions()))
    assert drvsign("attach", driver, "--signature", "net.p7").code == 0
    assert signatures(driver.read_bytes()) == [Path("net.p7").read_bytes()]


def test_openssl_reads_what_is_extracted(work, signed):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    drvsign("extract", signed, "--output", "sig.p7")
    ran = subprocess.run(
        ["openssl", "pkcs7", "-inform", "DER", "-in", "sig.p7", "-print_certs", "-noout"],
        capture_output=True,
        text=True,
    )
    assert "drvsign" in ran.stdout


def test_append_nests_what_is_attached(work, signed):
    drvsign("sign", signed, "--detached", "second.p7", "--digest", "sha384")
    assert drvsign("attach", signed, "--signature", "second.p7", "--append").code == 0
    assert len(signatures(signed.read_bytes())) == 2
    drvsign("extract", signed, "--index", "1", "--output", "again.p7")
    assert Path("again.p7").read_bytes() == Path("second.p7").read_bytes()


@pytest.mark.parametrize("overlay", [b"", bytes(1 << 20)], ids=["small", "large"])
def test_what_is_attached_fits_what_is_kept_when_the_file_changes_meanwhile(work, monkeypatch, overlay):
    driver = work / "toaster.sys"
    driver.write_bytes(PeSpec(overlay=overlay).build())
    drvsign("sign", driver, "--detached", "sig.p7")
    attach = surgery.attach

    def slowly(*arguments, **named):
        changes = attach(*arguments, **named)
        driver.write_bytes(PeSpec(fill=1, overlay=overlay).build())
        return changes

    monkeypatch.setattr(surgery, "attach", slowly)
    assert drvsign("attach", driver, "--signature", "sig.p7", "--output", "kept.sys").code == 0
    attach(Path("kept.sys").read_bytes(), Path("sig.p7").read_bytes())


@pytest.mark.parametrize("overlay", [b"", bytes(1 << 20)], ids=["small", "large"])
def test_nothing_is_attached_in_the_place_of_a_file_that_changes_meanwhile(work, monkeypatch, overlay):
    driver = work / "toaster.sys"
    driver.write_bytes(PeSpec(overlay=overlay).build())
    drvsign("sign", driver, "--detached", "sig.p7")
    attach, anew = surgery.attach, PeSpec(fill=1, overlay=overlay).build()

    def slowly(*arguments, **named):
        changes = attach(*arguments, **named)
        driver.write_bytes(anew)
        return changes

    monkeypatch.setattr(surgery, "attach", slowly)
    ran = drvsign("attach", driver, "--signature", "sig.p7")
    assert ran.code == 3
    assert "another process changed the file in the meantime" in ran.stderr
    assert driver.read_bytes() == anew


def test_a_signature_of_another_image_is_refused(work, signed):
    drvsign("extract", signed, "--output", "sig.p7")
    other = work / "other.sys"
    other.write_bytes(PeSpec(fill=3).build())
    before = state(work)
    ran = drvsign("attach", other, "--signature", "sig.p7")
    assert ran.code == 3
    assert ran.errors == [line for line in ran.errors if "sig.p7: the signature is for a different image" in line]
    assert state(work) == before


@pytest.mark.parametrize("data", [b"", b"\x30\x05", b"\x30\x80\0\0", b"MSCF", b"\x30\0junk"])
def test_a_signature_that_is_none_is_blamed_by_its_own_name(work, driver, data):
    Path("sig.p7").write_bytes(data)
    before = state(work)
    ran = drvsign("attach", driver, "--signature", "sig.p7")
    assert (ran.code, len(ran.errors)) == (3, 1)
    assert ran.errors[0].startswith("error: sig.p7")
    assert "hint: " in ran.stderr
    assert state(work) == before


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
@pytest.mark.parametrize(("digest", "algorithm"), [("sha256", hashes.SHA256()), ("sha384", hashes.SHA384())])
def test_split_signing_gives_what_signing_gives(work, driver, kind, digest, algorithm):
    certificate = certificate_file(kind)
    options = ("--digest", digest, "--description", "Toaster", *(["--page-hashes"] if digest == "sha256" else []))
    assert drvsign("sign", driver, "--detached-request", "tbs", *options).code == 0
    Path("sig").write_bytes(sign_elsewhere(kind, Path("tbs"), algorithm))
    ran = drvsign("attach", driver, "--signed-digest", "sig", "--request", "tbs", "--cert", certificate, "--json")
    assert ran.document["files"][0]["digest_algorithm"] == digest
    if kind.startswith("rsa"):
        from signer.algorithms import DigestAlgorithm
        from signer.operations.sign import sign_file
        from signer.pkcs7.signed_data import SigningOptions

        options = SigningOptions(DigestAlgorithm.named(digest), "Toaster")
        whole = sign_file(PeSpec().build(), identity(kind), options, page_hashes=digest == "sha256")
        assert signatures(driver.read_bytes()) == [whole.signature]


def test_split_signing_takes_base64_and_can_do_without_the_request(work, driver):
    drvsign("sign", driver, "--detached-request", "tbs")
    Path("sig").write_bytes(base64.encodebytes(sign_elsewhere("rsa2048", Path("tbs"), hashes.SHA256())))
    assert drvsign("attach", driver, "--signed-digest", "sig", "--cert", certificate_file()).code == 0
    assert len(signatures(driver.read_bytes())) == 1


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("digest", "the key signed a sha1 digest; the request requires sha256"),
        ("key", "the signature does not match the request and the certificate 'Drvsign Unit Test'"),
        ("image", "the request is for a different file"),
        ("request", "tbs: not a signing request"),
        ("long request", "tbs: not a signing request: it has more than 1,048,576 bytes"),
        ("garbage", "the signature does not match the request"),
    ],
)
def test_split_signing_refuses_what_does_not_fit(work, driver, spoil, says):
    drvsign("sign", driver, "--detached-request", "tbs")
    certificate = certificate_file()
    algorithm = hashes.SHA1() if spoil == "digest" else hashes.SHA256()
    name = "Drvsign Unit Test" if spoil != "key" else "Somebody Else"
    Path("sig").write_bytes(sign_elsewhere("rsa2048", Path("tbs"), algorithm, name))
    if spoil == "image":
        driver.write_bytes(PeSpec(fill=3).build())
    if spoil == "request":
        Path("tbs").write_bytes(b"not a request")
    if spoil == "long request":
        Path("tbs").write_bytes(b"1" * ((1 << 20) + 1))
    if spoil == "garbage":
        Path("sig").write_bytes(b"\x00garbage")
    before = state(work)
    ran = drvsign("attach", driver, "--signed-digest", "sig", "--request", "tbs", "--cert", certificate)
    assert ran.code == 3
    assert says in ran.errors[0]
    assert state(work) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("attach", "toaster.sys"), "attach requires exactly one signature"),
        (
            ("attach", "toaster.sys", "--signature", "a", "--signed-digest", "b"),
            "attach requires exactly one signature",
        ),
        (("sign", "toaster.sys", "--detached-request", "a", "--pfx", "b"), "needs no key"),
        (("sign", "toaster.sys", "toaster.sys", "--detached-request", "a"), "one signature of one file"),
        (("extract", "toaster.sys"), "--output"),
    ],
)
def test_calls_that_can_not_mean_anything_end_with_2(work, driver, arguments, says):
    ran = drvsign(*arguments)
    assert ran.code == 2
    assert says in ran.stderr


def test_an_unsigned_image_has_nothing_to_extract(work, driver):
    ran = drvsign("extract", driver, "--output", "sig.p7")
    assert ran.code == 3
    assert "the file is not signed" in ran.errors[0]
    assert not Path("sig.p7").exists()


def test_every_signature_of_the_corpus_is_extracted_and_fits_its_image_again(work, corpus):
    for path in corpus_files("drivers/*.sys")[::10]:
        if drvsign("extract", path, "--output", "sig.p7").code == 0:
            ran = drvsign("attach", path, "--signature", "sig.p7", "--output", "again.sys", "--replace")
            assert ran.code == 0, f"{path.name}: {ran.stderr}"
