"""Catalog definition files (.cdf): what MakeCat accepts, and errors with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs import cdf
from signer.errors import MalformedInput

SOURCE = Path("files.cdf")


def parsed(value: str) -> str:
    """Return the text of an attribute whose value is Base64."""
    definition = cdf.parse(f"[CatalogHeader]\nName=a.cat\nCATATTR1=0x10030001:Note:{value}\n", SOURCE)
    return definition.attributes[0].value


def test_the_value_of_an_attribute_can_be_base64() -> None:
    assert parsed("aABpAA==") == "hi"


@pytest.mark.parametrize("value", ["é", "a", "!!!!", "AA=="], ids=["not-ascii", "short", "not-base64", "half-unit"])
def test_a_value_that_is_not_base64_of_utf16_is_an_error_with_its_line(value: str) -> None:
    """Text outside of ASCII raised ValueError (found by fuzzing)."""
    with pytest.raises(MalformedInput, match="not Base64-encoded UTF-16-LE") as caught:
        parsed(value)
    assert caught.value.line == 3
