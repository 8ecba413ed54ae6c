"""`make screenshots`: every page of the table as people see it, into build/screenshots.

README's pictures are some of these, chosen by hand into docs/pictures.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.web.conftest import ARGUMENTS, CHROMIUM
from tests.web.pages import SIZES, Pages
from tests.web.table import TABLE
from tests.web.town import Desk, Town

OUT = Path(__file__).parents[2] / "build" / "screenshots"
LOOKS = [("light", "id"), ("dark", "en")]


def lively(town: Town, desk: Desk) -> None:
    """A morning that has begun: some are served, some wait, one is called."""
    for service, waiting in {"A": 12, "B": 5, "C": 3, "E": 1}.items():
        for _ in range(waiting):
            desk.take(service)
    for counter in "1234":
        desk.at(counter, "open")
        desk.serve(counter)
    desk.at("1", "callNext")


def main() -> None:
    """Prints the path of each picture."""
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        town = Town(Path(folder))
        town.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            with town.desk() as desk:
                lively(town, desk)
                _take_all(Pages(browser, town.url), town, desk)
        finally:
            browser.close()
            town.stop()


def _take_all(pages: Pages, town: Town, desk: Desk) -> None:
    for shown in TABLE:
        for size in shown.sizes:
            for scheme, language in LOOKS:
                context = pages.context(size, language, scheme)
                page = pages.within(context, shown.address(town, desk)).page
                page.locator(shown.ready).first.wait_for()
                if shown.press:
                    page.locator(shown.press).click()
                page.evaluate("document.fonts.ready.then(() => true)")
                page.wait_for_timeout(400)
                _take(page, f"{shown.name}-{size}-{scheme}")
                if _unrolled(page, size):
                    _take(page, f"{shown.name}-{size}-{scheme}-whole")
                context.close()


def _take(page: Page, name: str) -> None:
    path = OUT / f"{name}.png"
    page.screenshot(path=path)
    print(path.relative_to(OUT.parents[1]))


def _unrolled(page: Page, size: str) -> bool:
    """Makes the window as tall as the page, so that what sticks to its edge stands at its end;
    False if it was tall enough."""
    height = page.evaluate("document.documentElement.scrollHeight")
    wide, high = SIZES[size].values()
    page.set_viewport_size({"width": wide, "height": max(high, height)})
    page.wait_for_timeout(200)
    return bool(height > high)


if __name__ == "__main__":
    main()
