"""Errors survive pickling between processes with all their attributes."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from catalogs.inf.problems import PackageProblem
from signer.errors import (
    DigestChanged,
    ImageError,
    InternalError,
    Interrupted,
    PackageError,
    SignerError,
    VerificationError,
)
from signer.pkcs7.http_post import Unreachable
from signer.pkcs7.timestamp_request import Refused
from signer.policy.findings import Finding, Verdict

CONSTRUCTORS = {
    InternalError: lambda: InternalError(ValueError("no")),
    Interrupted: lambda: Interrupted("p"),
    DigestChanged: lambda: DigestChanged("image"),
    Refused: lambda: Refused("no", transient=True),
    Unreachable: lambda: Unreachable("no", transient=False),
    PackageError: lambda: PackageError("no", problems=(PackageProblem("code", "no", "a.inf", line=3),), path="p"),
    VerificationError: lambda: VerificationError(
        "no", verdict=Verdict("win11-24h2-x64", "rejected", "r", (Finding("c", "error", "m", "s"),))
    ),
}
"""How to construct the errors whose constructors take other arguments than SignerError's."""


def kinds(kind: type[SignerError] = SignerError) -> Iterator[type[SignerError]]:
    """Yield SignerError and all its subclasses."""
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


@pytest.mark.parametrize("kind", dict.fromkeys(kinds()), ids=lambda kind: kind.__name__)
def test_pickling_keeps_class_and_attributes(kind: type[SignerError]) -> None:
    construct = CONSTRUCTORS.get(kind) or (lambda: kind("no", hint="h", path="p", offset=3, line=4, field="f"))
    error = construct()
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert vars(copy) == vars(error)
    assert (copy.args, str(copy), copy.as_json()) == (error.args, str(error), error.as_json())


def test_a_path_that_was_set_after_construction_is_pickled() -> None:
    assert pickle.loads(pickle.dumps(ImageError("no", offset=4).at("a.sys"))).where() == "a.sys at offset 0x4"


@pytest.mark.parametrize(
    ("problems", "text"),
    [
        ((), "p: no package"),
        (("the INF is empty",), "p: no package: the INF is empty"),
        (("the INF is empty", "a", "b"), "p: no package: the INF is empty (and 2 more)"),
    ],
    ids=["no-problem", "one", "three"],
)
def test_a_package_error_gives_its_first_reason(problems: tuple[str, ...], text: str) -> None:
    assert str(PackageError("no package", problems=problems, path="p")) == text
