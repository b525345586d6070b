"""No regular expression of the packages takes more than linear time, whatever text an attacker writes."""

from __future__ import annotations

import re

import pytest

from tests.support.slow_patterns import Found, Structure, is_ambiguous, is_slow_to_search, patterns

PACKAGES = ("signer", "catalogs", "testcerts")


def is_slow(found: Found) -> bool:
    paths = Structure(found.pattern).paths
    return is_ambiguous(paths) or (found.searches and is_slow_to_search(paths))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_pattern_is_slow(package: str) -> None:
    """Make one of two repetitions possessive (`\\s*+`), bound it (`{0,40}`), or put a character between them."""
    found = list(patterns(package))
    assert len(found) > (0 if package == "testcerts" else 40)
    assert [(one.module, one.name, one.pattern.pattern) for one in found if is_slow(one)] == []


@pytest.mark.parametrize(
    ("pattern", "ambiguous", "slow_to_search"),
    [
        (r"\s*=\s*", False, True),
        (r"^\s*=\s*x", False, False),
        (r"\s*(x)?\s*y", True, True),
        (r"\s*+(x)?\s*+y", False, False),
        (r"\s{0,40}(x)?\s{0,40}y", False, False),
        (r"\[(.+)\]\s*$", True, True),
        (r"(?:a|b\w*)*c", True, True),
        (r"(?:[^*]|\*(?!/))*+\*/", False, False),
        (r'"[^"]*(?:""[^"]*)*"', False, False),
        (r"<[^>]*>", False, True),
        (r"<[^<>]*>", False, False),
        (r"(?<=//)[^/@]*@", False, False),
        (r"\d+", False, False),
    ],
)
def test_slow_patterns_are_found(pattern: str, ambiguous: bool, slow_to_search: bool) -> None:
    paths = Structure(re.compile(pattern)).paths
    assert (is_ambiguous(paths), is_slow_to_search(paths)) == (ambiguous, slow_to_search)
