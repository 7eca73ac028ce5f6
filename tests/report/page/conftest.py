"""One Chromium for all pages of a test module."""

from collections.abc import Iterator

import pytest

from tests.report.page.browser import Browser, open_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found
