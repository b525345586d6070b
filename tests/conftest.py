"""Fixtures for all tests, and an environment without the developer's own test certificates."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import HealthCheck, settings

from tests.support.files import corpus_root
from tests.support.rsa_keys import quick_rsa_keys
from tests.support.warm_python import warm_python as serving_python

for profile, derandomize in {"random": False, "drvsign": True}.items():
    settings.register_profile(  # a busy machine is no failure
        profile, deadline=None, derandomize=derandomize, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("drvsign")

_DATA = tempfile.TemporaryDirectory(prefix="drvsign-tests.")
"""The user's data folder of all tests and the programs that they start: the developer's own is never touched."""
os.environ["XDG_DATA_HOME"] = os.environ["WIN_PD_OVERRIDE_LOCAL_APPDATA"] = _DATA.name
for name in (
    "DRVSIGN_CERTS",
    "DRVSIGN_TEST_PFX",
    "DRVSIGN_TEST_PFX_PASSWORD",
    "GITHUB_ACTIONS",
    "GITHUB_WORKSPACE",
    "GITHUB_STEP_SUMMARY",
    "CI_PROJECT_DIR",
):
    os.environ.pop(name, None)

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each program that a test starts takes 5 times as long
sys.dont_write_bytecode = False  # else each process rewrites the assertions of every test file again
rsa.generate_private_key = quick_rsa_keys()  # else a tenth of all processor time goes to primes
pkcs12.load_pkcs12 = cache(pkcs12.load_pkcs12)  # else OpenSSL checks its primes again for each command: 70 ms
if hasattr(typer.main, "get_params_from_function"):  # else each call of a command reads its hints again; private
    typer.main.get_params_from_function = cache(typer.main.get_params_from_function)
gc.set_threshold(50_000)  # as the program does: much is created, little of it is garbage

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a job in the background: the tests of Ctrl+C need it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the processes of `-n auto`: one more than the processors, because some tests wait for other programs."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search for no garbage while the tests are collected: they all stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Exclude what the collected tests hold from garbage collection: pefile starts one for each malformed image."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let Python free everything at its end: lief reports what is left."""
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def user_data() -> Path:
    """Return the user's data folder; fail before a test could use the developer's own."""
    from testcerts.locate import user_folder

    folder = Path(_DATA.name)
    assert user_folder().is_relative_to(folder), "the tests would use the developer's own test certificates"
    return folder


@pytest.fixture(scope="session")
def warm_python() -> Iterator[Path]:
    """A program that runs modules of drvsign as Python does, without the time that their imports take."""
    with serving_python() as program:
        yield program


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real files; the test is skipped where it is absent."""
    root = corpus_root()
    if not root.is_dir():
        pytest.skip(f"the corpus is not at {root}; set DRVSIGN_CORPUS to its folder")
    return root
