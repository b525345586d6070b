"""Requirements of a distribution, and versions."""

from __future__ import annotations

import pytest

from signer.cli.requirements import is_new_enough, parse_requirement, requirements


@pytest.mark.parametrize(
    ("text", "name", "pip", "extra"),
    [
        ("lief>=0.17", "lief", "lief>=0.17", None),
        ("typer<0.30,>=0.29", "typer", "typer<0.30,>=0.29", None),
        ("evtx>=0.8; extra == 'evtx'", "evtx", "evtx>=0.8", "evtx"),
        ('moto[server]>=5.0; extra == "dev"', "moto", "moto>=5.0", "dev"),
        ("pip", "pip", "pip", None),
        ("name (>=1.2)", "name", "name>=1.2", None),
    ],
)
def test_requirement(text: str, name: str, pip: str, extra: str | None) -> None:
    one = parse_requirement(text)
    assert one is not None
    assert (one.name, one.text, one.extra) == (name, pip, extra)


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("0.29", True),
        ("0.29.5", True),
        ("0.28.9", False),
        ("0.30", False),
        ("0.30.1", False),
        ("1.0", False),
        ("", False),
    ],
)
def test_a_version_is_within_the_bounds(version: str, enough: bool) -> None:
    one = parse_requirement("typer>=0.29,<0.30")
    assert one is not None
    assert is_new_enough(version, one) is enough


def test_a_distribution_that_is_not_installed_requires_nothing() -> None:
    assert requirements("no-such-distribution") == []
