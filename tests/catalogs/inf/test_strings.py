"""[Strings] sections and their languages."""

from __future__ import annotations

import pytest

from catalogs.inf.strings import Strings
from catalogs.inf.syntax import Inf

INF = Inf.parse(
    b"""[Version]
[Strings]
Vendor = "Sample, Inc."
Loop = "%Loop%%Vendor%"
Twice = one
twice = two
Only = here
[Strings.0407]
Vendor = "Beispiel"
[Strings.0409]
Vendor = "Example"
[Strings.0c]
Vendor = "Exemple"
"""
)


@pytest.mark.parametrize(
    ("text", "language", "expanded"),
    [
        pytest.param("%Vendor%", 0x0409, "Example", id="english"),
        pytest.param("%VENDOR%", 0x0407, "Beispiel", id="german-in-another-case"),
        pytest.param("%Vendor%", 0x040C, "Exemple", id="french-by-its-primary-language"),
        pytest.param("%Vendor%", 0x0411, "Sample, Inc.", id="japanese-falls-back"),
        pytest.param("%Only%.sys", 0x0409, "here.sys", id="only-in-the-common-section"),
        pytest.param("100%% %Only%", 0x0409, "100% here", id="percent-sign"),
        pytest.param("%None%", 0x0409, "%None%", id="undefined"),
        pytest.param("%12%\\a.sys", 0x0409, "%12%\\a.sys", id="dirid"),
        pytest.param("%Loop%", 0x0411, "%Loop%%Vendor%", id="replaced-only-once"),
        pytest.param("%Twice%", 0x0409, "one", id="first-definition-wins"),
        pytest.param("5%", 0x0409, "5%", id="single-percent"),
    ],
)
def test_tokens_are_replaced(text: str, language: int, expanded: str) -> None:
    assert Strings(INF, language).expand(text) == expanded


def test_undefined_tokens_are_listed() -> None:
    assert list(Strings(INF).unresolved("%a% %Only% %12% %% %b%")) == ["a", "b"]
