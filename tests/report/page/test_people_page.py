"""The page of people in a browser: filters, order, pages, keyboard, names for a screen reader, bounded size."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from reidar_plugin.report.page.content import PeopleReport
from reidar_plugin.report.page.people_page import people_page
from reidar_plugin.report.page.render import write_page
from tests.report.page.browser import Browser
from tests.report.page.made_up import ACTIONS, made_up_people

NAMES = "[...document.querySelectorAll('.person h3')].map((each) => Number(each.textContent.split(' ')[1]))"
COUNT = "document.getElementById('count').textContent"
NODES = "document.querySelectorAll('*').length"


@pytest.fixture(scope="module")
def report() -> PeopleReport:
    return made_up_people(45, 4)


@pytest.fixture
def page(browser: Browser, report: PeopleReport, tmp_path: Path) -> Browser:
    browser.open(write_page(tmp_path / "people.html", people_page(report)))
    assert browser.errors == []
    return browser


def choose(page: Browser, **values: str) -> list[int]:
    """Set filters at once; who is shown then, on the first page."""
    for name, value in values.items():
        page.run(f"byId('{name}').value = {value!r}")
    page.run("update()")
    found: list[int] = page.run(NAMES)
    return found


def firsts(report: PeopleReport) -> dict[int, float]:
    starts: dict[int, float] = {}
    for one in report.sightings:
        starts[one.person] = min(one.start, starts.get(one.person, one.start))
    return starts


def test_people_come_as_they_were_seen(page: Browser, report: PeopleReport) -> None:
    starts = firsts(report)
    expected = sorted(starts, key=lambda person: starts[person])
    assert page.run(NAMES) == expected[:20]
    page.run("document.querySelector('#pages button:last-child').click()")
    assert page.run(NAMES) == expected[20:40]
    assert page.run("document.querySelector('#pages').textContent") == "‹ PreviousPage 2 of 3Next ›"
    assert page.run(COUNT) == "45 of 45 people, 180 of 180 tracklets"


def test_filters(page: Browser, report: PeopleReport) -> None:
    riders = {person for person in range(1, 46) if person % 3 == 0}
    assert set(choose(page, action="1", sort="number")) == riders
    at_gate = [one for one in report.sightings if one.person in riders and one.camera == "gate"]
    assert 0 < len({one.person for one in at_gate}) <= len(riders)
    assert set(choose(page, camera="0")) == {one.person for one in at_gate}
    assert f"{len(at_gate)} of 180 tracklets" in page.run(COUNT)
    assert choose(page, camera="", action="", words="person 7 walking") == [7]
    assert choose(page, words="person 7 riding") == []
    assert page.run("document.querySelector('#found').textContent") == "Nobody is left; clear a filter."


def test_who_rides_for_a_while_is_found(browser: Browser, report: PeopleReport, tmp_path: Path) -> None:
    first = report.sightings[0]
    part = replace(
        first, actions={**first.actions, "riding": 0.2}, spans={"riding": [(first.start, first.start + 1)]}
    )
    none = replace(part, spans={})
    for one, found in ((part, [first.person]), (none, [])):
        shown = replace(report, sightings=[one])
        browser.open(write_page(tmp_path / "one.html", people_page(shown)))
        assert choose(browser, action="1") == found
    browser.open(write_page(tmp_path / "one.html", people_page(replace(report, sightings=[part]))))
    classes = "[...document.querySelectorAll('.actions li')].map((each) => [each.innerText.split('\\n')[0], each.className])"
    assert dict(browser.run(classes))["riding"] == ""
    browser.run("document.querySelector('details').open = true")
    time.sleep(0.1)
    assert "riding 0.20 (" in browser.run("document.querySelector('.words:not(th)').textContent")


@pytest.mark.parametrize(
    ("start", "said", "first"),
    [
        (0.0, "0:00 to 0:09 on the clock that the cameras share", "0:00.0"),
        (32400.0, "9:00:00 to 9:00:09 on the clock", "9:00:00.0"),
        (-65.0, "-1:05 to -0:56 on the clock", "-1:05.0"),
    ],
)
def test_clocks_without_a_date(browser: Browser, tmp_path: Path, start: float, said: str, first: str) -> None:
    (one,) = made_up_people(1, 1).sightings
    moved = replace(one, start=start, end=start + 8.97, spans={}, pictures=[])
    browser.open(write_page(tmp_path / "clock.html", people_page(PeopleReport("Clock", [moved]))))
    assert said in browser.run("document.body.innerText")
    assert browser.run("byId('from-text').textContent") == first
    assert browser.run("[59.96, 3599.96, -0.01].map(clock)") == ["1:00.0", "1:00:00.0", "0:00.0"]


def test_pictures_have_no_times() -> None:
    page = people_page(replace(made_up_people(1, 1), timed=False))
    assert "When it was is not known of pictures" in page


def test_times(page: Browser, report: PeopleReport) -> None:
    start = min(one.start for one in report.sightings)
    end = max(one.end for one in report.sightings)
    low, high = (start + (end - start) * share for share in (0.5, 0.6))
    expected = {one.person for one in report.sightings if one.start <= high and one.end >= low}
    assert 0 < len(expected) < 20
    assert set(choose(page, **{"from": "500", "to": "600"})) == expected


def test_order(page: Browser, report: PeopleReport) -> None:
    assert choose(page, sort="number") == list(range(1, 21))
    likely: dict[int, float] = {}
    for one in report.sightings:
        if one.actions["phone_to_ear"] >= ACTIONS["phone_to_ear"]:
            likely[one.person] = max(likely.get(one.person, 0), round(one.actions["phone_to_ear"], 4))
    found = choose(page, action="2", sort="likelihood")
    assert [likely[person] for person in found] == sorted(likely.values(), reverse=True)[:20]


def test_keys_alone_lead_everywhere(page: Browser) -> None:
    page.run("document.activeElement.blur()")
    seen = []
    for _ in range(14):
        page.press("Tab")
        seen.append(
            page.run(
                "document.activeElement.id || document.activeElement.textContent || document.activeElement.ariaLabel"
            )
        )
    assert seen[:8] == ["Skip to the list", "words", "camera", "action", "from", "to", "sort", "Clear"]
    assert "Tracklets" in seen
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.run("document.querySelector('summary').focus()")
    page.press("Enter")
    page.run(  # rows are made when the browser says that the list was opened, which is not at once
        "new Promise((done) => { const look = () => document.querySelector('.person:first-child tbody tr')"
        " ? done() : requestAnimationFrame(look); look(); })"
    )
    assert page.run("document.querySelectorAll('.person:first-child tbody tr').length") == 4


def test_everything_has_a_name(page: Browser) -> None:
    page.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.run("new Promise((done) => setTimeout(done, 100))")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = (
        "button",
        "combobox",
        "searchbox",
        "slider",
        "link",
        "image",
        "article",
        "navigation",
        "search",
        "textbox",
        "img",
    )
    wanted = [node for node in nodes if not node["ignored"] and node["role"]["value"] in roles]
    assert {"slider", "image", "article", "link", "combobox"} <= {node["role"]["value"] for node in wanted}
    assert [node for node in wanted if not node.get("name", {}).get("value")] == []
    assert page.run(
        "[...document.querySelectorAll('table')].every((one) => one.caption.textContent.length > 20)"
    )


def test_a_link_leads_to_a_person_elsewhere(page: Browser) -> None:
    choose(page, words="person 7")
    page.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.run("new Promise((done) => setTimeout(done, 100))")
    other = page.run("document.querySelector('.person a').textContent")
    page.run("document.querySelector('.person a').click()")
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run("document.activeElement.querySelector('h3').textContent.toLowerCase()") == other


@pytest.mark.parametrize(("people", "tracklets"), [(250, 8), (1, 2000), (2000, 1)])
def test_the_document_stays_small(people: int, tracklets: int, browser: Browser, tmp_path: Path) -> None:
    browser.open(write_page(tmp_path / "many.html", people_page(made_up_people(people, tracklets))))
    browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    browser.run("new Promise((done) => setTimeout(done, 100))")
    assert "2,000 tracklets" in browser.run(COUNT)
    assert 100 < browser.run(NODES) < 5000
    assert browser.errors == []


def test_pictures_are_bounded() -> None:
    report = made_up_people(10, 2)
    size = len(report.sightings[0].pictures[0].jpeg)
    assert people_page(report).count("data:image") == 40
    assert "pictures are left out" not in people_page(report)
    page = people_page(report, most_bytes=25 * size + size // 2)
    assert page.count("data:image") < 40
    assert page.count('"pictures":[]') == 0  # everybody has one before anybody has two
    assert f"{40 - page.count('data:image')} pictures are left out" in page


def test_nobody(browser: Browser, tmp_path: Path) -> None:
    browser.open(write_page(tmp_path / "none.html", people_page(PeopleReport("Empty", []))))
    assert browser.errors == []
    assert browser.run("document.querySelector('#found').textContent") == "Nobody was seen."


def test_dates(browser: Browser, tmp_path: Path) -> None:
    noon = 1_777_636_800.0  # 2026-05-01 12:00:00 UTC
    report = made_up_people(1, 1)
    (one,) = report.sightings
    moved = type(one)(**{**vars(one), "start": noon, "end": noon + 61, "spans": {}, "pictures": []})
    page = people_page(PeopleReport("Dated", [moved], dated=True))
    assert "2026-05-01 12:00:00 to 2026-05-01 12:01:01, all times in UTC." in page
    browser.open(write_page(tmp_path / "dated.html", page))
    assert "12:00:00 to 12:01:01" in browser.run("document.querySelector('.person header').textContent")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: str, page: Browser) -> None:
    """At least 4.5 to 1 between text and what is behind it, as WCAG 2 asks of small text."""
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    colors = {
        name: page.run(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()")
        for name in ("paper", "panel", "ink", "muted", "accent")
    }
    assert (colors["paper"] == "#ffffff") == (scheme == "light")
    for behind in ("paper", "panel"):
        for text in ("ink", "muted", "accent"):
            low, high = sorted((_luminance(colors[behind]), _luminance(colors[text])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, behind)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
