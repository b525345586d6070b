"""Errors go from one process to another whole."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from catalogs.inf.problems import Problem
from signer.errors import DigestChanged, ImageError, PackageError, SignerError, VerificationError
from signer.pkcs7.http_post import Unreachable
from signer.pkcs7.timestamp_request import Refused
from signer.policy.findings import Finding, Verdict

OTHERWISE = {
    DigestChanged: lambda: DigestChanged("image"),
    Refused: lambda: Refused("no", passing=True),
    Unreachable: lambda: Unreachable("no", passing=False),
    PackageError: lambda: PackageError("no", problems=(Problem("code", "no", "a.inf", line=3),), path="p"),
    VerificationError: lambda: VerificationError(
        "no", verdict=Verdict("win11-24h2-x64", "rejected", "r", (Finding("c", "error", "m", "s"),))
    ),
}
"""What is made from more, or from less, than other errors are."""


def kinds(kind: type[SignerError] = SignerError) -> Iterator[type[SignerError]]:
    """Every kind of error there is."""
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


@pytest.mark.parametrize("kind", dict.fromkeys(kinds()), ids=lambda kind: kind.__name__)
def test_an_error_keeps_its_kind_and_all_that_it_holds(kind: type[SignerError]) -> None:
    made = OTHERWISE.get(kind) or (lambda: kind("no", hint="h", path="p", offset=3, line=4, field="f"))
    error = made()
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert vars(again) == vars(error)
    assert (again.args, str(again), again.as_json()) == (error.args, str(error), error.as_json())


def test_an_error_that_got_its_path_later_keeps_it() -> None:
    assert pickle.loads(pickle.dumps(ImageError("no", offset=4).at("a.sys"))).where() == "a.sys at offset 0x4"
