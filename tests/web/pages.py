"""Pages in a browser, and what every one of them must be able to show."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

SIZES = {
    "phone": {"width": 360, "height": 740},
    "tablet": {"width": 820, "height": 1180},
    "desktop": {"width": 1280, "height": 800},
    "hall": {"width": 1920, "height": 1080},
    "zoom": {"width": 640, "height": 400},  # a desktop at 200 %
}
WATCH = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


class Pages:
    """Opens pages of one deployment, each in a browser profile of its own."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self._contexts: list[BrowserContext] = []

    def context(
        self, size: str = "phone", language: str = "id", scheme: str = "light", **more: Any
    ) -> BrowserContext:
        """A profile: a phone, say, that keeps what its pages keep."""
        context = self._browser.new_context(
            viewport=SIZES[size],  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            base_url=self.url,
            **more,
        )
        context.set_default_timeout(30_000)
        context.add_init_script(WATCH)
        if more.get("java_script_enabled", True):
            context.add_init_script(f"localStorage['tunggu.language'] ??= '\"{language}\"'")
        self._contexts.append(context)
        return context

    def open(
        self,
        path: str,
        size: str = "phone",
        language: str = "id",
        scheme: str = "light",
        **more: Any,
    ) -> "Seen":
        """The page once its script has drawn it for the first time."""
        return self.within(self.context(size, language, scheme, **more), path)

    def within(self, context: BrowserContext, path: str) -> "Seen":
        """The same in a profile that is there."""
        seen = Seen(context.new_page(), [])
        seen.page.on("console", lambda message: seen.hear(message))
        seen.page.on("pageerror", lambda error: seen.faults.append(str(error)))
        seen.page.goto(path)
        seen.ready()
        return seen

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@dataclass
class Seen:
    """A page, and its faults so far."""

    page: Page
    faults: list[str]

    def hear(self, message: ConsoleMessage) -> None:
        """A deployment without the notify service says 404, and the page then shows nothing."""
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            if not where.endswith("/v1/notify/channels"):
                self.faults.append(f"{message.text} {where}")

    def ready(self) -> None:
        """Until core/frame.js has begun; pages without scripts are ready at once."""
        if self.page.evaluate("document.querySelector('script[type=module]') !== null"):
            self.page.locator("html[data-ready]").wait_for()

    def fits(self) -> bool:
        """Whether nothing sticks out to the side."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
