"""One Chromium for all pages of a test module."""

from collections.abc import Iterator

import pytest

from tests.report.page.browser import Browser, open_browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found
