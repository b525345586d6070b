"""The HTML page in Chromium: nothing is loaded, the keyboard reaches everything, contrasts suffice, it fits a phone.

Skipped without Debian's chromium or the packages of the extra `dev`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signer.reports.model import Check, Subject
from tests.support.reports import hostile, linted, rejected, rendered, report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is here: install chromium")

WIDE = Check(
    tuple(f"win10-{number}-x64" for number in range(1501, 1541)), "win10 … x64", "rejected", "root", "why " * 30
)
PAGES = {
    "sample": report(rejected(), linted()),
    "grid": report(*(Subject(f"driver/{n}/{'x' * 60}.sys", "image", "rejected", (), (WIDE,)) for n in range(45))),
    "hostile": hostile(),
    "empty": report(),
}
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Opened:
    """A page that is open in the browser, with what it requested and what the browser complained about."""

    def __init__(self, browser: Any, path: Path, scheme: str, viewport: dict[str, int]) -> None:
        self.page = browser.new_page(viewport=viewport, color_scheme=scheme)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda one: self.requests.append(one.url))
        self.page.on("console", lambda one: self.complaints.append(one.text))
        self.page.on("pageerror", lambda one: self.complaints.append(str(one)))
        self.page.goto(path.as_uri())


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A function that opens one of PAGES."""
    found: list[Opened] = []

    def open_page(name: str, scheme: str = "light", viewport: dict[str, int] = DESKTOP) -> Opened:
        path = tmp_path / f"{name}.html"
        path.write_text(rendered("html", PAGES[name]), encoding="utf-8")
        found.append(Opened(browser, path, scheme, viewport))
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
    page = opened(name, scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.run(page).response
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert "color-contrast" in {one["id"] for one in found["passes"]}


def test_dark_is_dark(opened: Any) -> None:
    colors = [
        opened("sample", scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colors == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]


def test_the_keyboard_reaches_the_links_the_grid_and_the_signatures(opened: Any) -> None:
    page = opened("sample").page
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
        style = "getComputedStyle(document.activeElement)"
        assert page.evaluate(f"{style}.outlineStyle !== 'none'")
    assert reached == ["skip", "scroll", "A", "A", "A", "SUMMARY"]
    page.focus("summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")
    assert page.locator("dl").first.is_visible()


def test_the_first_link_skips_to_the_verdicts(opened: Any) -> None:
    page = opened("sample").page
    page.keyboard.press("Tab")
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")


def test_signatures_are_unfolded_on_paper_and_the_grid_is_not_cut(opened: Any) -> None:
    page = opened("sample").page
    assert not page.locator("dl").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("dl").first.bounding_box()["height"] > 0
    assert page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    assert page.pdf().startswith(b"%PDF")
