"""A package whose files change while it is signed is not written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions
from catalogs.package.driver_package import read_packages
from catalogs.signing import PackagingOptions, sign_packages
from signer.errors import PackageError
from signer.pkcs7.signed_data import SigningOptions
from tests.support.identities import identity
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import state

OPTIONS = PackagingOptions(SigningOptions(), CatalogOptions(datetime(2026, 1, 1, tzinfo=UTC)))


def test_a_file_that_changes_during_signing_cancels_the_operation(tmp_path: Path) -> None:
    inf = tmp_path / "hello.inf"
    inf.write_bytes(HELLO.encode())
    (tmp_path / "hello.sys").write_bytes(PeSpec().build())
    passes = iter(("sign", "hash", "verify"))

    def each(work, items):
        if next(passes) == "verify":
            inf.write_bytes(inf.read_bytes() + b"; edited")
        return [work(item) for item in items]

    before = state(tmp_path)
    with pytest.raises(PackageError, match="does not verify; no files were changed") as caught:
        sign_packages(tmp_path, read_packages(tmp_path), identity(), OPTIONS, each=each)
    assert [(problem.code, problem.path) for problem in caught.value.problems] == [("not-catalogued", inf)]
    assert {name for name, digest in state(tmp_path).items() if before[name] != digest} == {"hello.inf"}
    assert set(state(tmp_path)) == set(before)


def test_files_that_are_only_read_have_their_own_map(tmp_path: Path) -> None:
    """Signing may wait for a server in several threads; hashing and checking small files is faster in one."""
    (tmp_path / "hello.inf").write_bytes(HELLO.encode())
    (tmp_path / "hello.sys").write_bytes(PeSpec().build())
    passes: dict[str, list[int]] = {"signed": [], "read": []}

    def counted(name: str):
        def each(work, items):
            passes[name].append(len(items))
            return [work(item) for item in items]

        return each

    sign_packages(
        tmp_path, read_packages(tmp_path), identity(), OPTIONS, each=counted("signed"), read_each=counted("read")
    )
    assert passes == {"signed": [1], "read": [2, 2]}
