"""The HTML page: what is on it, that it loads nothing, and that no text in it is markup."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from signer.reports.escape import printable
from signer.reports.html import MAX_FINDINGS
from signer.reports.model import Check, Report, Subject
from tests.support.reports import HOSTILE, hostile, huge, linted, rejected, rendered, report, require_html

SAMPLE = report(rejected(), linted())
LOADING = {"script", "img", "iframe", "object", "embed", "link", "audio", "video", "source", "form", "input", "base"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


PAGES = {"sample": SAMPLE, "empty": report(exit_code=0), "hostile": hostile()}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_loads_nothing_and_runs_nothing(name: str) -> None:
    page = Page(rendered("html", PAGES[name]))
    assert not {tag for tag, _ in page.elements} & LOADING
    for tag, attributes in page.elements:
        assert not [one for one in attributes if one.startswith("on") or one in ("src", "srcset", "style")], tag
    assert all(re.match(r"#|https://learn\.microsoft\.com/", one["href"] or "") for one in page.all("a"))


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    text = rendered("html", SAMPLE)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [one["content"] for one in Page(text).all("meta") if one.get("http-equiv")]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style
    assert "@import" not in style


def test_the_grid_has_each_file_and_target_with_a_shape_and_a_word() -> None:
    text = rendered("html", SAMPLE)
    cells = re.findall(r'<td class="([a-z-]+)" title="([a-z ]+)">(.)<span class="word"> ([a-z ]+)</span></td>', text)
    assert cells == [
        ("rejected", "rejected", "✗", "rejected"),
        ("accepted", "accepted", "✓", "accepted"),
        ("accepted", "accepted", "✓", "accepted"),
        ("unknown", "unknown", "?", "unknown"),
        ("not-applicable", "not applicable", "○", "not applicable"),
    ]
    assert text.partition("</table>")[0].count("<td></td>") == 5  # the INF has no targets
    assert '<th scope="row"><span class="target">win10-1511-x64</span></th>' in text


def test_many_files_go_down_and_few_targets_across() -> None:
    check = Check(("win7-x64",), "win7-x64", "accepted", "root")
    subjects = [Subject(f"driver/{number}.sys", "image", "accepted", (), (check,)) for number in range(20)]
    text = rendered("html", report(*subjects))
    assert text.count('<th scope="row"><a href="#s') == 20
    assert 'class="name">7.sys</bdi></a>' in text  # without the folder of all files
    assert 'class="landscape"' not in text


def test_a_wide_grid_is_printed_on_a_wide_page() -> None:
    targets = tuple(f"t{number}" for number in range(9))
    check = Check(targets, "t0 … t8", "accepted", "root")
    subjects = [Subject(f"{number}.sys", "image", "accepted", (), (check,)) for number in range(10)]
    assert '<body class="landscape">' in rendered("html", report(*subjects))


def test_each_finding_has_its_fix_and_a_link_to_its_source() -> None:
    text = Page(rendered("html", SAMPLE)).text
    assert "✗ error unsigned 'hello.sys' is not signed In driver/hello.sys Fix: Sign it. Source: " in text.replace(
        "signedIn", "signed In"
    ).replace("sysFix", "sys Fix").replace("it.Source", "it. Source")
    assert 'href="https://learn.microsoft.com/windows-hardware/drivers/install/kernel-mode' in rendered("html", SAMPLE)


def test_signatures_and_chains_unfold() -> None:
    text = rendered("html", SAMPLE)
    assert "<details><summary>Contoso (embedded)</summary><div><dl><dt>Class</dt><dd>test</dd></dl>" in text
    assert "<li>CN=Contoso<br>" in text


def test_hostile_text_stays_text() -> None:
    page = Page(rendered("html", hostile()))
    assert printable(HOSTILE).replace("\ufffe", "\ufffd") in "".join(page.texts)
    require_html(rendered("html", hostile()))


def test_a_windows_folder_that_all_share_is_left_out() -> None:
    subjects = [Subject(rf"C:\drivers\{name}", "driver", "rejected") for name in ("a.sys", "b.sys")]
    assert 'class="name">a.sys</bdi></a>' in rendered("html", report(*subjects))


def test_many_findings_are_cut_and_the_page_says_so() -> None:
    text = rendered("html", huge())
    assert text.count('<li><p><span class="mark warning">') == MAX_FINDINGS
    assert f"{30_000 - MAX_FINDINGS} more findings: --report json=FILE has all of them." in text


def test_a_report_without_subjects_says_so() -> None:
    assert "Nothing was checked." in Page(rendered("html", Report("inf lint", (), {}, 0))).text
