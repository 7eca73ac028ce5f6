"""The page of a test in a browser: the table of queries is sorted, searched, and shows its pictures."""

from pathlib import Path

import pytest

from reidar_plugin.report.page.content import Drawing, Query, RunReport, Table
from reidar_plugin.report.page.render import write_page
from reidar_plugin.report.page.run_page import run_page
from tests.report.page.browser import Browser
from tests.report.page.made_up import made_up_picture

CELLS = "[...document.querySelectorAll('#found tbody tr')].map((row) => row.cells[{}].textContent)"


def report() -> RunReport:
    queries = [
        Query(
            "A",
            100 + at,
            at,
            (at * 37) % 120 + 1,
            {"rank-1": float(at % 4 == 0), "mAP": (at * 37 % 120) / 120},
            [0] if at == 5 else [],
        )
        for at in range(120)
    ]
    other = [Query("B", 7, None, None, {"rank-1": 1.0, "mAP": 1.0})]
    picture = Drawing("Query 5: nearest tracklets", made_up_picture("#0000ff"))
    table = Table("Retrieval", ["protocol", "mAP"], [["A", "50.00"], ["B", "100.00"]], "Percent.")
    return RunReport(
        "Test of <joint>", [table], queries=[*queries, *other], drawings=[picture], answers=[picture]
    )


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Browser:
    browser.open(write_page(tmp_path / "run.html", run_page(report())))
    assert browser.errors == []
    return browser


def column(page: Browser, index: int) -> list[float]:
    return [float(text) for text in page.run(CELLS.format(index))]


def test_it_shows_what_it_is_given(page: Browser) -> None:
    assert page.run("document.title") == "Test of <joint>"
    assert page.run("document.querySelector('caption').textContent") == "Retrieval"
    assert [address for address in page.requests if not address.startswith(("data:", "file:"))] == []
    assert page.run("document.querySelector('.gallery img').naturalWidth") == 56


def test_sorted_both_ways(page: Browser) -> None:
    assert column(page, 0) == list(range(50))
    for down in (False, True):
        page.run("document.querySelectorAll('#found th button')[4].click()")
        expected = sorted((round(100 * at / 120, 1) for at in range(120)), reverse=down)[:50]
        assert column(page, 4) == pytest.approx(expected, abs=0.051)
        state = page.run("document.querySelectorAll('#found th')[4].getAttribute('aria-sort')")
        assert state == ("descending" if down else "ascending")
    assert page.run("document.activeElement.textContent") == "mAP ▼"


def test_searched(page: Browser) -> None:
    page.run("byId('words').value = 'person 117'; update()")
    assert column(page, 1) == [117]
    page.run("byId('words').value = ''; byId('kind').value = 'wrong'; update()")
    assert page.run("byId('count').textContent") == "90 of 120 queries. Figures are percent."
    page.run("byId('kind').value = ''; byId('protocol').value = '1'; update()")
    assert column(page, 1) == [7]


def test_read_aloud_and_on_paper(page: Browser) -> None:
    """Every table has a caption, every picture a text; paper says which page it is, and has no controls but headings."""
    page.run("byId('kind').value = 'drawn'; update(); document.querySelector('#found td button').click()")
    assert page.run("[...document.querySelectorAll('table')].map((one) => one.caption?.textContent)") == [
        "Retrieval",
        "Queries of A",
    ]
    assert page.run("[...document.images].every((one) => one.alt)")
    landmarks = page.run(
        "['header', 'main', 'nav[aria-label]', 'form[role=search]'].map((one) => !!document.querySelector(one))"
    )
    assert landmarks == [True] * 4
    page.run("byId('kind').value = ''; update()")
    page.call("Emulation.setEmulatedMedia", media="print")
    shown = "[...document.querySelectorAll('{}')].filter((one) => one.getClientRects().length).length"
    assert page.run("byId('pages').innerText").strip() == "Page 1 of 3"
    assert page.run(shown.format("form, #pages button, td button")) == 0
    assert (
        page.run(shown.format("th button"))
        == page.run("document.querySelectorAll('#found th button').length")
        > 0
    )
    page.call("Emulation.setEmulatedMedia", media="")


def test_pictures_of_an_answer(page: Browser) -> None:
    page.run("byId('kind').value = 'drawn'; update()")
    assert column(page, 0) == [5]
    assert page.run("document.querySelectorAll('#found img').length") == 0  # not before it is asked for
    page.run("document.querySelector('#found td button').click()")
    assert page.run("document.querySelector('#found img').alt") == "Query 5: nearest tracklets"
    assert page.run("document.querySelector('#found td button').getAttribute('aria-expanded')") == "true"
    page.run("document.querySelector('#found td button').click()")
    assert page.run("document.querySelectorAll('#found img').length") == 0
