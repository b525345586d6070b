"""Pages in Chromium: what they load, what the browser complains about, and waiting until they are drawn.

A page changes after the browser's own events, so nothing is read straight after a click or a key: each method here
that acts waits for what it changes.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.patience import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is here: install chromium")

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

_TIMEOUT = 1000 * PATIENCE
"""Milliseconds."""

_RECORD_DRAWN = """
const record = () => { window.drawnFragment = location.hash; };
const replace = history.replaceState;
history.replaceState = function (...given) {
  replace.apply(this, given);
  queueMicrotask(record);
};
addEventListener("load", () => {
  record();
  addEventListener("hashchange", record);
});
"""
"""Keep the fragment that the page drew last: this listener comes after the page's, the microtask after its script."""


@contextmanager
def running_chromium() -> Iterator[Any]:
    """Start a headless Chromium for the block; skip the test without Playwright."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=_TIMEOUT)
        yield found
        found.close()


class Opened:
    """A page that is open in the browser, with what it requested and what the browser complained about."""

    def __init__(self, browser: Any, path: Path, fragment: str = "", **options: Any) -> None:
        self.page = browser.new_page(**{"viewport": DESKTOP, "color_scheme": "light", **options})
        self.page.set_default_timeout(_TIMEOUT)
        self.address = f"{path.as_uri()}{fragment}"
        self.requests: list[str] = []
        self._complaints: list[str] = []
        self.page.on("request", lambda one: self.requests.append(one.url))
        self.page.on("console", lambda one: self._complaints.append(one.text))
        self.page.on("pageerror", lambda one: self._complaints.append(str(one)))
        self.page.on("dialog", lambda one: self._complaints.append("dialog"))
        self.page.add_init_script(_RECORD_DRAWN)
        self.page.goto(self.address)

    @property
    def complaints(self) -> list[str]:
        """The errors, messages and dialogs until now."""
        self.page.evaluate("0")  # what the page reported before has arrived when this is answered
        return self._complaints

    def wait_for(self, condition: str, argument: Any = None) -> None:
        """Wait until a function of the page returns true."""
        self.page.wait_for_function(condition, arg=argument, polling=20)

    def wait_until_drawn(self, fragment: str) -> None:
        """Wait until the page has drawn the state of a fragment, which is "" or begins with #."""
        from playwright.sync_api import TimeoutError

        with suppress(TimeoutError):
            self.wait_for("wanted => window.drawnFragment === wanted", fragment)
        assert self.page.evaluate("window.drawnFragment") == fragment

    def follow(self, target: str, fragment: str) -> None:
        """Click on what a selector finds, and wait until the page has drawn the fragment."""
        self.page.click(target)
        self.wait_until_drawn(fragment)

    def unfold(self, button: Any) -> None:
        """Click on a button that shows or hides details, and wait until it has."""
        before = button.get_attribute("aria-expanded")
        button.click()
        self.wait_for(
            "([button, before]) => button.getAttribute('aria-expanded') !== before", [button.element_handle(), before]
        )

    def tab(self) -> None:
        """Press Tab, and wait until the focus has moved."""
        before = self.page.evaluate_handle("document.activeElement")
        self.page.keyboard.press("Tab")
        self.wait_for("before => document.activeElement !== before", before)
