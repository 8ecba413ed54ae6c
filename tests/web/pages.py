"""Pages in a browser, and what every one of them must be able to show."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

SIZES = {
    "phone": {"width": 360, "height": 740},
    "tablet": {"width": 820, "height": 1180},
    "desktop": {"width": 1280, "height": 800},
    "hall": {"width": 1920, "height": 1080},
    "wall": {"width": 3840, "height": 1280},  # the War Room's, 6 × 2 m
    "pillar": {"width": 1080, "height": 1920},
    "square": {"width": 1024, "height": 768},
    "zoom": {"width": 640, "height": 400},  # a desktop at 200 %
}
PATIENCE = 60_000  # ms
WATCH = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


def until(page: Page, work: str, wanted: object = True) -> bool:
    """Whether the page says so in the end. (Playwright's own waiting evaluates a text within the
    page, which our policy forbids unless it is true at once.)"""
    for _ in range(PATIENCE // 200):
        if page.evaluate(work) == wanted:
            return True
        page.wait_for_timeout(200)
    return False


class Pages:
    """Opens pages of one deployment, each in a browser profile of its own."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self._contexts: list[BrowserContext] = []
        self._seen: list[Seen] = []

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
        context.set_default_timeout(20_000)
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
        self._seen.append(seen)
        seen.page.on("console", lambda message: seen.hear(message))
        seen.page.on("pageerror", lambda error: seen.fail(str(error)))
        seen.page.goto(path)
        seen.ready()
        return seen

    def close(self) -> None:
        """No test, whatever it breaks, may leave an error of ours or a breach of the policy."""
        for context in self._contexts:
            context.close()
        assert [one for seen in self._seen for one in seen.errors] == []


@dataclass
class Seen:
    """A page, its faults so far, and those of them that are its own: no cut line excuses them."""

    page: Page
    faults: list[str]
    errors: list[str] = field(default_factory=list)

    def fail(self, text: str) -> None:
        self.faults.append(text)
        self.errors.append(text)

    def hear(self, message: ConsoleMessage) -> None:
        """A deployment without the notify service says 404, and the page then shows nothing."""
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            if not where.endswith("/v1/notify/channels"):
                self.faults.append(f"{message.text} {where}")
        if message.text.startswith("policy:"):
            self.errors.append(message.text)

    def ready(self) -> None:
        """Until core/frame.js has begun; pages without scripts are ready at once."""
        if self.page.evaluate("document.querySelector('script[type=module]') !== null"):
            self.page.locator("html[data-ready]").wait_for()

    def fits(self) -> bool:
        """Whether nothing sticks out to the side."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
