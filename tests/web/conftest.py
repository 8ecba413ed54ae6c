"""A town, a browser, and pages in it at the sizes that people have.

`pages.open("/", "phone", "en", "dark")` gives a page whose `faults` are everything that a browser
complains of: errors, refused loads, breaches of the Content-Security-Policy.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import missing
from tests.web.pages import Pages
from tests.web.town import Desk, Town

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        missing("the page tests need Debian's chromium: make browser")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One for all tests that leave it as they found it: each takes numbers of its own."""
    town = Town(tmp_path_factory.mktemp("town"))
    town.start()
    yield town
    town.stop()


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    """One for a test that breaks it."""
    town = Town(tmp_path)
    town.start()
    yield town
    town.stop()


@pytest.fixture
def desk(town: Town) -> Iterator[Desk]:
    with town.desk() as desk:
        yield desk


@pytest.fixture
def pages(town: Town, browser: Browser) -> Iterator[Pages]:
    pages = Pages(browser, town.url)
    yield pages
    pages.close()


@pytest.fixture
def own_pages(own_town: Town, browser: Browser) -> Iterator[Pages]:
    pages = Pages(browser, own_town.url)
    yield pages
    pages.close()
