"""OpenSSL verifies drvsign's timestamps and vice versa, and osslsigncode verifies timestamped files."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signer.algorithms import DigestAlgorithm
from signer.cli.tsa_server import serving
from signer.errors import TimestampError
from signer.keys.local import LocalKey
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from signer.pkcs7.timestamp import Kind, TimestampClient
from signer.pkcs7.timestamp_request import rfc3161_answer, rfc3161_request
from signer.pkcs7.timestamp_token import parse_token
from signer.verify.gather import gather
from tests.support.files import patched
from tests.support.identities import certificate, identity
from tests.support.images import PeSpec
from tests.support.patience import PATIENCE
from tests.support.timestamping import NOON, ROOT, tsa, tsa_identity

SIGNATURE = b"the octets of a signature"
pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
needs_osslsigncode = pytest.mark.skipif(not shutil.which("osslsigncode"), reason="osslsigncode is not installed")

CONFIG = """
[tsa_config]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = {digest}
default_policy = 1.2.3.4.1
digests = sha1, sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_chain = {chain}
ess_cert_id_alg = {digest}
"""


def openssl(*arguments: str | Path, folder: Path, fails: bool = False) -> str:
    ran = subprocess.run(["openssl", *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False)
    assert (ran.returncode != 0) is fails, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with root, authority and signed data, in the formats of OpenSSL."""
    leaf = tsa_identity(ends=datetime(2099, 1, 1, tzinfo=UTC))  # OpenSSL uses the system clock
    assert isinstance(leaf.key, LocalKey)
    (tmp_path / "root.pem").write_bytes(certificate(*ROOT).public_bytes(Encoding.PEM))
    (tmp_path / "tsa.pem").write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
    key = leaf.key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "tsa.key").write_bytes(key)
    (tmp_path / "signature").write_bytes(SIGNATURE)
    (tmp_path / "serial").write_text("01")
    return tmp_path


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_openssl_verifies_our_responses(folder: Path, kind: str, algorithm: str) -> None:
    options = [f"-{algorithm}", "-cert"] if kind == "rsa2048" else [f"-{algorithm}", "-cert", "-no_nonce"]
    openssl("ts", "-query", "-data", "signature", *options, "-out", "query", folder=folder)
    (folder / "reply").write_bytes(tsa(tsa_identity(kind)).answer((folder / "query").read_bytes()))
    trusted = ["-CAfile", "root.pem", "-attime", str(int(NOON.timestamp()))]
    openssl("ts", "-verify", "-queryfile", "query", "-in", "reply", *trusted, folder=folder)
    openssl("ts", "-verify", "-data", "signature", "-in", "reply", *trusted, folder=folder)
    assert "Status: Granted." in openssl("ts", "-reply", "-in", "reply", "-text", folder=folder)


def test_openssl_rejects_a_response_for_other_data(folder: Path) -> None:
    (folder / "reply").write_bytes(tsa().answer(rfc3161_request(b"another", DigestAlgorithm.SHA256, 7)))
    trusted = ["-CAfile", "root.pem", "-attime", str(int(NOON.timestamp()))]
    openssl("ts", "-verify", "-data", "signature", "-in", "reply", *trusted, folder=folder, fails=True)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["-sha256", "-tspolicy", "1.2.3"], "unacceptedPolicy|policy"),
        (["-sm3"], "unrecognized or unsupported algorithm|badAlg"),
    ],
    ids=["unknown policy", "unsupported digest"],
)
def test_openssl_reads_our_rejections(folder: Path, options: list[str], reason: str) -> None:
    import re

    openssl("ts", "-query", "-data", "signature", *options, "-out", "query", folder=folder)
    (folder / "reply").write_bytes(tsa().answer((folder / "query").read_bytes()))
    output = openssl("ts", "-reply", "-in", "reply", "-text", folder=folder)
    assert "Status: Rejected." in output
    assert re.search(reason, output)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("chain", ["no", "yes"])
def test_we_verify_openssls_responses(folder: Path, digest: str, chain: str) -> None:
    (folder / "config").write_text(CONFIG.format(folder=folder, digest=digest, chain=chain))
    (folder / "query").write_bytes(rfc3161_request(SIGNATURE, DigestAlgorithm.SHA256, 0x1122334455667788))
    arguments = ["-config", "config", "-section", "tsa_config", "-queryfile", "query", "-out", "reply"]
    openssl("ts", "-reply", *arguments, folder=folder)
    reply = (folder / "reply").read_bytes()
    stamp = rfc3161_answer(reply, SIGNATURE, DigestAlgorithm.SHA256, 0x1122334455667788)
    assert parse_token(stamp.attribute[1][0]).policy == "1.2.3.4.1"
    with pytest.raises(TimestampError, match="nonce"):
        rfc3161_answer(reply, SIGNATURE, DigestAlgorithm.SHA256, 1)


@needs_osslsigncode
@pytest.mark.parametrize("kind", ["rfc3161", "authenticode"])
def test_osslsigncode_verifies_a_file_timestamped_by_us(tmp_path: Path, kind: Kind) -> None:
    data = PeSpec().build()
    with serving(tsa()) as server:
        signed = sign_file(data, identity(), SigningOptions(), timestamper=TimestampClient((server.url,), kind))
    result = patched(data, signed.changes)
    (signature,) = gather(result, "image", "a.sys").signatures
    assert signature.timestamp is not None
    assert (signature.timestamp.kind, signature.timestamp.time, signature.timestamp.intact) == (kind, NOON, True)
    (tmp_path / "a.sys").write_bytes(result)
    for name, root in (("root.pem", identity().chain[0]), ("tsa.pem", certificate(*ROOT))):
        (tmp_path / name).write_bytes(root.public_bytes(Encoding.PEM))
    roots = ["-CAfile", "root.pem", "-TSA-CAfile", "tsa.pem", "-ignore-cdp", "-ignore-crl"]
    ran = subprocess.run(["osslsigncode", "verify", "-in", "a.sys", *roots], cwd=tmp_path, capture_output=True)
    output = (ran.stdout + ran.stderr).decode()
    assert "Timestamp Server Signature verification: ok" in output, output
    assert f"Timestamp time: {NOON:%b %e %H:%M:%S %Y} GMT" in output


@needs_osslsigncode
@pytest.mark.parametrize("option", ["-ts", "-t"])
def test_osslsigncode_can_use_our_authority(tmp_path: Path, option: str) -> None:
    leaf = identity()
    assert isinstance(leaf.key, LocalKey)
    key = leaf.key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "cert.pem").write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "a.sys").write_bytes(PeSpec().build())
    with serving(tsa()) as server:
        arguments = ["-certs", "cert.pem", "-key", "key.pem", "-h", "sha256", option, server.url, "-in", "a.sys"]
        ran = subprocess.run(
            ["osslsigncode", "sign", *arguments, "-out", "b.sys"], cwd=tmp_path, capture_output=True, timeout=PATIENCE
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (signature,) = gather((tmp_path / "b.sys").read_bytes(), "image", "b.sys").signatures
    assert signature.timestamp is not None and signature.timestamp.intact
