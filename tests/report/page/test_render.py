"""One file, whole or not at all, that runs nothing but its own script and asks for nothing."""

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.report.page import render
from reidar_plugin.report.page.people_page import people_page
from reidar_plugin.report.page.render import data_uri, write_page
from tests.report.page.browser import Browser
from tests.report.page.made_up import made_up_people, made_up_picture

EVIL = '</script><script>window.ran = 1</script><img src="https://example.com/a" onerror="window.ran = 2">'


def test_a_picture_is_in_its_uri() -> None:
    picture = made_up_picture("#ff0000")
    kind, _, text = data_uri(picture).partition(",")
    assert (kind, base64.b64decode(text)) == ("data:image/jpeg;base64", picture)


def test_data_cannot_end_its_element() -> None:
    page = people_page(made_up_people(2, 1, title=EVIL, facts={EVIL: EVIL}, thresholds={"walking": 0.5}))
    assert page.count("</script>") == 2
    assert "<img src=" not in page
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    assert json.loads(found[1])["actions"] == [{"name": "walking", "threshold": 0.5}]


def test_names_neither_run_nor_call(browser: Browser, tmp_path: Path) -> None:
    report = made_up_people(3, 2, title=EVIL, facts={"video": EVIL})
    evil = [type(one)(**{**vars(one), "camera": EVIL, "key": f"{EVIL}{one.key}"}) for one in report.sightings]
    page = write_page(
        tmp_path / "evil.html", people_page(type(report)(**{**vars(report), "sightings": evil}))
    )
    browser.open(page)
    assert browser.run("document.querySelector('h1').textContent") == EVIL
    assert browser.run("window.ran === undefined")
    assert _asked(browser) == [page.as_uri()]
    assert browser.errors == []


def test_a_foreign_script_is_refused(browser: Browser, tmp_path: Path) -> None:
    page = people_page(made_up_people(1, 1))
    strange = "<script>window.ran = 1</script><img src='https://example.com/a'>"
    path = write_page(tmp_path / "strange.html", page.replace("</body>", f"{strange}</body>"))
    browser.open(path)
    assert browser.run("window.ran === undefined && document.querySelectorAll('.person').length === 1")
    assert len(browser.errors) == 2  # the script and the picture


def test_without_jinja(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    render._environment.cache_clear()
    with pytest.raises(ConfigError, match=r"reports need Jinja2 .*reidar-plugin\[report\]"):
        people_page(made_up_people(1, 1))


def test_no_number_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    report: Any = made_up_people(1, 1)
    sick = [
        type(one)(**{**vars(one), "actions": dict.fromkeys(one.actions, float("nan"))})
        for one in report.sightings
    ]
    with pytest.raises(ValueError, match="JSON"):
        people_page(type(report)(**{**vars(report), "sightings": sick}))


def _asked(browser: Browser) -> list[str]:
    return [address for address in browser.requests if not address.startswith("data:")]
