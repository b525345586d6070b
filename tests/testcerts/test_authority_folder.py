"""Which folder a call takes its test certificates from, and what it knows as the user's own."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509

from signer.errors import FolderInUse
from signer.storage.folders import move_aside
from testcerts import store
from testcerts.hierarchy import TestHierarchy
from testcerts.issue import Order, parse_subject
from testcerts.locate import is_a_choice, known_roots, locate, user_folder
from testcerts.profiles import KeyKind
from testcerts.store import create
from tests.support.files import ROOT
from tests.support.patience import PATIENCE


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder, and an empty data folder of the user."""
    folder = tmp_path / "project" / "driver"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return folder


@pytest.fixture
def make(now):
    def create(folder: Path) -> TestHierarchy:
        return store.create(folder, Order(parse_subject("CN=Contoso Test"), now, KeyKind.P256)).hierarchy

    return create


def test_the_folders_of_a_call_in_their_order(here, make):
    """--certs, DRVSIGN_CERTS, DRVSIGN_TEST_PFX, the project's, the user's."""
    project = here.parent / "testcerts" / "generated"
    assert locate(None, {}).path == user_folder()
    make(project)
    assert locate(None, {}).path == project
    pfx = locate(None, {"DRVSIGN_TEST_PFX": "QUJD"})
    assert pfx.path.parent == user_folder().parent / "imported"
    both = {"DRVSIGN_TEST_PFX": "QUJD", "DRVSIGN_CERTS": "ci"}
    assert locate(None, both).path == Path("ci")
    assert locate(Path("named"), both).path == Path("named")


def test_an_empty_variable_counts_as_unset(here):
    assert locate(None, {"DRVSIGN_CERTS": "", "DRVSIGN_TEST_PFX": ""}).path == user_folder()


def test_another_value_of_the_pfx_has_another_folder_and_a_wrapped_one_the_same(here):
    first, wrapped, other = (locate(None, {"DRVSIGN_TEST_PFX": text}).path for text in ("QUJD", "QU\nJD\n", "QUJE"))
    assert first == wrapped != other


def test_the_nearest_project_folder_counts_and_an_empty_one_does_not(here, make):
    make(here.parent / "testcerts" / "generated")
    (here / "testcerts" / "generated").mkdir(parents=True)
    assert locate(None, {}).path == here.parent / "testcerts" / "generated"
    make(here / "testcerts" / "generated")
    assert locate(None, {}).path == Path("testcerts", "generated")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
def test_a_project_folder_of_another_user_is_not_trusted(here, make):
    planted = here.parent / "testcerts" / "generated"
    make(planted)
    os.chown(planted, 12345, 12345)
    assert locate(None, {}).path == user_folder()
    os.chown(here, 12345, 12345)
    assert locate(None, {}).path == planted


def test_a_call_knows_the_roots_of_all_its_folders(here, make):
    roots = [make(folder).root for folder in (here / "a", here / "b", here / "testcerts" / "generated", user_folder())]
    assert known_roots(here / "a", {"DRVSIGN_CERTS": str(here / "b")}) == tuple(roots)
    assert known_roots(None, {}) == tuple(roots[2:])


def test_the_roots_that_a_folder_had_before_are_known(here, make, now):
    folder = here / "a"
    first = make(folder).root
    second = create(folder, Order(parse_subject("B"), now), force=True).hierarchy.root
    third = create(folder, Order(parse_subject("C"), now), force=True).hierarchy.root
    assert set(known_roots(folder, {})) == {first, second, third}
    aside = move_aside(folder)
    fourth = make(folder).root
    assert set(known_roots(folder, {})) == {third, fourth}, aside


def test_a_damaged_or_missing_folder_has_no_known_root(here):
    (here / "a").mkdir()
    (here / "a" / "root.cer").write_bytes(b"garbage")
    assert known_roots(here / "a", {"DRVSIGN_CERTS": str(here / "missing")}) == ()


def test_there_is_a_choice_only_between_several_authorities(here, make):
    make(user_folder())
    assert not is_a_choice(locate(None, {}), {})
    make(here / "testcerts" / "generated")
    assert is_a_choice(locate(None, {}), {})
    assert not is_a_choice(locate(here / "named", {}), {})


@pytest.mark.parametrize("exists", [False, True], ids=["new-folder", "empty-folder"])
def test_of_several_processes_one_makes_the_authority(here, exists):
    """All of them sign with the same key, whether or not the folder exists."""
    folder = here / "certs"
    if exists:
        folder.mkdir()
    code = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path; from testcerts import store;"
        "from signer.certificates import thumbprint;"
        f"store._WAIT_SECONDS = {PATIENCE};"  # keys take long on a busy machine
        "made = store.ensure(Path(sys.argv[1]), datetime.now(UTC)); print(made[1], thumbprint(made[0].code_signing))"
    )
    with ThreadPoolExecutor(5) as pool:
        outputs = list(
            pool.map(
                lambda _: subprocess.run(
                    [sys.executable, "-c", code, folder], cwd=ROOT, capture_output=True, text=True, check=True
                ).stdout.split(),
                range(5),
            )
        )
    assert sorted(made for made, _ in outputs) == ["False"] * 4 + ["True"]
    assert len({signer for _, signer in outputs}) == 1


def test_a_process_waits_for_another_that_asks_for_the_lock(now, tmp_path):
    """Asking whether a folder is locked locks it for a moment, in which nobody writes to it."""
    answers = [FolderInUse("another process asks for the lock"), None]

    def make(folder, when):
        if error := answers.pop(0):
            raise error
        return store.create(folder, Order(parse_subject("CN=Waiting"), when, KeyKind.P256)).hierarchy

    assert store.ensure(tmp_path / "certs", now, make)[1]
    assert not answers


def test_two_authorities_of_the_same_subject_have_different_names(make, tmp_path):
    first, second = make(tmp_path / "a"), make(tmp_path / "b")
    assert first.code_signing.subject == second.code_signing.subject
    assert first.root.subject != second.root.subject
    assert first.issuing_ca.subject != second.issuing_ca.subject


def test_a_name_with_no_room_for_the_identifier_is_cut(now, tmp_path):
    longest = "x" * (64 - len(" Time Stamping"))
    order = Order(parse_subject(f"CN={longest}"), now, KeyKind.P256)
    root = store.create(tmp_path / "a", order).hierarchy.root
    identifier = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()[:8]
    assert root.subject.rfc4514_string() == f"CN={'x' * 47} Root CA {identifier}"
