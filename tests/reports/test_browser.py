"""report.html in a real browser, opened from disk, with the network out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from anomaly.reports.html import REPORT
from tests.reports.findings import findings, poisoned

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.enable_socket,  # the driver speaks with the browser; the page itself must ask for nothing
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
ATTACK = "\"'><img src=x onerror=\"document.title='run'\"><script>document.title='run'</script><svg onload=\"document.title='run'\">"


@dataclass
class Opened:
    """A page from disk and everything it asked for or complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()


def open_page(browser: Browser, folder: Path, content: bytes, **options: Any) -> Opened:
    def dismissed(dialog: Dialog) -> None:
        opened.messages.append(dialog.message)
        dialog.dismiss()

    file = folder / "report.html"
    file.write_bytes(content)
    opened = Opened(browser.new_page(**options))
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.on("console", lambda message: opened.messages.append(message.text))
    opened.page.on("pageerror", lambda error: opened.messages.append(str(error)))
    opened.page.on("dialog", dismissed)
    opened.page.goto(file.as_uri())
    opened.page.wait_for_timeout(100)
    return opened


def column(page: Page, number: int) -> list[str]:
    return list(page.locator(f"#flag-table tbody tr:not([hidden]) > :nth-child({number})").all_inner_texts())


def test_the_page_asks_for_nothing_and_complains_of_nothing(browser: Browser, tmp_path: Path) -> None:
    opened = open_page(browser, tmp_path, REPORT.render(findings(30)))
    assert opened.requests == [(tmp_path / "report.html").as_uri()]
    assert opened.messages == []


def test_hostile_text_in_every_column_runs_nothing_and_fetches_nothing(browser: Browser, tmp_path: Path) -> None:
    opened = open_page(browser, tmp_path, REPORT.render(poisoned(ATTACK)))
    opened.page.locator("#flag-table thead button").first.click()
    opened.page.locator("#f-good").select_option(index=1)
    assert opened.page.title() != "run"
    assert opened.page.locator("img, svg[onload]").count() == 0
    assert ATTACK in opened.page.locator("h1").inner_text()
    assert opened.requests == [(tmp_path / "report.html").as_uri()]
    assert opened.messages == []


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("flags", [30, 0])
def test_axe_finds_no_violation(browser: Browser, tmp_path: Path, flags: int, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    # axe injects a script of its own, which the page's policy rightly forbids
    opened = open_page(
        browser, tmp_path, REPORT.render(findings(flags)), bypass_csp=True, viewport={"width": width, "height": 900}
    )
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    result = axe.Axe().run(opened.page)
    assert result.violations_count == 0, result.generate_report()


def test_a_table_is_sorted_from_the_keyboard_and_the_unknown_stays_last(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, REPORT.render(findings(30))).page
    header = page.locator("#flag-table thead th", has_text="Year before")
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    values = column(page, 7)
    numbers = [float(value) for value in values if value != "not known"]
    assert numbers == sorted(numbers, reverse=True)
    assert set(values[len(numbers) :]) == {"not known"}
    page.keyboard.press("Space")
    assert header.get_attribute("aria-sort") == "ascending"
    values = column(page, 7)
    assert [float(value) for value in values[: len(numbers)]] == sorted(numbers)
    assert set(values[len(numbers) :]) == {"not known"}
    assert page.locator("#flag-table [aria-sort]").count() == 1


def test_severity_is_sorted_by_its_meaning_and_windows_by_time(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, REPORT.render(findings(30))).page
    page.locator("#flag-table thead button", has_text="Severity").click()
    severities = column(page, 10)
    assert severities == sorted(severities, key=["low", "medium", "high"].index)
    page.locator("#flag-table thead button", has_text="Window").click()
    ends = ["2022-09", "2022-12", "2023-06", "2023-10"]
    words = {"Jul–Sep 2022": ends[0], "2022": ends[1], "Jan–Jun 2023": ends[2], "Nov 2022–Oct 2023": ends[3]}
    windows = [words[window] for window in column(page, 5)]
    assert windows == sorted(windows)


def test_filters_hide_rows_and_cards_alike_and_say_how_many_are_left(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, REPORT.render(findings(30))).page
    page.locator("#f-exporter").select_option("Kazakhstan")
    shown = column(page, 3)
    assert shown
    assert set(shown) == {"Kazakhstan"}
    assert page.locator("article:visible").count() == len(shown)
    assert page.locator("#f-count").inner_text() == f"{len(shown)} of 27 flags shown"
    page.locator("#f-clear").click()
    page.locator("#f-text").fill("851712+-deu-kgz")
    assert column(page, 1) == ["3"]
    page.locator("#f-clear").click()
    assert len(column(page, 1)) == page.locator("article:visible").count() == 27


def test_a_number_in_the_table_leads_to_its_card(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, REPORT.render(findings(30))).page
    page.locator("#flag-table tbody a", has_text="12").focus()
    page.keyboard.press("Enter")
    assert page.locator("article:target h3").inner_text().startswith("12 ")


@pytest.mark.parametrize("width", [1280, 390])
def test_what_a_figure_of_a_card_is_called_stands_in_at_most_two_lines(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    viewport = {"width": width, "height": 900}
    page = open_page(browser, tmp_path, REPORT.render(findings(3)), viewport=viewport).page
    long = "figures => figures.forEach(figure => { figure.textContent = '24.5 million USD (24.0 million USD to 24.6 million USD)' })"
    page.locator(".side > dl dd").evaluate_all(long)
    lines = """names => names.map(name => {
        const text = document.createRange(); text.selectNodeContents(name);
        return new Set([...text.getClientRects()].map(box => Math.round(box.top))).size })"""
    assert max(page.locator(".side > dl dt").evaluate_all(lines)) <= 2


def test_a_jump_over_many_screens_is_there_at_once(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, REPORT.render(findings(60))).page
    card = page.locator("article").last
    page.evaluate("id => { location.hash = id }", card.get_attribute("id"))
    assert card.evaluate("card => Math.abs(card.getBoundingClientRect().top)") < 200


def test_the_worst_case_is_on_the_first_screen_and_on_a_phone_on_the_second(browser: Browser, tmp_path: Path) -> None:
    for width, height, screens in ((1280, 900, 1), (390, 844, 2)):
        page = open_page(
            browser, tmp_path, REPORT.render(findings(30)), viewport={"width": width, "height": height}
        ).page
        end = page.locator(".worst li").first.evaluate("(item) => item.getBoundingClientRect().bottom")
        assert end <= screens * height, (width, end)


def test_from_a_case_one_comes_to_the_card_of_each_window_and_to_the_case_by_its_address(
    browser: Browser, tmp_path: Path
) -> None:
    given_ = findings(30)
    page = open_page(browser, tmp_path, REPORT.render(given_)).page
    case = given_.cases.row(1, named=True)
    page.goto(f"{page.url}#case-{case['case_id']}")
    row = page.locator("tr:target")
    assert case["good"] in row.inner_text()
    row.locator("td").last.locator("a").last.focus()
    page.keyboard.press("Enter")
    assert case["flag_id"] in page.locator("article:target").inner_text()


def test_what_is_folded_away_opens_from_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, REPORT.render(findings(4))).page
    folded = page.locator("article").last.locator("details", has_text="What else could explain it")
    assert not folded.locator("li").first.is_visible()
    folded.locator("summary").focus()
    page.keyboard.press("Enter")
    assert folded.locator("li").first.is_visible()


def test_nothing_is_wider_than_a_narrow_screen(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, REPORT.render(findings(30)), viewport={"width": 400, "height": 800}).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_page_prints_without_its_controls(browser: Browser, tmp_path: Path) -> None:
    page = open_page(browser, tmp_path, REPORT.render(findings(30))).page
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator(".filters").is_visible()
    assert page.locator("article").first.is_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("article details:not([open])").count() == 0
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
