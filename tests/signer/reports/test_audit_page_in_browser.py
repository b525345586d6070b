"""The page of an audit in Chromium: search, filters, keyboard, addresses, paper, phones, and what it loads.

Skipped without Debian's chromium or the packages of the extra `dev`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from signer.audit.rows import LoggedEvent, MachineAnswer, Reason, Row
from tests.support.audits import CHANGES, POLICY, SAMPLE, hostile_rows, many, page
from tests.support.browser import PHONE, Opened, needs_chromium

pytestmark = needs_chromium


def _on_two_machines() -> Row:
    """Return a driver that stops on one machine and loads on the other, by their logs."""
    answers = (MachineAnswer("pc-1", POLICY), MachineAnswer("pc-2", Reason("loads")))
    event = LoggedEvent(3077, "2026-05-01T00:00:00", "", "a policy", "ci.evtx", "pc-1")
    return replace(SAMPLE[0], answers=answers, events=(event,), present=False)


PAGES = {
    "sample": lambda: page(changes=CHANGES),
    "hostile": lambda: page(hostile_rows()),
    "empty": lambda: page([]),
    "machines": lambda: page([_on_two_machines()]),
    "long": lambda: page(
        [replace(SAMPLE[0], reason=replace(POLICY, source=f"{POLICY.source}; {'a page ' * 60}", remedy="Do it. " * 60))]
    ),
    "large": lambda: page(many(20_000)),
}
NAMES = "#drivers tbody tr:not(.details) .name"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function that writes one of PAGES once, and returns its path."""
    folder, known = tmp_path_factory.mktemp("pages"), {}

    def write(name: str) -> Path:
        if name not in known:
            known[name] = folder / f"{name}.html"
            known[name].write_text(PAGES[name](), encoding="utf-8")
        return known[name]

    return write


class Audit(Opened):
    """The page of an audit."""

    @property
    def names(self) -> list[str]:
        """The names in the table."""
        found: list[str] = self.page.locator(NAMES).all_inner_texts()
        return found

    def chart(self, facet: str) -> dict[str, str]:
        """The values of a chart with their numbers."""
        script = "all => all.map(one => [one.dataset.value, one.querySelector('b').textContent])"
        return dict(self.page.eval_on_selector_all(f"#chart-{facet} a", script))

    def select(self, facet: str, value: str, fragment: str) -> None:
        """Select a value in a list, and wait until the page has drawn the fragment."""
        self.page.select_option(f'select[data-facet="{facet}"]', value)
        self.wait_until_drawn(fragment)

    def search(self, words: str) -> None:
        """Search for words, and wait until the page has drawn what it found."""
        self.page.fill("#search", words)
        self.wait_until_drawn(f"#{urlencode({'search': words})}")


@pytest.fixture
def opened(browser: Any, written: Any) -> Iterator[Any]:
    """A function that opens one of PAGES."""
    found: list[Audit] = []

    def open_page(name: str = "sample", fragment: str = "", **options: Any) -> Audit:
        found.append(Audit(browser, written(name), fragment, **options))
        return found[-1]

    yield open_page
    for one in found:
        one.page.close()


@pytest.mark.parametrize("name", ["sample", "hostile", "empty"])
def test_the_browser_loads_only_the_page_and_runs_only_its_script(opened: Any, name: str) -> None:
    one = opened(name)
    assert one.requests == [one.address]
    assert one.complaints == []
    assert one.page.evaluate("document.body.classList.contains('scripted')")
    assert one.page.locator("img").count() == 0
    for button in one.page.locator("tbody button").all()[:3]:
        one.unfold(button)
    assert one.complaints == []


def test_the_script_draws_the_charts_as_they_were_written(opened: Any, browser: Any, written: Any) -> None:
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(written("sample").as_uri())
    assert plain.locator(".charts").inner_html() == opened().page.locator(".charts").inner_html()
    plain.context.close()


def test_without_javascript_the_charts_and_the_drivers_that_stop_are_there(browser: Any, written: Any) -> None:
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(written("sample").as_uri())
    assert plain.locator(NAMES).all_inner_texts() == ["alpha.sys", "beta.sys", "gamma.sys", "delta.sys"]
    assert plain.locator("#chart-publisher rect").first.bounding_box()["width"] > 100
    assert "Without JavaScript" in plain.inner_text("noscript")
    assert not plain.locator("#filters").is_visible()
    plain.context.close()


def test_the_table_has_pages_and_begins_with_what_stops(opened: Any) -> None:
    one = opened()
    assert one.names[:5] == ["alpha.sys", "beta.sys", "gamma.sys", "delta.sys", "epsilon.sys"]
    assert (len(one.names), one.page.inner_text("#status")) == (50, "1 to 50 of 68 files.")
    one.follow("text=Next →", "#page=2")
    assert (len(one.names), one.names[-1]) == (18, "tool.sys")


SEARCHES = {
    "gamma": ["gamma.sys"],
    "PCI\\ven_delta": ["delta.sys"],
    "contoso 2014-06": ["beta.sys"],
    "copy\\alpha": ["alpha.sys"],
    b"beta".hex(): ["beta.sys"],
    "nothing like it": [],
}


@pytest.mark.parametrize("words", SEARCHES)
def test_search_finds_names_hardware_ids_hashes_and_paths(opened: Any, words: str) -> None:
    one = opened()
    one.search(words)
    assert one.names == SEARCHES[words]
    assert one.page.inner_text("#status").startswith("No file" if not SEARCHES[words] else "1 to 1 of 1 file.")


def test_a_bar_filters_the_table_and_the_other_charts_and_a_second_click_ends_it(opened: Any) -> None:
    one = opened()
    bar = '#chart-publisher a[data-value="Contoso"]'
    one.follow(bar, "#publisher=Contoso")
    assert one.names[:3] == ["alpha.sys", "beta.sys", "zeta.sys"]
    assert one.chart("device") == {"Net": "1", "USB": "1"}
    assert one.chart("publisher") == {"Contoso": "2", "Fabrikam & Söhne": "2"}
    assert one.page.locator(bar).get_attribute("aria-current") == "true"
    assert one.page.input_value('select[data-facet="publisher"]') == "Contoso"
    one.follow('#chart-device a[data-value="Net"]', "#publisher=Contoso&device=Net")
    assert one.names[0] == "alpha.sys"
    one.follow(bar, "#device=Net")
    assert one.names[:2] == ["alpha.sys", "gamma.sys"]
    one.page.go_back()
    one.wait_until_drawn("#publisher=Contoso&device=Net")
    assert one.names[:2] == ["alpha.sys", "loads0.sys"]


def test_a_year_opens_its_months(opened: Any) -> None:
    one = opened()
    assert not one.page.locator("#chart-month").is_visible()
    one.follow('#chart-year a[data-value="2014"]', "#year=2014")
    months = one.chart("month")
    assert (len(months), months["2014-06"], months["2014-11"], months["2014-01"]) == (12, "1", "1", "")
    one.follow('#chart-month a[data-value="2014-11"]', "#year=2014&month=2014-11")
    assert one.names == ["gamma.sys"]
    one.follow('#chart-year a[data-value="2014"]', "")
    assert not one.page.locator("#chart-month").is_visible()


def test_lists_of_values_filter_too(opened: Any) -> None:
    one = opened()
    one.select("answer", "needs-file", "#answer=needs-file")
    assert one.names == ["eta.sys"]
    one.select("answer", "stops", "#answer=stops")
    one.select("machine", "pc-2", "#answer=stops&machine=pc-2")
    assert one.names == ["alpha.sys", "gamma.sys"]
    options = one.page.locator('select[data-facet="machine"] option').all_inner_texts()
    assert options == ["all", "pc-1 (2)", "pc-2 (2)"]
    one.select("machine", "", "#answer=stops")
    assert one.names == ["alpha.sys", "beta.sys", "gamma.sys"]
    one.follow("text=Clear all", "")
    assert len(one.names) == 50


def test_the_head_filters_by_answer_policy_and_remedy(opened: Any) -> None:
    one = opened()
    one.follow("main > .legend >> text=Undecided", "#answer=unknown")
    assert one.names == ["zeta.sys"]
    one.follow("main > .legend >> text=Undecided", "")
    one.follow(".card.when >> text=Memory integrity", "#when=Memory+integrity")
    assert one.names == ["gamma.sys"]
    one.follow(".card.when >> text=Memory integrity", "")
    one.follow(".card.remedy >> text=Give a list.", "#remedy=Give+a+list.")
    assert one.names == ["delta.sys"]


def test_what_changed_filters_and_rows_say_what_they_were(opened: Any) -> None:
    one = opened()
    one.follow("#changes >> text=stop now and did not", "#change=stops+now%2C+and+did+not")
    assert one.names == ["alpha.sys", "beta.sys"]
    assert one.page.locator(".was").all_inner_texts() == ["was: Loads", "new"]


def test_a_machine_shows_its_own_answers(opened: Any) -> None:
    one = opened("machines")
    assert one.chart("machine") == {"pc-1": "1"}
    assert one.page.inner_text("#drivers tbody .mark") == "Stops loading"
    one.select("machine", "pc-2", "#machine=pc-2")
    assert one.page.inner_text("#drivers tbody .mark") == "Loads"
    one.select("answer", "loads", "#answer=loads&machine=pc-2")
    assert one.names == ["alpha.sys"]
    assert one.page.locator('select[data-facet="answer"] option').all_inner_texts() == ["all", "Loads (1)"]
    one.unfold(one.page.locator("tbody button"))
    details = one.page.inner_text("tr.details")
    assert "pc-2 (Loads)" in details and "event 3077" in details and "The file is not here" in details


def test_an_address_keeps_filters_search_order_and_page(opened: Any) -> None:
    one = opened(fragment="#answer=loads&search=net&sort=-file&page=2")
    assert len(one.names) == 10
    assert one.names[0] == "loads17.sys"
    assert one.page.input_value("#search") == "net"
    assert one.page.locator('th[aria-sort="descending"]').inner_text().startswith("Driver")


@pytest.mark.parametrize(
    "fragment", ["#page=-3&sort=hostile", "#answer=nothing", "#%ff=%", "#publisher=<img>", "#year=x&month=y"]
)
def test_a_wrong_address_leaves_a_usable_page(opened: Any, fragment: str) -> None:
    one = opened(fragment=fragment)
    assert one.complaints == []
    assert one.page.inner_text("#status")
    if one.page.locator("text=Clear all").count():
        one.follow("text=Clear all", "")
    assert len(one.names) == 50


def test_a_click_on_a_head_sorts_up_then_down_then_not_at_all(opened: Any) -> None:
    one = opened(fragment="#answer=stops")
    orders = []
    for sort in ("&sort=issued", "&sort=-issued", ""):
        one.follow('th[data-column="issued"] button', f"#answer=stops{sort}")
        orders.append(one.names)
    assert orders == [
        ["alpha.sys", "beta.sys", "gamma.sys"],
        ["gamma.sys", "beta.sys", "alpha.sys"],
        ["alpha.sys", "beta.sys", "gamma.sys"],
    ]


def test_a_row_opens_its_details_and_links_to_itself(opened: Any) -> None:
    one = opened()
    button = one.page.locator("tbody button").first
    one.unfold(button)
    details = one.page.locator("tr.details:not([hidden])")
    words = details.inner_text()
    for part in (*SAMPLE[0].paths, "alpha.inf", "PCI\\VEN_ALPHA", SAMPLE[0].authentihash, "driver-policy", "pc-2"):
        assert part in words
    assert details.locator("a[rel=noreferrer]").get_attribute("href").startswith("https://learn.microsoft.com/")
    one.follow("text=Link to this driver", f"#driver={SAMPLE[0].authentihash}")
    assert one.names == ["alpha.sys"]
    one.unfold(button)
    assert one.page.locator("tr.details:not([hidden])").count() == 0


def test_long_texts_of_the_details_wrap(opened: Any) -> None:
    one = opened("long")
    one.unfold(one.page.locator("tbody button"))
    table, details = (one.page.locator(name).bounding_box() for name in ("#drivers table", "tr.details dl"))
    assert details["width"] <= table["width"]
    assert one.page.evaluate(
        "document.querySelector('.scroll').scrollWidth <= document.querySelector('.scroll').clientWidth"
    )


def test_the_keyboard_reaches_and_works_everything(opened: Any) -> None:
    one = opened()
    one.tab()
    assert one.page.evaluate("document.activeElement.className") == "skip"
    one.page.keyboard.press("Enter")
    one.wait_for("() => document.activeElement.id === 'drivers'")
    one.page.focus('#chart-publisher a[data-value="Contoso"]')
    one.page.keyboard.press("Enter")
    one.wait_until_drawn("#publisher=Contoso")
    assert one.page.evaluate("document.activeElement.dataset.value") == "Contoso"
    one.page.focus("tbody button")
    one.page.keyboard.press("Space")
    one.page.locator("tr.details:not([hidden])").wait_for()
    reached = []
    one.page.focus("#search")
    for _ in range(7):
        one.tab()
        reached.append(one.page.evaluate("document.activeElement.tagName"))
        assert one.page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
    assert reached == ["SELECT"] * 5 + ["A", "A"]


@pytest.mark.parametrize("name", ["sample", "hostile", "empty"])
def test_a_phone_shows_the_page_without_scrolling_sideways(opened: Any, name: str) -> None:
    one = opened(name, viewport=PHONE)
    for button in one.page.locator("tbody button").all()[:2]:
        one.unfold(button)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["sample", "hostile", "empty"])
def test_no_rule_of_axe_is_broken_contrast_included(opened: Any, name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    one = opened(name, "#year=2014" if name == "sample" else "", color_scheme=scheme)
    for button in one.page.locator("tbody button").all()[:1]:
        one.unfold(button)
    one.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.run(one.page).response
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []
    assert "color-contrast" in {rule["id"] for rule in found["passes"]}


def test_paper_has_all_that_stops_and_no_controls(opened: Any) -> None:
    one = opened()
    one.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    one.page.emulate_media(media="print")
    assert one.names == ["alpha.sys", "beta.sys", "gamma.sys", "delta.sys"]
    assert not one.page.locator("#filters").is_visible()
    assert not one.page.locator("#pages").is_visible()
    assert one.page.locator("#changes details ul").bounding_box()["height"] > 0
    one.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(one.names) == 50
    assert one.page.pdf().startswith(b"%PDF")


def test_twenty_thousand_rows_are_found_and_filtered(opened: Any) -> None:
    one = opened("large")
    assert one.complaints == []
    assert one.page.inner_text("#status") == "1 to 50 of 20,000 files."
    assert one.page.locator("#drivers tbody tr").count() == 100
    one.search("driver012345")
    assert one.names == ["driver012345.sys"]
    one.follow("text=Clear all", "")
    one.follow("#chart-publisher a >> nth=0", "#publisher=Vendor+0")
    assert one.page.inner_text("#status").endswith("of 67 files.")
