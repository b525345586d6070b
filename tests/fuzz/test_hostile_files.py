"""Files made to break readers, through every command that reads: never accepted, never a crash, never a trace left."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from tests.support.files import corpus_files
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import Ran, drvsign

KERNEL = ("--policy", "kernel", "--target", "win11-24h2-x64", "--roots", "test-signing", "--testsigning")
HOSTILE = corpus_files("hostile/*.gz")
SUFFIXES = ("sys", "cat", "cab")
MUTATIONS = 60


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sane(ran: Ran) -> Ran:
    """`ran`, if it ended as commands may end."""
    assert ran.code in (0, 1, 2, 3)
    assert "this should not have happened" not in ran.stderr, ran.stderr
    return ran


@pytest.mark.parametrize("source", HOSTILE, ids=lambda path: path.name[-24:-3])
def test_files_that_broke_other_signers(corpus: Path, source: Path, work: Path) -> None:
    data = gzip.decompress(source.read_bytes())
    for suffix in SUFFIXES:
        path = work / f"hostile.{suffix}"
        path.write_bytes(data)
        assert sane(drvsign("verify", path, *KERNEL)).code in (1, 3)
        for arguments in (("inspect", path), ("digest", path), ("extract", path, "--output", "x.p7")):
            sane(drvsign(*arguments))
        sane(drvsign("strip", path, "--output", "stripped"))
        sane(drvsign("sign", path, "--output", "signed"))
        sane(drvsign("sign", path, "--append", "--output", "appended"))
        assert path.read_bytes() == data


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with a few bytes changed, a piece removed, doubled or filled with one value."""
    result = bytearray(data)
    place, length = chance.randrange(len(result)), chance.randrange(1, 64)
    match chance.randrange(5):
        case 0:
            result[place] ^= 1 << chance.randrange(8)
        case 1:
            result[place : place + length] = bytes([chance.choice((0, 0x30, 0x80, 0xFF))]) * length
        case 2:
            del result[place : place + length]
        case 3:
            result[place:place] = result[place : place + length]
        case 4:
            del result[place:]
    return bytes(result)


@pytest.mark.parametrize("kind", ["sys", "cat", "inf"])
def test_mutated_files_are_never_accepted(work: Path, kind: str) -> None:
    """Whatever a change of the file does to its structure, its digest is another one, so no signature covers it.

    The bytes that none covers (checksum, padding, unsigned attributes) may change and leave it accepted, and a broken
    embedded signature does no harm to a driver that is in a catalog.
    """
    folder = work / "driver"
    folder.mkdir()
    (folder / "hello.inf").write_bytes(HELLO.replace("\n", "\r\n").encode())
    (folder / "hello.sys").write_bytes(PeSpec().build())
    assert drvsign("package", folder, "--os", "10_X64").code == 0
    path = folder / f"hello.{kind}"
    good, chance = path.read_bytes(), random.Random(f"drvsign {kind}")
    for _ in range(MUTATIONS):
        path.write_bytes(mutated(good, chance))
        changed = path.read_bytes() != good
        ran = sane(drvsign("verify", folder, *KERNEL, "--json"))
        sane(drvsign("inspect", path))
        if changed and ran.code == 0:
            assert kind != "inf"
            assert covered(good) == covered(path.read_bytes()), "bytes that a signature covers were changed"


def covered(data: bytes) -> bytes:
    """What a signature covers of an image or catalog: all but checksum, directory entry and the certificate table."""
    from signer.errors import SignerError
    from signer.formats.detect import detect
    from signer.formats.table import IMAGE
    from signer.pe.digest import hashed_ranges
    from signer.pe.image import Image
    from signer.pkcs7.parse import parse

    try:
        if detect(data) is IMAGE:
            return b"".join(bytes(part) for part in hashed_ranges(Image.parse(data)))
        return parse(data).content_octets
    except SignerError as error:
        return str(error).encode()
