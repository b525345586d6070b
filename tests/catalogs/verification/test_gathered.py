"""Evidence that one run gathers of unchanged files once: for the check of staged files and for the verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions
from catalogs.catalog.file import Catalog
from catalogs.package.driver_package import read_packages
from catalogs.signing import PackagingOptions, sign_packages
from catalogs.verification import gathered as module
from catalogs.verification.assessment import Assessment
from catalogs.verification.gathered import Gathered
from catalogs.verification.query import VerifyQuery
from catalogs.verification.verify import Verification, verify
from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey
from signer.pkcs7.signed_data import SigningOptions
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust
from signer.verify.evidence import Evidence
from signer.verify.gather import gather
from tests.support.identities import certificate, private_key
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO

ROOT = ("Drvsign Gathered Root", "rsa2048")
SIGNER = SigningIdentity(
    LocalKey(private_key("rsa2048", "Drvsign Gathered")),
    certificate("Drvsign Gathered", "rsa2048", ROOT),
    (certificate(*ROOT),),
)
TRUST = Trust.for_signer(SIGNER.certificate, SIGNER.chain)
MACHINE = MachineState(at=datetime(2026, 1, 2, tzinfo=UTC), roots="test-signing", testsigning=True)
QUERY = VerifyQuery("kernel", TRUST, MACHINE)
OPTIONS = PackagingOptions(SigningOptions(), CatalogOptions(datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose evidence is gathered."""
    names: list[str] = []

    def counted(data, kind, name, catalogs, *, with_facts):
        names.append(name)
        return gather(data, kind, name, catalogs, with_facts=with_facts)

    monkeypatch.setattr(module, "gather", counted)
    return names


@pytest.fixture
def signed(tmp_path: Path, asked: list[str]) -> tuple[Path, Gathered]:
    """A package, and the evidence that signing it gathered."""
    (tmp_path / "hello.inf").write_bytes(HELLO.encode())
    (tmp_path / "hello.sys").write_bytes(PeSpec().build())
    found = Gathered()
    sign_packages(tmp_path, read_packages(tmp_path), SIGNER, OPTIONS, gathered=found)
    assert sorted(asked) == ["hello.inf", "hello.sys"]
    return tmp_path, found


def verified(folder: Path, found: Gathered) -> list[Assessment]:
    return list(Verification(folder, QUERY, found).assessments(lambda one: one))


def test_the_verdict_uses_the_evidence_of_the_staged_files(signed: tuple[Path, Gathered], asked: list[str]) -> None:
    folder, found = signed
    assert verified(folder, found) == verify(folder, QUERY)
    assert sorted(asked) == ["hello.inf", "hello.sys"]


@pytest.mark.parametrize("name", ["hello.sys", "hello.inf"])
def test_a_file_that_changes_after_it_was_signed_is_examined_again(
    signed: tuple[Path, Gathered], asked: list[str], name: str
) -> None:
    folder, found = signed
    data = bytearray((folder / name).read_bytes())
    data[0x420 if name == "hello.sys" else -1] ^= 1
    (folder / name).write_bytes(data)
    changed = verified(folder, found)
    assert changed == verify(folder, QUERY)
    assert any(one.rejected for one in changed)
    assert asked[2:] == [name]


def test_a_catalog_that_changes_after_it_was_signed_is_looked_up_again(
    signed: tuple[Path, Gathered], asked: list[str]
) -> None:
    folder, found = signed
    path = folder / "hello.cat"
    path.write_bytes(Catalog.parse(path.read_bytes()).unsigned().to_bytes())
    changed = verified(folder, found)
    assert changed == verify(folder, QUERY)
    assert any(one.rejected for one in changed)
    assert sorted(asked[2:]) == ["hello.inf", "hello.sys"]


def test_the_evidence_of_large_files_is_not_kept(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    """To find it takes a hash of the file, which is most of the time of examining a large one."""
    found, data = Gathered(), memoryview(PeSpec().build())

    def evidence(name: str = "a.sys", kind: str = "image", *, with_facts: bool = False) -> Evidence:
        return found.gather(data, kind, name, (), with_facts=with_facts)

    monkeypatch.setattr(module, "MAX_SIZE", len(data))
    assert evidence() is evidence()
    assert evidence("b.sys").name == "b.sys"
    assert evidence(kind="file").kind == "file"
    assert evidence(with_facts=True).facts is not None
    monkeypatch.setattr(module, "MAX_SIZE", len(data) - 1)
    assert evidence() is not evidence()
    assert asked == ["a.sys", "b.sys", "a.sys", "a.sys", "a.sys", "a.sys"]
