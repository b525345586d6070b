"""The HTML page in Chromium: nothing is loaded, the keyboard reaches everything, contrasts suffice, it fits a phone.

Skipped without Debian's chromium or the packages of the extra `dev`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signer.reports.model import Check, Subject
from tests.support.browser import PHONE, Opened, needs_chromium
from tests.support.reports import hostile, linted, rejected, rendered, report

pytestmark = needs_chromium

WIDE = Check(
    tuple(f"win10-{number}-x64" for number in range(1501, 1541)), "win10 … x64", "rejected", "root", "why " * 30
)
PAGES = {
    "sample": report(rejected(), linted()),
    "grid": report(*(Subject(f"driver/{n}/{'x' * 60}.sys", "image", "rejected", (), (WIDE,)) for n in range(45))),
    "hostile": hostile(),
    "empty": report(),
}


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A function that opens one of PAGES."""
    found: list[Opened] = []

    def open_page(name: str, **options: Any) -> Opened:
        path = tmp_path / f"{name}.html"
        path.write_text(rendered("html", PAGES[name]), encoding="utf-8")
        found.append(Opened(browser, path, **options))
        return found[-1]

    yield open_page
    for one in found:
        one.page.close()


@pytest.mark.parametrize("name", PAGES)
def test_the_browser_loads_only_the_page_and_accepts_its_style(opened: Any, name: str) -> None:
    one = opened(name)
    assert [url.rpartition("/")[2] for url in one.requests] == [f"{name}.html"]
    assert one.complaints == []
    assert one.page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") == "24px"
    assert one.page.evaluate("document.scripts.length") == 0


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_the_page_without_scrolling_sideways(opened: Any, name: str) -> None:
    page = opened(name, viewport=PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_rule_of_axe_is_broken_contrast_included(opened: Any, name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(name, color_scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.run(page).response
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert "color-contrast" in {one["id"] for one in found["passes"]}


def test_dark_is_dark(opened: Any) -> None:
    colors = [
        opened("sample", color_scheme=scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colors == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]


def test_the_keyboard_reaches_the_links_the_grid_and_the_signatures(opened: Any) -> None:
    one = opened("sample")
    reached = []
    for _ in range(6):
        one.tab()
        reached.append(one.page.evaluate("document.activeElement.className || document.activeElement.tagName"))
        assert one.page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
    assert reached == ["skip", "scroll", "A", "A", "A", "SUMMARY"]
    one.page.focus("summary")
    one.page.keyboard.press("Enter")
    one.wait_for("() => document.querySelector('details').open")
    one.page.locator("dl").first.wait_for()


def test_the_first_link_skips_to_the_verdicts(opened: Any) -> None:
    one = opened("sample")
    one.tab()
    assert one.page.locator(".skip").bounding_box()["x"] >= 0
    one.page.keyboard.press("Enter")
    one.wait_until_drawn("#content")


def test_signatures_are_unfolded_on_paper_and_the_grid_is_not_cut(opened: Any) -> None:
    page = opened("sample").page
    assert not page.locator("dl").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("dl").first.bounding_box()["height"] > 0
    assert page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    assert page.pdf().startswith(b"%PDF")
