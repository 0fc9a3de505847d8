"""The page of a report in a real browser: by phone and desk, in light and dark, in print."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.report import read_findings, write_report
from search.report.page import render

from .requests_made import requested_hosts
from .test_report import MINUS, add_finals, over_tasks, write_hostile

WriteCampaign = Callable[..., Path]


@pytest.fixture
def page(write_campaign: WriteCampaign) -> str:
    return write_report(add_finals(write_campaign())).as_uri()


def severe(browser: Any) -> list[str]:
    """What the browser complains of, blocked scripts and broken policies included."""
    return [entry["message"] for entry in browser.get_log("browser")]


def resize(browser: Any, width: int, *, scheme: str = "light") -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def test_it_shows_everything_and_asks_nobody(browser: Any, page: str, tmp_path: Path) -> None:
    resize(browser, 1280)
    browser.get(page)
    assert severe(browser) == []
    assert requested_hosts(browser) == set()
    sizes = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].map(s => s.getBoundingClientRect())"
        ".map(r => [r.width, r.height])"
    )
    assert len(sizes) > 9
    assert all(width > 0 and height > 0 for width, height in sizes)
    lines = browser.execute_script("return document.querySelectorAll('figure svg path').length")
    assert lines > 50
    assert browser.execute_script("return document.querySelectorAll('h1').length") == 1
    unnamed = browser.execute_script(
        "return [...document.querySelectorAll('[role=img]')].filter("
        "e => (e.getAttribute('aria-label') || '').length < 20).length"
    )
    assert unnamed == 0
    browser.save_screenshot(str(tmp_path / "report.png"))


def test_figures_say_what_is_under_the_pointer(browser: Any, page: str, tmp_path: Path) -> None:
    resize(browser, 1280, scheme="dark")
    browser.get(page)
    point = (
        "const s = document.querySelectorAll('svg[data-hover]')[arguments[0]];"
        "s.scrollIntoView({block: 'center'}); const r = s.getBoundingClientRect();"
        "return [r.left + r.width * arguments[1], r.top + r.height * arguments[2]]"
    )
    told = "return [...document.querySelectorAll('.tip')].map(t => t.innerText)"

    def move(figure: int, across: float, down: float) -> list[str]:
        x, y = browser.execute_script(point, figure, across, down)
        browser.execute_cdp_cmd(
            "Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y, "button": "none"}
        )
        return list(browser.execute_script(told))

    (lines,) = move(0, 0.5, 0.5)
    place, *values = lines.splitlines()
    assert re.fullmatch(r"x = -?\d[\d.]*", place)
    assert [line.partition(":")[0] for line in values] == ["Swish", "F1"]
    browser.save_screenshot(str(tmp_path / "hover.png"))
    (interval,) = move(6, 0.5, 0.2)
    assert re.match(r"F1: \+\d\.\d\d ", interval)
    assert move(6, 0.5, 2.5) == []
    assert severe(browser) == []


@pytest.mark.parametrize("width", [320, 390, 768])
def test_no_line_ends_in_an_operator_or_begins_with_a_comma(
    browser: Any, page: str, width: int
) -> None:
    resize(browser, width)
    browser.get(page)
    # The first and the last character of each line of each formula.
    lines = browser.execute_script(
        "const found = [], range = document.createRange();"
        "for (const code of document.querySelectorAll('main code')) {"
        "  const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);"
        "  let row = null;"
        "  for (let text; text = texts.nextNode();)"
        "    for (let i = 0; i < text.length; i++) {"
        "      range.setStart(text, i); range.setEnd(text, i + 1);"
        "      const box = range.getBoundingClientRect(), letter = text.data[i];"
        "      if (!letter.trim() || !box.width) continue;"
        "      const isNext = row === null || box.top > row.top + 4;"
        "      if (isNext) found.push(row = {top: box.top, line: ''});"
        "      row.line += letter;"
        "    }"
        "} return found.map(row => row.line)"
    )
    assert len(lines) > 20
    assert [line for line in lines if line[-1] in "-+*/" or line[0] == ","] == []


def test_tables_sort_by_a_click_and_back(browser: Any, page: str) -> None:
    browser.get(page)
    read = (
        "return [...document.querySelectorAll('#leaderboard tbody tr')]"
        ".map(r => parseFloat(r.cells[3].textContent))"
    )
    click = "document.querySelectorAll('#leaderboard thead button')[3].click()"
    browser.execute_script(click)
    rising = browser.execute_script(read)
    assert rising == sorted(rising)
    browser.execute_script(click)
    assert browser.execute_script(read) == sorted(rising, reverse=True)
    sort = "return document.querySelectorAll('#leaderboard th')[3].getAttribute('aria-sort')"
    assert browser.execute_script(sort) == "descending"


READ = (
    "return [...document.querySelectorAll(arguments[0] + ' tbody tr')]"
    ".map(r => r.cells[arguments[1]].textContent.trim())"
)


def sort_by(browser: Any, table: str, column: int) -> list[str]:
    """What stands in a column of a table once its heading was clicked."""
    click = "document.querySelectorAll(arguments[0] + ' thead button')[arguments[1]].click()"
    browser.execute_script(click, table, column)
    return list(browser.execute_script(READ, table, column))


def test_numbers_below_zero_are_sorted_as_numbers(
    browser: Any, write_campaign: WriteCampaign, tmp_path: Path
) -> None:
    path = tmp_path / "tasks.html"
    advantages = (0.4, -0.05, 2.0, -12.0, -3.0, 0.0)
    path.write_text(render(over_tasks(read_findings(write_campaign()), advantages)), "utf-8")
    browser.get(path.as_uri())
    rising = sort_by(browser, "#tasks", 1)
    assert rising == [f"{MINUS}12.00", f"{MINUS}3.00", f"{MINUS}0.05", "0.00", "+0.40", "+2.00"]
    assert sort_by(browser, "#tasks", 1) == rising[::-1]


def test_cells_without_a_number_come_last_and_formulas_are_no_numbers(
    browser: Any, page: str
) -> None:
    browser.get(page)
    browser.execute_script(
        "const rows = [...document.querySelectorAll('#leaderboard tbody tr')];"
        "rows.splice(3).forEach(row => row.remove());"
        "const put = (column, ...texts) => texts.forEach((text, row) => {"
        "  delete rows[row].cells[column].dataset.value;"
        "  rows[row].cells[column].textContent = text; });"
        "put(1, '2 * sin(x)', 'erf(x)', '10 * x');"
        f"put(8, '\N{EN DASH}', '{MINUS}3', '12.5 %')"
    )
    assert sort_by(browser, "#leaderboard", 8) == [f"{MINUS}3", "12.5 %", "\N{EN DASH}"]
    assert sort_by(browser, "#leaderboard", 8) == ["12.5 %", f"{MINUS}3", "\N{EN DASH}"]
    assert sort_by(browser, "#leaderboard", 1) == ["10 * x", "2 * sin(x)", "erf(x)"]


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_sticks_out_sideways(browser: Any, page: str, width: int) -> None:
    resize(browser, width)
    browser.get(page)
    measure = "const e = document.documentElement; return [e.scrollWidth, e.clientWidth]"
    needed, offered = browser.execute_script(measure)
    assert needed <= offered <= width


def test_dark_and_light_are_both_legible(browser: Any, page: str) -> None:
    for scheme in ("light", "dark"):
        resize(browser, 1280, scheme=scheme)
        browser.get(page)
        for selector, least in (
            ("body", 7.0),
            (".note", 4.5),
            (".better b", 4.5),
            (".worse b", 4.5),
        ):
            assert contrast(browser, selector) >= least, (scheme, selector)
        stroke = "return getComputedStyle(document.querySelector('figure svg text')).fill"
        assert contrast_of(browser.execute_script(stroke), background(browser, "body")) >= 4.5


def test_it_prints_on_paper(browser: Any, page: str) -> None:
    resize(browser, 1280, scheme="dark")
    browser.get(page)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    document = base64.b64decode(printed["data"])
    assert document.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", document)) <= 8
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert background(browser, "body") == (255.0, 255.0, 255.0)


def test_a_list_of_contents_leads_to_every_section(browser: Any, page: str) -> None:
    browser.get(page)
    targets = browser.execute_script(
        "return [...document.querySelectorAll('.contents a')].map(a => a.hash.slice(1))"
    )
    headings = browser.execute_script(
        "return [...document.querySelectorAll('main h2')].map(h => h.id)"
    )
    assert targets == headings
    assert len(headings) > 7


def test_hostile_text_is_inert(browser: Any, runs_dir: Path) -> None:
    browser.get(write_report(write_hostile(runs_dir)).as_uri())
    assert browser.execute_script("return typeof window.hacked") == "undefined"
    assert browser.execute_script("return document.querySelectorAll('script').length") == 1
    assert browser.execute_script("return document.images.length") == 0
    assert severe(browser) == []
    assert requested_hosts(browser) == set()


def background(browser: Any, selector: str) -> tuple[float, ...]:
    """The colour behind an element: its own, or that of the nearest ancestor that has one."""
    script = (
        "let e = document.querySelector(arguments[0]), c;"
        "do { c = getComputedStyle(e).backgroundColor; e = e.parentElement; }"
        "while (c === 'rgba(0, 0, 0, 0)' && e); return c"
    )
    return channels(browser.execute_script(script, selector))


def contrast(browser: Any, selector: str) -> float:
    script = "return getComputedStyle(document.querySelector(arguments[0])).color"
    return contrast_of(browser.execute_script(script, selector), background(browser, selector))


def channels(colour: str) -> tuple[float, ...]:
    numbers = colour[colour.index("(") + 1 : colour.index(")")].replace(",", " ").split()
    return tuple(float(number) for number in numbers[:3])


def contrast_of(colour: str, behind: tuple[float, ...]) -> float:
    """The contrast ratio of the Web Content Accessibility Guidelines 2.2, section 1.4.3."""
    lighter, darker = sorted((luminance(channels(colour)), luminance(behind)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: tuple[float, ...]) -> float:
    linear = [
        c / 12.92 if (c := channel / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for channel in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
