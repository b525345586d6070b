"""Benchmark of signing, compared with osslsigncode and openssl in the same run.

    python -m bench.sign [MEGABYTES]

Prints wall times, ratios, and the peak memory of signing one large image.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench._image import PeSpec

_FROM_BYTECODE = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Environment in which Python programs can cache their bytecode."""


def wall(command: Sequence[str | Path]) -> float:
    """Return the wall time of a command in seconds. The command must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=_FROM_BYTECODE)
    return time.perf_counter() - start


def peak(command: Sequence[str | Path]) -> float:
    """Return the peak resident memory of a command in megabytes, including resident mapped pages."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_FROM_BYTECODE)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage.ru_maxrss / 1024  # kilobytes on Linux


def best(command: Sequence[str | Path], times: int = 3) -> float:
    return min(wall(command) for _ in range(times))


def write_identity(folder: Path) -> list[str]:
    """Write key and certificate files; return their paths."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Drvsign Bench")]), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    cert.write_bytes(builder.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM))
    return [str(key), str(cert)]


def large_image(path: Path, megabytes: int) -> None:
    """Write an image with one section of this size, in chunks to limit memory."""
    head = PeSpec(sections=[(".big", 0x400, 0x200)]).build()
    size = megabytes << 20
    table = head.index(b".big")
    with path.open("wb") as file:
        file.write(head[: table + 8] + size.to_bytes(4, "little") + head[table + 12 : table + 16])
        file.write(size.to_bytes(4, "little") + head[table + 20 : 0x400])
        block = bytes(range(256)) * 4096
        for _ in range(megabytes):
            file.write(block)


_HASHING = """
import sys, time
from pathlib import Path
from signer.algorithms import DigestAlgorithm
from signer.storage.files import mapped
from signer.pe.digest import digest_image
from signer.pe.image import Image
with mapped(Path(sys.argv[1])) as data:
    image = Image.parse(data)
    start = time.perf_counter()
    digest_image(image, [DigestAlgorithm.SHA256])
    print(time.perf_counter() - start)
"""


def hashing(path: Path) -> float:
    """Return the seconds for computing the Authenticode digest of an image, without process startup."""
    # In a separate process: memory of this process would count as memory of the measured programs.
    done = subprocess.run([sys.executable, "-c", _HASHING, path], check=True, capture_output=True, text=True)
    return float(done.stdout)


def one_large(folder: Path, key: str, cert: str, megabytes: int) -> None:
    source, target = folder / "large.sys", folder / "signed.sys"
    large_image(source, megabytes)
    openssl = best(["openssl", "dgst", "-sha256", source])
    drvsign = min(hashing(source) for _ in range(3))
    print(
        f"hashing {megabytes} MB: {drvsign:.2f} s, "
        f"openssl dgst -sha256 {openssl:.2f} s, {openssl / drvsign:.0%} of its speed"
    )
    for pages in (False, True):
        sign: list[str | Path] = [sys.executable, "-m", "signer", "sign", source, "--output", target, "-q"]
        sign += ["--cert", cert, "--key", key]
        other: list[str | Path] = ["osslsigncode", "sign", "-certs", cert, "-key", key, "-h", "sha256"]
        other += ["-in", source, "-out", target]
        sign += ["--page-hashes"] if pages else []
        other[2:2] = ["-ph"] if pages else []
        times = []
        for command in (sign, other):
            best_time = float("inf")
            for _ in range(3):
                target.unlink(missing_ok=True)
                best_time = min(best_time, wall(command))
            times.append(best_time)
        label = "with page hashes" if pages else "without page hashes"
        print(f"{label}: {times[0]:.2f} s, osslsigncode {times[1]:.2f} s, ratio {times[0] / times[1]:.2f}")


def many_small(folder: Path, key: str, cert: str, count: int = 500) -> None:
    drvsign = float("inf")
    for turn in range(3):
        source = folder / f"many{turn}"
        source.mkdir()
        for number in range(count):
            image = PeSpec(sections=[(".text", 0x400, 0x4000)], fill=number & 0xFF)
            (source / f"{number}.sys").write_bytes(image.build())
        drvsign = min(
            drvsign, wall([sys.executable, "-m", "signer", "sign", source, "--cert", cert, "--key", key, "-q"])
        )
    start = time.perf_counter()
    base = ["osslsigncode", "sign", "-certs", cert, "-key", key, "-h", "sha256"]
    for path in sorted(source.iterdir())[:50]:
        subprocess.run([*base, "-in", path, "-out", folder / f"{path.name}.out"], check=True, capture_output=True)
    other = (time.perf_counter() - start) * count / 50
    print(f"{count} drivers: {drvsign:.2f} s, osslsigncode {other:.2f} s (from 50), {other / drvsign:.1f} times faster")


def memory(folder: Path, key: str, cert: str, megabytes: int) -> None:
    """Print the memory that signing needs beyond the interpreter, for an image and for one five times as large."""
    source, target = folder / "large.sys", folder / "signed.sys"
    interpreter = peak([sys.executable, "-c", "pass"])
    for size in (megabytes, 5 * megabytes):
        large_image(source, size)
        command: list[str | Path] = [sys.executable, "-m", "signer", "sign", source, "--output", target]
        command += ["--cert", cert, "--key", key]
        print(f"{size} MB: {peak(command) - interpreter:.0f} MB in addition to the interpreter's {interpreter:.0f} MB")


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    if not shutil.which("osslsigncode"):
        sys.exit("osslsigncode is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key, cert = write_identity(folder)
        one_large(folder, key, cert, megabytes)
        many_small(folder, key, cert)
        memory(folder, key, cert, megabytes)


if __name__ == "__main__":
    main()
